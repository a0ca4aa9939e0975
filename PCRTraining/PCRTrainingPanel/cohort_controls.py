"""The section "Cohort": what is wrong with which patient, as a table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
from PCRPredictorPanel.toolkit.child_process import ChildProcess, last_sentence
from PCRPredictorPanel.toolkit.path_field import follow, path_of
from slicer.i18n import tr as _

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


class CohortControls:
    """Chooses and checks a cohort.

    Args:
        ui: the panel's widgets by name.
        chosen: called when another folder is chosen.
        open_patient: called with the identifier at a double click.
        complain: called with a sentence when something cannot be done.
    """

    def __init__(
        self, ui: Any, chosen: Callable[[], None], open_patient: Callable[[str], None], complain: Callable[[str], None]
    ) -> None:
        self._ui, self._chosen, self._open, self._complain = ui, chosen, open_patient, complain
        self._child = ChildProcess(self._told, self._ended)
        self.patients: list[str] = []  # in the cohort's order, known after a check
        table = ui.cohortTable
        table.setColumnCount(len(COLUMNS))
        table.setHorizontalHeaderLabels(list(COLUMNS.values()))
        table.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
        table.setSelectionBehavior(qt.QAbstractItemView.SelectRows)
        table.connect("cellDoubleClicked(int,int)", self._open_row)
        follow(ui.cohortPath, self._choose)
        ui.checkButton.connect("clicked(bool)", self.check)
        ui.checkCancelButton.connect("clicked(bool)", lambda *_args: self._child.cancel())

    @property
    def folder(self) -> Path | None:
        """The cohort's folder, None without one."""
        return path_of(self._ui.cohortPath)

    @property
    def checking(self) -> bool:
        """Whether a check is going on."""
        return self._child.running

    def check(self, *_args: object) -> None:
        """Read every patient in a process of its own."""
        if self.folder is None:
            return
        self.patients.clear()
        self._ui.cohortTable.setSortingEnabled(False)
        self._ui.cohortTable.setRowCount(0)
        self._ui.cohortLabel.text = _("Reading...")
        self._child.start(["check", str(self.folder)], COMMANDS)
        self.update()

    def close(self) -> None:
        """End the child."""
        self._child.close()

    def update(self) -> None:
        """Which buttons can be used."""
        self._ui.checkButton.enabled = self.folder is not None and not self.checking
        self._ui.checkCancelButton.enabled = self.checking

    def show_reviews(self) -> None:
        """Note in the table who was reviewed by whom."""
        from PCRPredictorLib.errors import DataError
        from PCRTrainingLib.cohort.review import read_reviews

        try:
            reviews = read_reviews(self.folder) if self.folder is not None else {}
        except DataError as error:
            self._complain(str(error))
            return
        table, names = self._ui.cohortTable, list(COLUMNS)
        was_sorted = table.sortingEnabled
        table.setSortingEnabled(False)
        for row in range(table.rowCount):
            review = reviews.get(table.item(row, 0).text())
            if review is not None:
                self._set(row, names.index("reviewed"), f"{review.who} {review.when[:10]}")
                if review.mask:
                    self._set(row, names.index("mask"), "reviewed")
        table.setSortingEnabled(was_sorted)

    def _choose(self, *_args: object) -> None:
        self.patients.clear()
        self._ui.cohortTable.setRowCount(0)
        self._ui.cohortLabel.text = ""
        self.update()
        self._chosen()

    def _told(self, event: dict) -> None:
        if event["event"] != "checked":
            return
        table = self._ui.cohortTable
        self.patients.append(str(event["patient_id"]))
        row = table.rowCount
        table.setRowCount(row + 1)
        for column, name in enumerate(COLUMNS):
            self._set(row, column, str(event.get(name, "")))
        self._ui.cohortLabel.text = _("{count} patients read").format(count=len(self.patients))

    def _set(self, row: int, column: int, text: str) -> None:
        self._ui.cohortTable.setItem(row, column, qt.QTableWidgetItem(text))

    def _ended(self, code: int | None, errors: str) -> None:
        table = self._ui.cohortTable
        if code is None:
            self._ui.cohortLabel.text = _("Cancelled.")
        elif code in (0, 1) and not errors:
            column = list(COLUMNS).index("problem")
            good = sum(not table.item(row, column).text() for row in range(table.rowCount))
            text = _("{good} of {all} patients can be used for training.")
            self._ui.cohortLabel.text = text.format(good=good, all=table.rowCount)
            self.show_reviews()
            table.setSortingEnabled(True)
            table.resizeColumnsToContents()
        else:
            self._ui.cohortLabel.text = last_sentence(errors, code)
            self._complain(self._ui.cohortLabel.text)
        self.update()
        self._chosen()

    def _open_row(self, row: int, _column: int) -> None:
        self._open(self._ui.cohortTable.item(row, 0).text())
