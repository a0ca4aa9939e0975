"""The result that the scene keeps with the exam: written after each prediction, taken up again when it is back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from ..errors import DataError
from ..exam import Exam
from ..files.digest import digest
from ..lesion.sides import separate_sides
from ..model.bundle import Bundle
from ..prediction import Prediction
from ..report.wording import describe_briefly
from ..saved.result import Packed, SavedResult, pack_result, read_result, write_result
from .activity import Activity
from .clinical_form import ClinicalForm
from .frontend import ExamScene, Fingerprint
from .history import Snapshot
from .model_choice import ModelChoice, ModelRunner
from .result import PredictionInputs, Result


class Found(NamedTuple):
    """A result that was kept, and the clinical values that were entered for it."""

    result: Result
    entered: Mapping[str, object]


class KeptResults:
    """Keep results with their exams, and take them up again.

    Args:
        scene: that keeps them.
        activity: where they are read.
        model, clinical: of the session; they become those of a result that is taken up.

    Attributes:
        find_model: returns the folder of the model of a checksum, or None; of the frontend that lists the models.
    """

    def __init__(self, scene: ExamScene, activity: Activity, model: ModelChoice, clinical: ClinicalForm) -> None:
        self._scene, self._activity, self._model, self._clinical = scene, activity, model, clinical
        self._refused = ""
        self.find_model: Callable[[str], Path | None] = lambda _checksum: None

    def keep(self, result: Result, entered: Mapping[str, object]) -> None:
        """Keep a result with the exam that is chosen, in place of an earlier one."""
        if result.packed is None:
            return
        tumour = digest(result.inputs.tumour)
        saved = SavedResult(
            result.prediction, dict(entered), result.inputs.clinical, result.packed.phases, tumour, result.shown
        )
        text = write_result(saved, result.packed, result.exam)
        self._scene.keep_result(text, describe_briefly(result.prediction, self._activity.translate))

    def look(
        self,
        now: Fingerprint | None,
        choose_model: Callable[[Path], object],
        take_up: Callable[[Result], object],
    ) -> None:
        """Read the result of the chosen exam on the worker, if the scene keeps one; a bad one is reported once.

        Args:
            now: state of the exam.
            choose_model: chooses the model in a folder.
            take_up: shows the result.
        """
        if now is None or self._activity.doing:
            return
        text = self._scene.kept_result()
        if not text or text == self._refused:
            return
        try:
            exam, _state, _remark = self._scene.read()
            drawn = self._scene.tumour().content
        except DataError:  # the prediction says what is wrong with the volumes
            return
        work = partial(_read, text, separate_sides(exam), now, drawn)
        done = partial(self._on_read, text, choose_model, take_up)
        self._activity.start(self._activity.translate("Reading the result"), work, done)

    def _on_read(
        self,
        text: str,
        choose_model: Callable[[Path], object],
        take_up: Callable[[Result], object],
        found: Found | str,
    ) -> None:
        if isinstance(found, str):
            self._refused = text
            self._activity.report_problem(found)
            return
        now, result = self._scene.fingerprint(), found.result
        if now is None or now.identity != result.inputs.state.identity:
            return
        if not self._has(result) and (path := self.find_model(result.inputs.model)) is not None:
            choose_model(path)
        if self._has(result):
            point = result.prediction.operating_point
            self._clinical.begin(found.entered)
            self._model.point = point if point in self._model.points else self._model.point
        take_up(result)
        self._activity.message = self._describe(result)

    def _has(self, result: Result) -> bool:
        """Return True if the chosen model is that of a result."""
        return self._model.bundle is not None and self._model.bundle.checksum == result.inputs.model

    def _describe(self, result: Result) -> str:
        _, model = self._activity.translate, result.prediction.model
        if self._has(result):
            return _("This result was kept in the scene.")
        text = _("This result was kept in the scene. Its model {name} {version} is not on this computer.")
        return text.format(name=model.name, version=model.version)


def predict_and_pack(runner: ModelRunner, exam: Exam, bundle: Bundle, device: str) -> tuple[Prediction, Packed]:
    """Return the prediction, and what the scene keeps of it; runs on any thread."""
    prediction = runner.predict(exam, bundle, device)
    return prediction, pack_result(exam, prediction)


def _read(text: str, exam: Exam, now: Fingerprint, drawn: tuple[Snapshot, ...]) -> Found | str:
    """Return the result, or why it cannot be read."""
    try:
        saved = read_result(text, exam.geometry.shape)
    except DataError as error:
        return str(error)
    same_phases, same_tumour = digest(exam.phases) == saved.phases, digest(drawn) == saved.tumour
    state = replace(now, voxels=now.voxels if same_phases else None, tumour=now.tumour if same_tumour else None)
    model = saved.prediction.model.checksum
    inputs = PredictionInputs(state, drawn if same_tumour else (), dict(saved.meaning), model)
    exam = replace(exam, clinical=dict(saved.entered))
    result = Result(exam, saved.prediction, inputs, saved.shown, pack_result(exam, saved.prediction), is_kept=True)
    return Found(result, saved.entered)
