"""The button "Predict" and the sections "Result" and "Save"."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import qt
import slicer
from PCRPredictorLib.session.activity import Activity
from PCRPredictorLib.session.session import Session
from slicer.i18n import tr as _

from ..dependencies import HIGHDICOM, offer
from ..node_scene import NodeScene
from ..toolkit.messages import show_problem
from ..toolkit.plain_text import literal

_TEXTS = ("probability", "decision", "evidence", "image", "matter", "attention", "warning")


class ResultControls:
    """Starts a prediction, shows it in words, and saves it.

    Args:
        ui: the panel's widgets by name.
        scene: with the exam, and with results of others.
        session: that predicts.
    """

    def __init__(self, ui: Any, scene: NodeScene, session: Session) -> None:
        self._ui, self._scene, self._session = ui, scene, session
        ui.predictButton.connect("clicked(bool)", lambda *_: session.predict())
        ui.matterButton.connect("clicked(bool)", lambda *_: session.intervene())
        ui.cancelButton.connect("clicked(bool)", lambda *_: session.cancel())
        ui.pointSelector.connect("currentIndexChanged(int)", self._choose_point)
        ui.resultLesionSelector.connect("currentIndexChanged(int)", self._show_lesion)
        ui.keptSelector.connect("activated(int)", self._choose_kept)
        ui.nameCheck.connect("toggled(bool)", self._name)
        ui.dicomCheck.connect("clicked(bool)", self._want_dicom)
        ui.saveButton.connect("clicked(bool)", self._save)
        ui.saveSceneButton.connect("clicked(bool)", self._save_scene)
        session.activity.on_change.append(self.update)
        session.activity.on_problem.append(partial(_show_error, session.activity))

    def update(self) -> None:
        """Show what is running, the result, and what can be done."""
        ui, problem = self._ui, self._session.problem()
        ui.predictButton.enabled = problem is None
        ui.predictButton.toolTip = literal(problem) or _("Predict the response and show the attention.")
        doing = bool(self._session.activity.doing)
        ui.reasonLabel.text = "" if doing else problem or ""
        ui.reasonLabel.visible = bool(ui.reasonLabel.text)
        ui.cancelButton.enabled = ui.progressBar.visible = doing
        ui.statusLabel.text = self._session.status
        ui.statusLabel.visible = bool(ui.statusLabel.text)
        words = self._session.words
        ui.probabilityLabel.text = words.probability
        ui.decisionLabel.text = "\n".join(filter(None, (words.decision, words.model)))
        ui.evidenceLabel.text, ui.imageLabel.text = words.evidence, words.image_alone
        ui.attentionLabel.text = "\n".join(filter(None, (words.attention, words.measurements, words.name)))
        ui.warningLabel.text = words.warnings
        self._update_matter(words.matters)
        for name in _TEXTS:  # an empty one leaves no gap
            getattr(ui, f"{name}Label").visible = bool(getattr(ui, f"{name}Label").text)
        self._update_lesions(words.lesions)
        self._update_points()
        self._update_kept()
        self._update_save()

    def save_into(self, folder: Path) -> None:
        """Write the files of `pcr predict`; the scene has a button of its own."""
        from PCRPredictorLib.outputs import write_prediction  # needs packages that Slicer lacks when the panel opens

        self._session.save(folder, write_prediction, dicom=self._ui.dicomCheck.checked)

    def _update_matter(self, text: str) -> None:
        """Show what changes of the picture do, and whether that can be found out."""
        ui, session = self._ui, self._session
        waits = _("Predict first.") if session.result is None else _("Wait until the running work is done.")
        ui.matterButton.enabled = session.result is not None and not session.activity.doing
        ui.matterButton.toolTip = (
            _("Erase the tumour, an equal patch elsewhere, and swap the background: how far does the probability move?")
            if ui.matterButton.enabled
            else waits
        )
        ui.matterLabel.text = text

    def _update_lesions(self, lines: Sequence[str]) -> None:
        selector, result = self._ui.resultLesionSelector, self._session.result
        before = selector.blockSignals(True)
        if [selector.itemText(k) for k in range(selector.count)] != list(lines):
            selector.clear()
            selector.addItems(list(lines))
        selector.setCurrentIndex(result.shown if result is not None and lines else -1)
        selector.blockSignals(before)
        selector.visible = bool(lines)

    def _show_lesion(self, number: int) -> None:
        self._session.show_lesion(number)

    def _update_points(self) -> None:
        selector, model = self._ui.pointSelector, self._session.model
        names = [point.name for point in model.points]
        before = selector.blockSignals(True)
        if [selector.itemText(k) for k in range(selector.count)] != names:
            selector.clear()
            selector.addItems(names)
        selector.setCurrentIndex(names.index(model.point.name) if model.point is not None else -1)
        selector.blockSignals(before)

    def _update_save(self) -> None:
        result = self._session.result
        is_from_dicom = result is not None and result.is_from_dicom
        self._ui.saveButton.enabled = self._ui.saveSceneButton.enabled = result is not None
        self._ui.dicomCheck.enabled = is_from_dicom
        self._ui.dicomCheck.toolTip = (
            _("Also write segmentation, parametric map and structured report as DICOM.")
            if is_from_dicom
            else _("Only for an exam that was loaded from Slicer's DICOM database.")
        )

    def _update_kept(self) -> None:
        """List the results in the scene if there are several, or one that is not of the chosen exam."""
        selector, found = self._ui.keptSelector, self._scene.results.list()
        volumes = self._scene.volumes
        self._scene.results.show_only(volumes, self._scene.segmentation)
        shown = [key for key, _line in found if self._scene.results.exam_of(key)[:3] == volumes]
        before = selector.blockSignals(True)
        if [(selector.itemData(k), selector.itemText(k)) for k in range(selector.count)] != found:
            selector.clear()
            for key, line in found:
                selector.addItem(line, key)
        selector.setCurrentIndex(selector.findData(shown[0]) if shown else -1)
        selector.blockSignals(before)
        self._ui.keptSelector.visible = self._ui.keptLabel.visible = len(found) > len(shown)

    def _choose_kept(self, *_args: object) -> None:
        self._scene.choose_result(self._ui.keptSelector.currentData)

    def _name(self, named: bool) -> None:
        self._session.named = named

    def _want_dicom(self, wanted: bool) -> None:
        """Offer the package that DICOM objects need when they are first wanted."""
        if wanted:
            self._ui.dicomCheck.checked = offer_dicom(self._session.activity)

    def _choose_point(self, *_args: object) -> None:
        self._session.choose_point(self._ui.pointSelector.currentText)

    def _save(self, *_args: object) -> None:
        folder = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), _("Folder for the result"))
        if folder:
            self.save_into(Path(folder) / "pcr-result")

    def _save_scene(self, *_args: object) -> None:
        path = qt.QFileDialog.getSaveFileName(slicer.util.mainWindow(), _("Scene"), "scene.mrb", "*.mrb")
        if path and not path.endswith(".mrb"):
            path += ".mrb"  # Slicer would make a folder
        if path and not slicer.util.saveScene(path):
            problem = _("{path}: the scene cannot be written; choose a different folder.").format(path=path)
            self._session.activity.report_problem(problem)


def offer_dicom(activity: Activity) -> bool:
    """Return whether DICOM objects can be written; offer the package for it if it is missing, report if that fails."""
    try:
        return offer(HIGHDICOM, _("DICOM objects need one more Python package."))
    except RuntimeError as error:
        activity.report_problem(str(error))
        return False


def _show_error(activity: Activity, sentence: str) -> None:
    """Show what went wrong, with what can be copied into a report; "" is that it is no news any more."""
    if sentence:
        show_problem(sentence, _("PCR Predictor"), activity.details)
