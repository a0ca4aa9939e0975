"""A patient's label, entered below the table of the cohort; it is kept beside the cohort's table."""

from __future__ import annotations

from functools import partial
from typing import Any

from PCRPredictorLib.reading.labels import WORDS
from PCRPredictorPanel.toolkit.background import Background
from PCRTrainingLib.cohort.labels import Change, enter_label, undo_label
from slicer.i18n import tr as _

from .cohort_controls import CohortControls, ShowError

ANSWERS = {"yes": _("pCR: yes"), "no": _("pCR: no"), "unknown": _("pCR: unknown")}
_SHOWN = {WORDS[1]: "1", WORDS[0]: "0", WORDS[None]: ""}  # as the table shows labels


class LabelControls:
    """Enters labels, and takes them back.

    Args:
        ui: the panel's widgets by name.
        cohort: whose table is shown.
        background: reads and writes the cohort.
        show_error: called with a sentence when something cannot be done.
    """

    def __init__(self, ui: Any, cohort: CohortControls, background: Background, show_error: ShowError) -> None:
        self._ui, self._cohort, self._background, self._show_error = ui, cohort, background, show_error
        for key, text in ANSWERS.items():
            ui.labelSelector.addItem(text, key)
        ui.labelButton.connect("clicked(bool)", self.enter)
        ui.undoLabelButton.connect("clicked(bool)", self.undo)
        ui.cohortTable.connect("itemSelectionChanged()", self.update)

    def enter(self, *_args: object) -> None:
        """Enter the chosen label for the selected patient."""
        patient, folder = self._cohort.selected, self._cohort.folder
        if patient is None or folder is None:
            return
        work = partial(enter_label, folder, patient, self._ui.labelSelector.currentData, self._ui.reviewerEdit.text)
        self._background.start(work, self._show, self._report_failure)

    def undo(self, *_args: object) -> None:
        """Take the last entry back."""
        if self._cohort.folder is not None:
            self._background.start(partial(undo_label, self._cohort.folder), self._show, self._report_failure)

    def update(self, *_args: object) -> None:
        """Enable the buttons that can be used now."""
        self._ui.labelButton.enabled = self._cohort.selected is not None
        self._ui.undoLabelButton.enabled = self._cohort.folder is not None

    def _show(self, change: Change) -> None:
        self._cohort.change_rows({change.patient_id: {"label": _SHOWN[change.now]}})
        text = _("{patient}: pCR {now}, before {before}. Kept beside the table; training reads it from now on.")
        self._ui.cohortLabel.text = text.format(patient=change.patient_id, now=change.now, before=change.before)

    def _report_failure(self, error: Exception) -> None:
        self._show_error(error)
