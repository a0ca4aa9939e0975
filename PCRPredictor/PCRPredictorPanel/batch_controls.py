"""The section "Batch": a whole cohort in a child process, with a table that fills as it goes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from .toolkit.child_process import ChildProcess, last_sentence
from .toolkit.path_field import follow, path_of
from .toolkit.table import Table

COLUMNS = {
    "patient_id": _("Patient"),
    "probability": _("Probability"),
    "decision": _("Decision"),
    "attention_in_tumour": _("Attention in tumour"),
    "error": _("Problem"),
}


class BatchControls:
    """Predicts a cohort.

    Args:
        ui: the panel's widgets by name.
        model: gives the folder of the chosen model, None without one.
        open_patient: called with cohort and patient at a double click.
        complain: called with a sentence when something cannot be done.
    """

    def __init__(
        self,
        ui: Any,
        model: Callable[[], Path | None],
        open_patient: Callable[[Path, str], None],
        complain: Callable[[str], None],
    ) -> None:
        self._ui, self._model, self._complain = ui, model, complain
        self._child = ChildProcess(self._told, self._ended)
        self._cohort, self._result, self._before, self._count = Path(), Path(), 0.0, 0
        self._table = Table(ui.batchTable, COLUMNS, lambda patient: open_patient(self._cohort, patient))
        for path in (ui.cohortPath, ui.batchOutPath):
            follow(path, self.update)
        ui.batchButton.connect("clicked(bool)", self.start)
        ui.batchCancelButton.connect("clicked(bool)", lambda *_: self._child.cancel())
        self.update()

    @property
    def running(self) -> bool:
        """Whether a cohort is being predicted."""
        return self._child.running

    def update(self, *_args: object) -> None:
        """Which buttons can be used, and why not."""
        problem = self._problem()
        self._ui.batchButton.enabled = problem is None and not self.running
        self._ui.batchButton.toolTip = problem or _("Predict every patient of the cohort.")
        self._ui.batchCancelButton.enabled = self.running

    def start(self, *_args: object) -> None:
        """Predict the chosen cohort."""
        if self._problem() is not None:
            return
        self._cohort, self._count = path_of(self._ui.cohortPath), 0
        self._table.clear()
        self._ui.batchStatusLabel.text = _("Starting...")
        out, model = path_of(self._ui.batchOutPath), self._model()
        self._result = out / "predictions.csv"
        self._before = self._written()
        self._child.start(["predict", "--cohort", str(self._cohort), "--model", str(model), "--out", str(out)])
        self.update()

    def close(self) -> None:
        """End the child."""
        self._child.close()

    def _problem(self) -> str | None:
        if path_of(self._ui.cohortPath) is None:
            return _("Choose the folder of a cohort.")
        if path_of(self._ui.batchOutPath) is None:
            return _("Choose a new folder for the results.")
        return _("Choose a model.") if self._model() is None else None

    def _told(self, event: dict) -> None:
        if event["event"] == "patients":
            self._count = int(event["count"])
        elif event["event"] == "patient":
            self._table.add(event)
        text = _("{done} of {count} patients")
        self._ui.batchStatusLabel.text = text.format(done=len(self._table), count=self._count)

    def _ended(self, code: int | None, errors: str) -> None:
        if code is None and self._written() == self._before:
            self._ui.batchStatusLabel.text = _("Cancelled; nothing was written.")
        elif not code:  # also where the cancel came too late
            self._ui.batchStatusLabel.text = _("Done: {path}").format(path=self._result)
        else:
            self._ui.batchStatusLabel.text = last_sentence(errors, code)
            self._complain(self._ui.batchStatusLabel.text)
        self.update()

    def _written(self) -> float:
        """When the result was written; 0 where there is none."""
        return self._result.stat().st_mtime if self._result.is_file() else 0.0
