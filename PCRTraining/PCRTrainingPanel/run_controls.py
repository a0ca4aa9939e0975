"""The section "Run": `pcr train` or `pcr experiment` as a child process, followed while it runs."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
from PCRPredictorPanel.toolkit.child_process import ChildProcess, last_sentence
from PCRPredictorPanel.toolkit.path_field import follow, path_of
from slicer.i18n import tr as _

from .cohort_controls import COMMANDS, CohortControls
from .live_charts import LiveCharts
from .settings_form import SettingsForm

KINDS = {"train": _("Train the curriculum"), "experiment": _("Compare with all baselines")}
_REFRESH_S = 1.0
_MOST_LOG_LINES = 2000
_LOOK_AGAIN_MS = 500


class RunControls:
    """Starts, cancels, resumes and shows a run.

    Args:
        ui: the panel's widgets by name.
        cohort: what is trained on.
        settings: how.
        changed: called when a run has begun, has ended, or another run folder is chosen.
        complain: called with a sentence when something cannot be done.
    """

    def __init__(
        self,
        ui: Any,
        cohort: CohortControls,
        settings: SettingsForm,
        changed: Callable[[], None],
        complain: Callable[[str], None],
    ) -> None:
        self._ui, self._cohort, self._settings = ui, cohort, settings
        self._changed, self._complain = changed, complain
        self._child = ChildProcess(self._told, self._ended, self._log)
        self._estimator = ChildProcess(self._estimated, self._estimate_ended)
        self._config: Path | None = None
        self._stage, self._total, self._done, self._begun, self._shown = "", 0, 0, 0.0, 0.0
        self.charts = LiveCharts()
        for key, text in KINDS.items():
            ui.kindSelector.addItem(text, key)
        follow(ui.runPath, self._choose)
        ui.startButton.connect("clicked(bool)", lambda *_args: self.start())
        ui.resumeButton.connect("clicked(bool)", lambda *_args: self.start(resume=True))
        ui.cancelButton.connect("clicked(bool)", self.cancel)
        ui.estimateButton.connect("clicked(bool)", self.estimate)
        ui.chartsButton.connect("clicked(bool)", self.show_charts)
        ui.logCheck.connect("toggled(bool)", ui.logText.setVisible)

    @property
    def folder(self) -> Path | None:
        """The run folder, None without one."""
        return path_of(self._ui.runPath)

    @property
    def run(self) -> Any:
        """The `RunFolder`, None without one."""
        from PCRTrainingLib.run_folder import RunFolder

        return None if self.folder is None else RunFolder(self.folder)

    @property
    def running(self) -> bool:
        """Whether this panel's run is going on."""
        return self._child.running

    def start(self, *, resume: bool = False) -> None:
        """Start the run, or go on with the one in the folder, which keeps its own settings."""
        if self._cohort.folder is None or self.folder is None or (self._settings.problem and not resume):
            return
        arguments = [self._ui.kindSelector.currentData, str(self._cohort.folder), "--out", str(self.folder)]
        arguments += ["--device", self._ui.deviceSelector.currentData]
        arguments += ["--resume"] if resume else self._asked()
        self._ui.logText.clear()
        self._ui.runLabel.text = _("Starting...")
        self._stage, self._total, self._done = "", 0, 0
        self._child.start(arguments, COMMANDS)
        self._changed()

    def cancel(self, *_args: object) -> None:
        """End the run with all of its processes."""
        self._ui.runLabel.text = _("Ending...")
        self._child.cancel()

    def close(self) -> None:
        """End the children."""
        self._child.close()
        self._estimator.close()

    def estimate(self, *_args: object) -> None:
        """Time a few batches in a process of its own."""
        if self._cohort.folder is None or self._settings.problem:
            return
        self._ui.estimateLabel.text = _("Timing...")
        self._estimator.start(["estimate", str(self._cohort.folder), "--config", str(self._write_config())], COMMANDS)
        self.update()

    def show_charts(self, *_args: object) -> None:
        """Show the curves of the run in the folder."""
        self.refresh_charts()
        self.charts.show()

    def refresh_charts(self) -> None:
        """Read the curves again."""
        if self.folder is None:
            return
        from PCRPredictorLib.errors import DataError
        from PCRTrainingLib.run_state import latest_run, read_curves

        try:
            self.charts.fill(read_curves(latest_run(self.run)))
        except DataError as error:
            self._ui.runLabel.text = str(error)

    def update(self) -> None:
        """Which buttons can be used, and why not."""
        state = self._state()
        problem = None
        if self._cohort.folder is None:
            problem = _("Choose the folder of a cohort.")
        elif self.folder is None:
            problem = _("Choose a folder for the run.")
        elif self.running or state == "running":
            problem = _("A run is going on in this folder.")
        ui, unset = self._ui, self._settings.problem
        ui.startButton.enabled = problem is None and unset is None and state == "none"
        ui.startButton.toolTip = problem or (
            (unset or _("Start the run."))
            if state == "none"
            else _("This folder holds a run already; resume it, or choose another.")
        )
        ui.resumeButton.enabled = problem is None and state == "stopped"
        ui.resumeButton.toolTip = problem or _("Go on with the run in this folder.")
        ui.cancelButton.enabled = self.running
        ui.progressBar.visible = self.running
        ui.chartsButton.enabled = state != "none"
        ready = self._cohort.folder is not None and unset is None
        ui.estimateButton.enabled = ready and not self._estimator.running
        ui.estimateButton.toolTip = unset or _("Time a few batches on this computer.")

    def describe(self) -> None:
        """Say where the run in the folder is."""
        from PCRPredictorLib.errors import DataError
        from PCRTrainingLib.run_state import read_state

        texts = {
            "none": "",
            "running": _("A run is going on in this folder: {done} of {total} epochs."),
            "stopped": _("This run was stopped after {done} of {total} epochs; resume it to go on."),
            "finished": _("This run is finished."),
        }
        if self.running:
            return
        if self.folder is None:
            self._ui.runLabel.text = ""
            return
        try:
            state = read_state(self.run)
            self._ui.runLabel.text = texts[state.kind].format(done=state.done, total=state.total)
        except DataError as error:
            self._ui.runLabel.text = str(error)

    def _state(self) -> str:
        from PCRPredictorLib.errors import DataError
        from PCRTrainingLib.run_state import read_state

        try:
            return read_state(self.run).kind if self.folder is not None else "none"
        except DataError:
            return "stopped"

    def _choose(self, *_args: object) -> None:
        self.describe()
        self._changed()

    def _asked(self) -> list[str]:
        """What a new run is given."""
        rows = path_of(self._ui.rowsPath)
        return ["--config", str(self._write_config()), *(["--clinical-rows", str(rows)] if rows is not None else [])]

    def _write_config(self) -> Path:
        """The settings as a file of this session, never in the run folder, which must be empty."""
        if self._config is None:
            self._config = Path(tempfile.mkdtemp(prefix="pcr-")) / "config.json"
        self._config.write_text(json.dumps(self._settings.content(), indent=2), encoding="utf-8")
        return self._config

    def _told(self, event: dict) -> None:
        if event["event"] == "stage":
            self._stage, self._total, self._done = str(event["name"]), int(event["total"]), 0
            self._begun = time.monotonic()
        elif event["event"] == "progress":
            self._done += int(event["units"])
        elif event["event"] == "message":
            self._log(str(event["text"]) + "\n")
        self._ui.progressBar.setRange(0, max(self._total, 1))
        self._ui.progressBar.setValue(min(self._done, max(self._total, 1)))
        self._ui.runLabel.text = f"{self._stage} {self._done}/{self._total}{self._left()}  {event.get('detail', '')}"
        if time.monotonic() - self._shown > _REFRESH_S and self._state() == "running":
            self._shown = time.monotonic()
            self._ui.chartsButton.enabled = True
            self.refresh_charts()

    def _left(self) -> str:
        """How long the stage will still take, once that can be said."""
        if self._done < 2:
            return ""
        seconds = (time.monotonic() - self._begun) / self._done * (self._total - self._done)
        return ", " + _("{minutes}:{seconds:02d} left").format(minutes=int(seconds // 60), seconds=int(seconds % 60))

    def _log(self, text: str) -> None:
        self._ui.logText.maximumBlockCount = _MOST_LOG_LINES
        self._ui.logText.appendPlainText(text.rstrip("\n"))

    def _ended(self, code: int | None, errors: str) -> None:
        if code == 0 or (code is None and self._state() == "finished"):  # the cancel came too late
            self.refresh_charts()
            self._ui.runLabel.text = _("Finished.")
        elif code is None:
            self._ui.runLabel.text = _("Cancelled; resume it to go on.")
        else:
            sentence = last_sentence(errors, code)
            if self._state() in ("stopped", "running"):
                sentence += " " + _("What was trained is kept: resume the run to go on.")
            self._ui.runLabel.text = sentence
            self._complain(sentence)
        self._changed()
        self._wait_for_lock()

    def _wait_for_lock(self, tries: int = 20) -> None:
        """Processes of an ended run may hold its folder for a moment: look again until it can be resumed."""
        if tries and not self.running and self._state() == "running":
            qt.QTimer.singleShot(_LOOK_AGAIN_MS, lambda: self._wait_for_lock(tries - 1))
        else:
            self._changed()

    def _estimated(self, event: dict) -> None:
        if event["event"] == "estimate":
            minutes, memory = event["seconds"] / 60, event["megabytes"] / 1024
            text = _("about {minutes:.0f} min of training").format(minutes=max(minutes, 1))
            self._ui.estimateLabel.text = text + (f", {memory:.1f} GB" if memory else "")

    def _estimate_ended(self, code: int | None, errors: str) -> None:
        if code:
            self._ui.estimateLabel.text = last_sentence(errors, code)
        self.update()
