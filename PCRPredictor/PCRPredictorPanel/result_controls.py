"""The section "Result": the prediction in words, the decision at an operating point, saving."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import qt
import slicer
from PCRPredictorLib.exam import Exam
from PCRPredictorLib.model.bundle import Bundle
from PCRPredictorLib.prediction import OperatingPoint, Prediction
from PCRPredictorLib.report import wording
from slicer.i18n import tr as _

from .toolkit.background import Background


@dataclass(frozen=True)
class Result:
    """A prediction, the exam it was made of, and what it was asked of, as `PCRPredictorWidget.asked` gives it."""

    exam: Exam
    prediction: Prediction
    asked: tuple


class ResultControls:
    """Says what a prediction found, and saves it.

    Args:
        ui: the panel's widgets by name.
        background: where files are written.
        changed: called when saving begins and ends.
        complain: called with a sentence when something cannot be done.
    """

    def __init__(
        self, ui: Any, background: Background, changed: Callable[[], None], complain: Callable[[str], None]
    ) -> None:
        self._ui, self._background, self._changed, self._complain = ui, background, changed, complain
        self._bundle: Bundle | None = None
        self.shown: Result | None = None
        ui.pointSelector.connect("currentIndexChanged(int)", self._show_decision)
        ui.saveButton.connect("clicked(bool)", self._save)
        ui.saveSceneButton.connect("clicked(bool)", self._save_scene)

    def offer_points(self, bundle: Bundle | None) -> None:
        """List the operating points of the model that is chosen."""
        self._bundle = bundle
        self._ui.pointSelector.clear()
        for point in bundle.settings.operating_points if bundle is not None else ():
            self._ui.pointSelector.addItem(point.name, point.name)

    def show(self, result: Result) -> None:
        """Put a prediction into words."""
        self.shown = result
        prediction = result.prediction
        self._ui.probabilityLabel.text = wording.describe_probability(prediction, _)
        self._ui.imageLabel.text = wording.describe_image_alone(prediction, _)
        self._ui.attentionLabel.text = wording.describe_attention(prediction, _)
        self._ui.warningLabel.text = wording.describe_warnings(prediction, _)
        self._show_decision()

    def clear(self) -> None:
        """Say nothing any more."""
        self.shown = None
        self._ui.probabilityLabel.text = _("No prediction yet.")
        for name in ("decisionLabel", "imageLabel", "attentionLabel", "warningLabel"):
            getattr(self._ui, name).text = ""

    def update(self) -> None:
        """Which buttons can be used, and why not."""
        self._ui.saveButton.enabled = self._ui.saveSceneButton.enabled = self.shown is not None
        self._ui.dicomCheck.enabled = self._from_dicom
        self._ui.dicomCheck.toolTip = (
            _("Segmentation, parametric map and structured report beside the result.")
            if self._from_dicom
            else _("Only of an exam whose volumes were loaded from Slicer's DICOM database.")
        )

    def save_into(self, folder: Path) -> None:
        """The files of `pcr predict` at the chosen operating point, off this thread; the scene has its own button."""
        from PCRPredictorLib.outputs import write_prediction  # needs packages that Slicer lacks when the panel opens

        exam, prediction, point = self.shown.exam, self.shown.prediction, self._point()
        if point is not None:
            prediction = replace(prediction, operating_point=point)
        said = _("Saved in {folder}").format(folder=folder)
        dicom = self._ui.dicomCheck.checked and self._from_dicom

        def done(_nothing: object) -> None:
            self._ui.statusLabel.text = said
            self._changed()

        def failed(error: Exception) -> None:
            self._complain(str(error))
            self._changed()

        work = partial(write_prediction, exam, prediction, folder, scene=False, dicom=dicom)
        self._background.start(work, done, failed)
        self._changed()

    @property
    def _from_dicom(self) -> bool:
        return self.shown is not None and bool(self.shown.exam.provenance.files)

    def _point(self) -> OperatingPoint | None:
        """The chosen operating point; None where it is another model's than that of the prediction."""
        name = self._ui.pointSelector.currentData
        same = self.shown is not None and name and self._bundle.checksum == self.shown.prediction.model.checksum
        return self._bundle.operating_point(name) if same else None

    def _show_decision(self, *_args: object) -> None:
        """What the chosen operating point makes of the probability."""
        point = self._point()
        decision = wording.describe_decision(self.shown.prediction, point, _) if point is not None else ""
        self._ui.decisionLabel.text = decision

    def _save(self, *_args: object) -> None:
        folder = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), _("Folder for the result"))
        if folder:
            self.save_into(Path(folder) / "pcr-result")

    def _save_scene(self, *_args: object) -> None:
        path = qt.QFileDialog.getSaveFileName(slicer.util.mainWindow(), _("Scene"), "scene.mrb", "*.mrb")
        if path and not path.endswith(".mrb"):
            path += ".mrb"  # Slicer would make a folder
        if path and not slicer.util.saveScene(path):
            self._complain(_("{path}: the scene cannot be written; choose another place.").format(path=path))
