"""The chosen model and operating point, and the predictor that is loaded for them."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DataError
from ..exam import Exam
from ..model.bundle import Bundle, load_bundle
from ..prediction import OperatingPoint, Prediction
from ..report.wording import Translate, describe_card, describe_card_briefly

if TYPE_CHECKING:
    from ..model.predictor import Predictor


class ModelChoice:
    """A model, one of its operating points, and a device.

    Attributes:
        path: folder of the chosen model, readable or not.
        bundle: the chosen model; None if it cannot be read or no model is chosen.
        point: the chosen operating point; None without a model.
        device: "cpu", "cuda", or "automatic": the GPU if there is one.
    """

    def __init__(self) -> None:
        self.path: Path | None = None
        self.bundle: Bundle | None = None
        self.point: OperatingPoint | None = None
        self.device = "automatic"
        self._problem = ""

    def words(self) -> list[str]:
        """Return the options of a command that predicts as is chosen here; none without a model."""
        if self.bundle is None or self.point is None:
            return []
        words = ["--model", str(self.bundle.path)]
        words += ["--operating-point", self.point.name] if self.point != self.bundle.operating_point() else []
        return words + (["--device", self.device] if self.device == "cuda" else [])

    @property
    def points(self) -> tuple[OperatingPoint, ...]:
        """The operating points to choose from."""
        return self.bundle.settings.operating_points if self.bundle is not None else ()

    def choose(self, path: Path | None) -> None:
        """Choose the model in a folder; if it cannot be read, no model is chosen and the card says why."""
        self.path, self.bundle, self.point, self._problem = path, None, None, ""
        try:
            if path is not None:
                self.bundle = load_bundle(path)
                self.point = self.bundle.operating_point()
        except DataError as error:
            self._problem = str(error)

    def check(self, checksum: str = "") -> Bundle:
        """Return the chosen model, read again: it may have gone from the disk.

        Args:
            checksum: that it must have, "" for any.

        Raises:
            DataError: if no model is chosen or it cannot be read, after which no model is chosen; or if it is a
                different one.
        """
        if self.bundle is None:
            raise DataError(self._problem or "choose a model that can be read")
        try:
            self.bundle = load_bundle(self.bundle.path)
        except DataError as error:
            self.bundle, self.point, self._problem = None, None, str(error)
            raise
        if checksum and self.bundle.checksum != checksum:
            raise DataError("the result is of a different model than the chosen one; choose that one, or predict again")
        return self.bundle

    def describe(self, _: Translate = str) -> str:
        """Return the model's card in a few lines, rich text, or why it cannot be read."""
        return describe_card(self.bundle, _) if self.bundle is not None else escape(self._problem)

    def describe_briefly(self, _: Translate = str) -> str:
        """Return the model's name, AUC and first limit in a line, rich text, or why it cannot be read."""
        return describe_card_briefly(self.bundle, _) if self.bundle is not None else escape(self._problem)


class ModelRunner:
    """Predict, and load a model once for all predictions in a row. Sessions may share a runner."""

    def __init__(self) -> None:
        self._predictor: Predictor | None = None
        self._loaded: tuple[str, str] | None = None  # checksum and device

    def predict(self, exam: Exam, bundle: Bundle, device: str = "automatic") -> Prediction:
        """Return a prediction at the model's first operating point; runs on any thread.

        Raises:
            DataError: if the exam, a clinical value or the model cannot be used.
        """
        return self._load(bundle, device).predict(exam)

    def intervene(self, exam: Exam, bundle: Bundle, prediction: Prediction, device: str = "automatic") -> Prediction:
        """Return the prediction with what changes of the picture do to it; runs on any thread.

        Raises:
            DataError: as `predict`.
        """
        from ..effects.interventions import intervene  # loads torch

        return intervene(self._load(bundle, device), exam, prediction)

    def _load(self, bundle: Bundle, device: str) -> Predictor:
        import torch  # heavy, and Slicer may lack it when a panel opens

        from ..model.predictor import Predictor

        if device == "automatic":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        if self._predictor is None or self._loaded != (bundle.checksum, device):
            self._predictor = Predictor(bundle, device)
            self._loaded = bundle.checksum, device
        return self._predictor

    def what_if(self, prediction: Prediction, clinical: Mapping[str, object]) -> Prediction | None:
        """Return a prediction with other clinical values, at once; None if its model is not the one that is loaded.

        Args:
            clinical: all values as they were written; what is missing is unknown.

        Raises:
            DataError: if a value cannot be used, or the prediction does not hold what this needs.
        """
        if self._predictor is None or self._predictor.bundle.checksum != prediction.model.checksum:
            return None
        return self._predictor.what_if(prediction, clinical)
