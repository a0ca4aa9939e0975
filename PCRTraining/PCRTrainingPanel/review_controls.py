"""The section "Review": patient by patient, the mask is edited and saved beside the expert's, or accepted."""

from __future__ import annotations

import getpass
from functools import partial
from typing import Any

import qt
import slicer
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Exam
from PCRPredictorLib.finding.grow import grow_tumour
from PCRPredictorLib.mrml.display import subtract_nodes
from PCRPredictorLib.mrml.exam import geometry_of, phases_from_nodes, segment_array
from PCRPredictorLib.mrml.nodes import add_exam, add_phases, remove, show_overlay
from PCRPredictorLib.mrml.segments import Tumour, add_empty_segmentation, put_segments
from PCRPredictorLib.reading.cohort import find_patient, read_patient
from PCRPredictorPanel.toolkit.background import Background
from PCRPredictorPanel.toolkit.one_click import OneClick
from PCRPredictorPanel.toolkit.plain_text import literal
from PCRPredictorPanel.toolkit.segment_editor import SegmentEditor
from PCRTrainingLib.cohort.review import mark_reviewed, next_unreviewed, save_mask
from slicer.i18n import tr as _

from .cohort_controls import CohortControls, ShowError

SHORTCUTS = {  # Slicer itself has others, such as Ctrl+S
    "previousButton": "Ctrl+Left",
    "nextButton": "Ctrl+Right",
    "saveMaskButton": "Ctrl+Shift+M",
    "acceptButton": "Ctrl+Return",
}


class ReviewControls:
    """Opens patients and saves the reviewer's masks and decisions.

    Args:
        ui: the panel's widgets by name.
        cohort: to review.
        background: reads exams and writes masks.
        show_error: called with a sentence when something cannot be done.
    """

    def __init__(self, ui: Any, cohort: CohortControls, background: Background, show_error: ShowError) -> None:
        self._ui, self._cohort, self._background, self._show_error = ui, cohort, background, show_error
        self.patient_id = ""
        self.nodes: dict[str, Any] = {}
        self._editor = SegmentEditor(ui.editorFrame, ui.editButton, self._choose_edited)
        self._click = OneClick(ui.clickButton, self._grow)
        ui.reviewerEdit.text = getpass.getuser()
        ui.previousButton.connect("clicked(bool)", lambda *_args: self._step(-1))
        ui.nextButton.connect("clicked(bool)", lambda *_args: self._step(1))
        ui.nextOpenButton.connect("clicked(bool)", self._open_unreviewed)
        ui.saveMaskButton.connect("clicked(bool)", self.save)
        ui.acceptButton.connect("clicked(bool)", self.accept)
        self._shortcuts: list[Any] = []
        self.enter()

    def open(self, patient_id: str) -> None:
        """Load a patient into the scene, in place of the previous one."""
        folder = self._cohort.folder

        def read() -> Any:
            return read_patient(find_patient(folder, patient_id), need_mask=False)

        self._ui.patientLabel.text = _("Opening {patient}...").format(patient=patient_id)
        self._background.start(read, partial(self._show, patient_id), self._report_failure)

    def save(self, *_args: object) -> None:
        """Write the mask into the cohort, beside the expert's."""
        segmentation = self.nodes["segmentation"]
        geometry = geometry_of(self.nodes["pre"])
        try:
            mask = segment_array(segmentation, segmentation.GetSegmentation().GetNthSegmentID(0), geometry)
        except DataError as error:
            self._show_error(error)
            return
        work = partial(save_mask, self._cohort.folder, self.patient_id, mask, geometry, self._ui.reviewerEdit.text)
        note = _("{patient}: mask saved.").format(patient=self.patient_id)
        self._background.start(work, lambda _path: self._show_note(note), self._report_failure)

    def accept(self, *_args: object) -> None:
        """Record that the mask is good as it is."""
        work = partial(mark_reviewed, self._cohort.folder, self.patient_id, self._ui.reviewerEdit.text)
        note = _("{patient}: reviewed.").format(patient=self.patient_id)
        self._background.start(work, lambda _review: self._show_note(note), self._report_failure)

    def release(self) -> None:
        """Give views and mouse back to Slicer."""
        self._click.release()
        self._editor.release()

    def leave(self) -> None:
        """Give the keyboard back, too, for a different module."""
        self.release()
        for shortcut in self._shortcuts:
            shortcut.enabled = False
            shortcut.deleteLater()  # else it outlives a reload of the module, as the main window is its parent
        self._shortcuts = []

    def enter(self) -> None:
        """Take the keyboard: this module is in front."""
        if self._shortcuts:
            return
        for name, keys in SHORTCUTS.items():
            shortcut = qt.QShortcut(qt.QKeySequence(keys), slicer.util.mainWindow() or self._ui.reviewerEdit)
            shortcut.connect("activated()", getattr(self._ui, name).click)
            self._shortcuts.append(shortcut)

    def forget(self) -> None:
        """Forget the patient: the scene was closed, or a different cohort was chosen."""
        self.patient_id, self.nodes = "", {}
        self._ui.patientLabel.text = _("No patient is open.")
        self.update()

    def update(self) -> None:
        """Enable the buttons that can be used now."""
        listed = bool(self._cohort.patients)
        for name in ("previousButton", "nextButton", "nextOpenButton"):
            getattr(self._ui, name).enabled = listed
        for name in ("clickButton", "editButton", "saveMaskButton", "acceptButton"):
            getattr(self._ui, name).enabled = bool(self.patient_id)

    def _show(self, patient_id: str, exam: Any) -> None:
        self.release()
        for node in self.nodes.values():
            remove(node)
        has_mask = exam.has_tumour
        self.nodes = (add_exam if has_mask else add_phases)(slicer.mrmlScene, exam)
        if not has_mask:
            self.nodes["segmentation"] = add_empty_segmentation(slicer.mrmlScene, self.nodes["early"])
        self.patient_id = patient_id
        show_overlay(slicer.mrmlScene, self.nodes["early"], None, exam.centre, _field_of_view(exam))
        self._ui.patientLabel.text = patient_id if has_mask else _("{patient}: no mask yet").format(patient=patient_id)
        self.update()

    def _grow(self, position: Any) -> None:
        try:
            (pre, early), geometry = phases_from_nodes({name: self.nodes[name] for name in ("pre", "early")})
        except DataError as error:
            self._show_error(error)
            return
        enhancement = self._ui.enhancementSlider.value / 100
        work = partial(grow_tumour, pre, early, geometry, position, enhancement=enhancement)
        done = partial(self._take_tumour, self.nodes["pre"], geometry)
        self._background.start(work, done, self._show_error)

    def _take_tumour(self, reference: Any, geometry: Any, grown: Any) -> None:
        if self.nodes.get("pre") is not reference:
            return  # a different patient was opened meanwhile
        if not grown.question or slicer.util.confirmYesNoDisplay(literal(grown.question)):
            put_segments(self.nodes["segmentation"], [Tumour.of_mask(grown.mask)], geometry, reference)

    def _choose_edited(self) -> tuple[Any, Any]:
        """Return the segmentation to edit and the volume to show."""
        if "subtraction" not in self.nodes:
            self.nodes["subtraction"] = subtract_nodes(self.nodes["pre"], self.nodes["early"])
        return self.nodes["segmentation"], self.nodes["subtraction"]

    def _step(self, by: int) -> None:
        names = self._cohort.patients
        at = names.index(self.patient_id) + by if self.patient_id in names else 0
        if 0 <= at < len(names):
            self.open(names[at])

    def _open_unreviewed(self, *_args: object) -> None:
        try:
            patient = next_unreviewed(self._cohort.folder, self._cohort.patients, self.patient_id)
        except DataError as error:
            self._show_error(error)
            return
        if patient is not None:
            self.open(patient)
        else:
            self._ui.patientLabel.text = _("Every patient is reviewed.")

    def _show_note(self, note: str) -> None:
        self._ui.patientLabel.text = note
        self._cohort.show_reviews()

    def _report_failure(self, error: Exception) -> None:
        self._ui.patientLabel.text = str(error)
        self._show_error(error)


def _field_of_view(exam: Exam) -> float:
    """Return the mm that the views show: the tumour's surroundings, or everything without a tumour."""
    whole = max(n * s for n, s in zip(exam.geometry.size, exam.geometry.spacing, strict=True))
    return 120.0 if exam.has_tumour else whole
