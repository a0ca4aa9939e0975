"""The section "Cohort": a table of the patients, with the problem of each that cannot be used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PCRPredictorLib.errors import DataError
from PCRPredictorLib.reading.cohort import find_patients
from PCRPredictorPanel.toolkit.child_process import ChildProcess, last_sentence
from PCRPredictorPanel.toolkit.messages import trace_in
from PCRPredictorPanel.toolkit.path_field import follow, path_of, remember, used
from PCRPredictorPanel.toolkit.table import Table
from PCRTrainingLib.cohort.review import describe_reviews
from slicer.i18n import tr as _

from .patient_links import show_linked

COLUMNS = {
    "patient_id": _("Patient"),
    "label": _("pCR"),
    "site": _("Site"),
    "phases": _("Phases"),
    "mask": _("Mask"),
    "reviewed": _("Reviewed"),
    "problem": _("Problem"),
}
COMMANDS = "PCRTrainingLib.command_line"
ShowError = Callable[..., None]  # called with a sentence or an error, and with details to be copied


class CohortControls:
    """Chooses and checks a cohort.

    Args:
        ui: the panel's widgets by name.
        changed: called when a different folder is chosen, or its patients are known.
        open_patient: called with the identifier at a double click, or at a click on the problem.
        show_error: called with a sentence when something cannot be done.
    """

    def __init__(
        self,
        ui: Any,
        changed: Callable[[], None],
        open_patient: Callable[[str], None],
        show_error: ShowError,
    ) -> None:
        self._ui, self._changed, self._show_error = ui, changed, show_error
        self._child = ChildProcess(self._add_row, self._end)
        self._describer = ChildProcess(lambda _event: None, self._end_describing, self._add_line)
        self._found: list[str] = []  # lines of the description
        self.patients: list[str] = []  # in the order of the cohort, known after a check
        self._table = Table(ui.cohortTable, COLUMNS, open_patient, link="problem")
        self._more = Table(ui.moreCohortsTable, {"folder": _("More cohorts of the run")}, self.remove_cohort)
        ui.addCohortButton.connect("clicked(bool)", self.add_cohort)
        remember(ui.cohortPath, "Cohort")
        remember(ui.moreCohortPath, "Cohort")
        follow(ui.moreCohortPath, self._choose_more)
        follow(ui.cohortPath, self._choose)
        ui.checkButton.connect("clicked(bool)", self.check)
        ui.describeButton.connect("clicked(bool)", self.describe)
        ui.checkCancelButton.connect("clicked(bool)", lambda *_args: self._child.cancel())

    @property
    def folder(self) -> Path | None:
        """The cohort's folder, None if not chosen yet."""
        return path_of(self._ui.cohortPath)

    @property
    def folders(self) -> tuple[Path, ...]:
        """All cohorts of a run: the first one, then those that were added."""
        first = [self.folder] if self.folder is not None else []
        return *first, *map(Path, self._more.column("folder"))

    def select(self, patient_id: str) -> None:
        """Select the row of a patient in the table, if it has one."""
        self._table.select(patient_id)

    def show_linked(self, label: Any, text: str) -> None:
        """Show a message in a label, with the patients that it names as links."""
        try:
            named = self.patients or [patient.patient_id for patient in find_patients(self.folder)]
        except (DataError, TypeError):  # no cohort, or none that can be read
            named = []
        show_linked(label, text, named)

    @property
    def selected(self) -> str | None:
        """The patient whose row is selected in the table, None without."""
        row = self._ui.cohortTable.currentRow()
        names = self._table.column("patient_id")
        return names[row] if 0 <= row < len(names) else None

    @property
    def checking(self) -> bool:
        """Whether a check is going on, or a description."""
        return self._child.running or self._describer.running

    def check(self, *_args: object) -> None:
        """Read every patient in a process of its own."""
        if self.folder is None:
            return
        used(self._ui.cohortPath)
        self.patients.clear()
        self._table.clear()
        self._ui.cohortLabel.text = _("Reading...")
        self._child.start(["check", str(self.folder)], COMMANDS)
        self.update()

    def describe(self, *_args: object) -> None:
        """Write a `cohort.json` for the folder, in a process of its own, and show what was found."""
        if self.folder is None:
            return
        self._found.clear()
        self._ui.cohortLabel.text = _("Looking at the folder...")
        self._describer.start(["init", str(self.folder)], COMMANDS)
        self.update()

    def close(self) -> None:
        """End the check."""
        self._child.close()
        self._describer.close()

    def update(self) -> None:
        """Enable the buttons that can be used now."""
        self._ui.checkButton.enabled = self.folder is not None and not self.checking
        self._ui.describeButton.enabled = self._ui.checkButton.enabled
        self._ui.checkCancelButton.enabled = self._child.running
        self._ui.moreCohortsTable.setVisible(len(self._more) > 0)

    def add_cohort(self, *_args: object) -> None:
        """Add the folder in the field to the cohorts of the run."""
        folder = path_of(self._ui.moreCohortPath)
        if folder is not None and folder not in self.folders:
            used(self._ui.moreCohortPath)
            self._more.add({"folder": folder})
            self._more.finish()
        self._ui.moreCohortPath.currentPath = ""
        self._changed()

    def remove_cohort(self, folder: str) -> None:
        """Take an added cohort away."""
        kept = [each for each in self._more.column("folder") if each != folder]
        self._more.clear()
        for each in kept:
            self._more.add({"folder": each})
        self._more.finish()
        self._changed()

    def change_rows(self, rows: dict[str, dict[str, object]]) -> None:
        """Fill cells of the table, by patient."""
        self._table.change(rows)

    def show_reviews(self) -> None:
        """Show in the table who reviewed which patient."""
        try:
            self._table.change(describe_reviews(self.folder) if self.folder is not None else {})
        except DataError as error:
            self._show_error(error)

    def _choose_more(self, *_args: object) -> None:
        self._ui.addCohortButton.enabled = path_of(self._ui.moreCohortPath) is not None

    def _choose(self, *_args: object) -> None:
        self.patients.clear()
        self._table.clear()
        self._ui.cohortLabel.text = ""
        self.update()
        self._changed()

    def _add_row(self, event: dict) -> None:
        if event["event"] != "checked":
            return
        self.patients.append(str(event["patient_id"]))
        self._table.add(event)
        self._ui.cohortLabel.text = _("{count} patients read").format(count=len(self._table))

    def _add_line(self, line: str) -> None:
        self._found.append(line.strip())

    def _end_describing(self, code: int | None, errors: str) -> None:
        self._ui.cohortLabel.text = "\n".join(self._found) if code == 0 else last_sentence(errors, code or 0)
        if code != 0:
            self._show_error(self._ui.cohortLabel.text, trace_in(errors))
        self.update()

    def _end(self, code: int | None, errors: str) -> None:
        if code is None:
            self._ui.cohortLabel.text = _("Cancelled.")
        elif code in (0, 1) and not errors:
            good = self._table.column("problem").count("")
            text = _("{good} of {all} patients can be used for training.")
            self._ui.cohortLabel.text = text.format(good=good, all=len(self._table))
            self.show_reviews()
            self._table.finish(sortable=True)
        else:
            self._ui.cohortLabel.text = last_sentence(errors, code)
            self._show_error(self._ui.cohortLabel.text, trace_in(errors))
        self.update()
        self._changed()
