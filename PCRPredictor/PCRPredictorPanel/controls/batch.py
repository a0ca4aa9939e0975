"""The section "Batch": a whole cohort in a child process, with a table that fills while it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PCRPredictorLib.session.session import Session
from slicer.i18n import tr as _

from ..toolkit.child_process import ChildProcess, last_sentence
from ..toolkit.path_field import follow, path_of, remember, used
from ..toolkit.plain_text import literal
from ..toolkit.table import Table

COLUMNS = {
    "patient_id": _("Patient"),
    "probability": _("Probability"),
    "mask_low": _("Lowest, mask varied"),
    "mask_high": _("Highest, mask varied"),
    "decision": _("Decision"),
    "decision_withheld": _("No decision, as"),
    "attention_in_tumour": _("Attention in tumour"),
    "error": _("Problem"),
    "lesion": _("Lesion"),  # of a patient with several
}


class BatchControls:
    """Predicts a cohort.

    Args:
        ui: the panel's widgets by name.
        session: whose model predicts; a patient of the table is opened in it.
    """

    def __init__(self, ui: Any, session: Session) -> None:
        self._ui, self._session = ui, session
        self._child = ChildProcess(self._on_event, self._on_end)
        self._cohort, self._result, self._before, self._count = Path(), Path(), 0.0, 0
        self._said: list[str] = []  # about what of the cohort is left aside
        self._table = Table(ui.batchTable, COLUMNS, self._open)
        remember(ui.cohortPath, "Cohort", fill=True)
        remember(ui.batchOutPath, "BatchResults")
        for path in (ui.cohortPath, ui.batchOutPath):
            follow(path, self.update)
        ui.batchButton.connect("clicked(bool)", self.start)
        ui.batchCancelButton.connect("clicked(bool)", lambda *_: self._child.cancel())
        session.activity.on_change.append(self.update)

    @property
    def running(self) -> bool:
        """True while a cohort is being predicted."""
        return self._child.running

    def update(self, *_args: object) -> None:
        """Enable the buttons that can be used, and show why the others cannot."""
        problem = self._problem()
        self._ui.batchButton.enabled = problem is None and not self.running
        self._ui.batchButton.toolTip = literal(problem) or _("Predict every patient of the cohort.")
        self._ui.batchCancelButton.enabled = self.running

    def start(self, *_args: object) -> None:
        """Predict the chosen cohort."""
        if self._problem() is not None:
            return
        self._cohort, self._count = path_of(self._ui.cohortPath), 0
        used(self._ui.cohortPath, self._ui.batchOutPath)
        self._table.clear()
        self._said.clear()
        self._ui.batchStatusLabel.text = _("Starting...")
        out = path_of(self._ui.batchOutPath)
        self._result = out / "predictions.csv"
        self._before = self._written()
        words = ["predict", "--cohort", str(self._cohort), "--out", str(out), *self._session.model.words()]
        words += ["--each"] if self._ui.batchEachCheck.checked else []
        self._child.start([*words, "--resume"])  # what is there of the same model and inputs is kept
        self.update()

    def close(self) -> None:
        """End the child."""
        self._child.close()

    def _problem(self) -> str | None:
        if path_of(self._ui.cohortPath) is None:
            return _("Choose the folder of a cohort.")
        if path_of(self._ui.batchOutPath) is None:
            return _("Choose a new folder for the results.")
        return _("Choose a model.") if self._session.model.bundle is None else None

    def _open(self, patient: str) -> None:
        from PCRPredictorLib.reading.sources import find_source

        cohort = self._cohort
        self._session.open(lambda: find_source(cohort, patient).read(), patient)

    def _on_event(self, event: dict) -> None:
        if event["event"] == "patients":
            self._count = int(event["count"])
        elif event["event"] == "patient":
            self._table.add(event)
        elif event["event"] == "said":
            self._said.append(event["text"])
        text = _("{done} of {count} patients")
        self._show(text.format(done=len(set(self._table.column("patient_id"))), count=self._count))

    def _on_end(self, code: int | None, errors: str) -> None:
        if code is None and self._written() == self._before:
            done = len(set(self._table.column("patient_id")))
            kept = _("Cancelled; {count} patients are kept, start again to go on.").format(count=done)
            self._show(kept if done else _("Cancelled; nothing was written."))
        elif not code:  # also if the cancel came too late
            self._show(_("Done: {path}").format(path=self._result))
        else:
            self._ui.batchStatusLabel.text = last_sentence(errors, code)
            self._session.activity.report_problem(self._ui.batchStatusLabel.text)
        self.update()

    def _show(self, state: str) -> None:
        """Show how far it is, and what of the cohort is left aside."""
        self._ui.batchStatusLabel.text = "\n".join([state, *self._said])

    def _written(self) -> float:
        """Return when the result was written; 0 if there is none."""
        return self._result.stat().st_mtime if self._result.is_file() else 0.0
