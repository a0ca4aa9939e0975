"""The section "Run": `pcr train` or `pcr experiment` as a child process, followed while it runs."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
from PCRPredictorLib.errors import DataError
from PCRPredictorPanel.toolkit.child_process import ChildProcess, last_sentence
from PCRPredictorPanel.toolkit.messages import trace_in
from PCRPredictorPanel.toolkit.path_field import follow, path_of, remember, used
from PCRPredictorPanel.toolkit.plain_text import literal, show_text
from PCRTrainingLib.charts import training_charts
from PCRTrainingLib.run_folder import RunFolder
from PCRTrainingLib.run_plan import Estimate, RunPlan, StageProgress
from PCRTrainingLib.training_choices import TrainingChoices, split_columns
from slicer.i18n import tr as _

from .cohort_controls import COMMANDS, CohortControls, ShowError
from .plot_charts import plot_charts, show_charts
from .settings_form import SettingsForm
from .start_up import TRAINING_LAYOUT

KINDS = {"train": _("Train the curriculum"), "experiment": _("Compare with all baselines")}
_REFRESH_S = 1.0
_MOST_LOG_LINES = 2000
_LOOK_AGAIN_MS = 500


class RunControls:
    """Starts, cancels, resumes and shows a run.

    Args:
        ui: the panel's widgets by name.
        cohort: to train on.
        settings: of a new run.
        changed: called when a run has started or ended, or a different run folder is chosen.
        show_error: called with a sentence when something cannot be done.
    """

    def __init__(
        self,
        ui: Any,
        cohort: CohortControls,
        settings: SettingsForm,
        changed: Callable[[], None],
        show_error: ShowError,
    ) -> None:
        self._ui, self._cohort, self._settings = ui, cohort, settings
        self._changed, self._show_error = changed, show_error
        self._child = ChildProcess(self._follow, self._end, self._log)
        self._estimator = ChildProcess(self._show_estimate, self._end_estimate)
        self._config: Path | None = None
        self._progress, self._refreshed = StageProgress(), 0.0
        for key, text in KINDS.items():
            ui.kindSelector.addItem(text, key)
        remember(ui.runPath, "Run")
        remember(ui.rowsPath, "Rows")
        follow(ui.runPath, self._choose)
        ui.startButton.connect("clicked(bool)", lambda *_args: self.start())
        ui.resumeButton.connect("clicked(bool)", lambda *_args: self.start(resume=True))
        ui.cancelButton.connect("clicked(bool)", self.cancel)
        ui.estimateButton.connect("clicked(bool)", self.estimate)
        ui.chartsButton.connect("clicked(bool)", self.show_charts)
        ui.logCheck.connect("toggled(bool)", ui.logText.setVisible)
        ui.kindSelector.connect("currentIndexChanged(int)", lambda *_args: self._changed())
        ui.leaveSiteOutCheck.connect("toggled(bool)", lambda *_args: self._changed())
        ui.sitesEdit.connect("textChanged(QString)", lambda *_args: self._changed())
        follow(ui.rowsPath, lambda *_args: self._changed())

    @property
    def plan(self) -> RunPlan:
        """What is chosen now, and what can be done with it."""
        folder, problem = path_of(self._ui.runPath), self._settings.problem or self.choices.problem
        return RunPlan(self._cohort.folder, folder, problem, self.running, _)

    @property
    def choices(self) -> TrainingChoices:
        """What is chosen beside the settings."""
        ui = self._ui
        sites = split_columns(ui.sitesEdit.text)
        start, rows = ui.startSelector.currentData or None, path_of(ui.rowsPath)
        divided = (self._cohort.folders, ui.leaveSiteOutCheck.checked, sites)
        return TrainingChoices(ui.kindSelector.currentData, *divided, start, rows, ui.keepAnywayCheck.checked, _)

    @property
    def run(self) -> RunFolder | None:
        """The run folder, None if not chosen yet."""
        return self.plan.run

    @property
    def running(self) -> bool:
        """Whether this panel's run is going on."""
        return self._child.running

    def start(self, *, resume: bool = False) -> None:
        """Start the run, or resume the one in the folder, which keeps its own settings."""
        plan = self.plan
        if plan.cohort is None or plan.folder is None or (plan.settings_problem and not resume):
            return
        used(self._ui.runPath, self._ui.rowsPath, self._ui.configPath)
        choices = self.choices
        arguments = choices.words(plan.folder, self._ui.deviceSelector.currentData)
        arguments += ["--resume"] if resume else choices.options(self._write_config())
        self._ui.logText.clear()
        show_text(self._ui.runLabel, _("Starting..."))
        self._progress = StageProgress()
        self._child.start(arguments, COMMANDS)
        self._changed()

    def cancel(self, *_args: object) -> None:
        """End the run with all of its processes."""
        show_text(self._ui.runLabel, _("Cancelling..."))
        self._child.cancel()

    def close(self) -> None:
        """End the child processes."""
        self._child.close()
        self._estimator.close()

    def estimate(self, *_args: object) -> None:
        """Time a few batches in a process of its own."""
        if not self.plan.can_estimate:
            return
        self._ui.estimateLabel.text = _("Timing...")
        self._estimator.start(self.choices.estimate_words(self._write_config()), COMMANDS)
        self.update()

    def show_charts(self, *_args: object) -> None:
        """Show the curves of the run in the folder."""
        show_charts(TRAINING_LAYOUT, self.refresh_charts())

    def refresh_charts(self) -> dict[str, Any]:
        """Read the curves again and return their charts by view."""
        try:
            return plot_charts(training_charts(self.run, _)) if self.run is not None else {}
        except DataError as error:
            show_text(self._ui.runLabel, str(error))
            return {}

    def update(self) -> None:
        """Enable the buttons that can be used now, and say why others cannot."""
        ui, plan = self._ui, self.plan
        ui.startButton.enabled = plan.start_problem is None
        ui.startButton.toolTip = literal(plan.start_problem) or _("Start the run.")
        ui.startReasonLabel.text = (plan.start_problem or "") if plan.state == "none" else ""
        ui.startReasonLabel.visible = bool(ui.startReasonLabel.text)
        ui.resumeButton.enabled = plan.can_resume
        ui.resumeButton.toolTip = literal(plan.problem) or _("Go on with the run in this folder.")
        ui.cancelButton.enabled = ui.progressBar.visible = self.running
        ui.keepAnywayCheck.enabled = not self.running
        ui.chartsButton.enabled = plan.state != "none"
        ui.estimateButton.enabled = plan.can_estimate and not self._estimator.running
        ui.estimateButton.toolTip = literal(plan.settings_problem) or _("Time a few batches on this computer.")

    def describe(self) -> None:
        """Show how far the run in the folder is, unless this panel follows it."""
        if not self.running:
            show_text(self._ui.runLabel, self.plan.describe())

    def _choose(self, *_args: object) -> None:
        self.describe()
        self._changed()

    def _write_config(self) -> Path:
        """Write the settings to a temporary file: the run folder must be empty."""
        if self._config is None:
            self._config = Path(tempfile.mkdtemp(prefix="pcr-")) / "config.json"
        self._config.write_text(json.dumps(self._settings.content(), indent=2), encoding="utf-8")
        return self._config

    def _follow(self, event: dict) -> None:
        now, progress = time.monotonic(), self._progress
        progress.add_event(event, now)
        if event["event"] == "message":
            self._log(str(event["text"]))
        self._ui.progressBar.setRange(0, max(progress.total, 1))
        self._ui.progressBar.setValue(min(progress.done, max(progress.total, 1)))
        show_text(self._ui.runLabel, f"{progress.describe(now, _)}  {event.get('detail', '')}")
        if now - self._refreshed > _REFRESH_S and self.plan.state == "running":
            self._refreshed = now
            self._ui.chartsButton.enabled = True
            self.refresh_charts()

    def _log(self, text: str) -> None:
        self._ui.logText.maximumBlockCount = _MOST_LOG_LINES
        self._ui.logText.appendPlainText(text.rstrip("\n"))

    def _end(self, code: int | None, errors: str) -> None:
        if code == 0 or (code is None and self.plan.state == "finished"):  # the cancel came too late
            self.refresh_charts()
            show_text(self._ui.runLabel, _("Finished."))
        elif code is None:
            show_text(self._ui.runLabel, _("Cancelled; resume it to continue."))
        else:
            problem = self.plan.describe_failure(last_sentence(errors, code))
            self._cohort.show_linked(self._ui.runLabel, problem)
            self._show_error(problem, trace_in(errors))
        self._changed()
        self._wait_for_lock()

    def _wait_for_lock(self, tries: int = 20) -> None:
        """Look again until the run can be resumed: processes of an ended run may hold its folder for a moment."""
        if tries and not self.running and self.plan.state == "running":
            qt.QTimer.singleShot(_LOOK_AGAIN_MS, lambda: self._wait_for_lock(tries - 1))
        else:
            self._changed()

    def _show_estimate(self, event: dict) -> None:
        if event["event"] == "estimate":
            self._ui.estimateLabel.text = "\n".join(Estimate.from_event(event).describe(_))

    def _end_estimate(self, code: int | None, errors: str) -> None:
        if code:
            self._ui.estimateLabel.text = last_sentence(errors, code)
        self.update()
