"""A run as users start and follow it: what to expect, what can be done now or why not, how far it is.

No torch, no widgets.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from PCRPredictorLib.errors import DataError
from PCRPredictorLib.report.wording import Translate

from .chance import find_chance
from .config import UPDATES
from .run_folder import RunFolder
from .run_state import RunState, read_state

_USUAL = 0.7  # AUC of a model before treatment


@dataclass(frozen=True)
class RunPlan:
    """The choices for a run, and what can be done with it.

    Args:
        cohort, folder: chosen folders of cohort and run, None if not chosen yet.
        settings_problem: the reason that there is no configuration, a sentence.
        busy: the user's own run is in progress.
        translate: a sentence into the user's language.
    """

    cohort: Path | None
    folder: Path | None
    settings_problem: str | None = None
    busy: bool = False
    translate: Translate = str

    @property
    def run(self) -> RunFolder | None:
        """The run folder, None if not chosen yet."""
        return RunFolder(self.folder) if self.folder is not None else None

    @cached_property
    def state(self) -> str:
        """Kind of `RunState` of the run; "stopped" if its configuration cannot be read."""
        try:
            return read_state(self.run).kind if self.run is not None else "none"
        except DataError:
            return "stopped"

    @property
    def problem(self) -> str | None:
        """The reason that no run can start or be resumed, a sentence; None if one can."""
        _ = self.translate
        if self.cohort is None:
            return _("Choose the folder of a cohort.")
        if self.folder is None:
            return _("Choose a folder for the run.")
        return _("A run is in progress in this folder.") if self.busy or self.state == "running" else None

    @property
    def start_problem(self) -> str | None:
        """The reason that a new run cannot start, a sentence; None if it can."""
        if self.problem is None and self.state != "none":
            return self.translate("This folder holds a run already; resume it, or choose a different folder.")
        return self.problem or self.settings_problem

    @property
    def can_resume(self) -> bool:
        """True if the run in the folder was stopped, or has left no model, and can be resumed now."""
        return self.problem is None and self.state in ("stopped", "refused")

    @property
    def can_estimate(self) -> bool:
        """True if there is a cohort and a configuration."""
        return self.cohort is not None and self.settings_problem is None

    def describe(self) -> str:
        """Return the progress of the run in the folder, a sentence; empty without a run."""
        _ = self.translate
        texts = {
            "none": "",
            "running": _("A run is in progress in this folder: {done} of {total} epochs."),
            "stopped": _("This run was stopped after {done} of {total} epochs; resume it to continue."),
            "refused": _(
                "This run left no model: {chance}; train on more patients or for more epochs, or choose to make a "
                "model anyway and resume it."
            ),
            "finished": _("This run is finished."),
        }
        try:
            state = read_state(self.run) if self.run is not None else RunState("none")
        except DataError as error:
            return str(error)
        return texts[state.kind].format(done=state.done, total=state.total, chance=find_chance(state.model, _))

    def describe_failure(self, sentence: str) -> str:
        """Return the reason that the run ended, with what can be done if some of it is kept."""
        if self.state == "refused":
            return self.describe()
        if self.state not in ("stopped", "running"):
            return sentence
        return f"{sentence} {self.translate('What was trained is kept: resume the run to continue.')}"


@dataclass
class StageProgress:
    """The progress of a stage of a command, from the events that it emits.

    Args:
        name: of the stage.
        total, done: units of work.
        before: units that were done before the stage began.
        started: when the stage began, s on any clock.
    """

    name: str = ""
    total: int = 0
    done: int = 0
    before: int = 0
    started: float = 0.0

    def add_event(self, event: Mapping[str, Any], now: float) -> None:
        """Take an event into account; `now` is the time on the clock of `started`, s."""
        if event["event"] == "stage":
            self.name, self.total, self.started = str(event["name"]), int(event["total"]), now
            self.done = self.before = int(event.get("done", 0))
        elif event["event"] == "progress":
            self.done += int(event["units"])

    def describe(self, now: float, translate: Translate = str) -> str:
        """Return "Training 3/12, 1:20 left"; the time only after two units."""
        text = f"{self.name} {self.done}/{self.total}"
        if self.done - self.before < 2:
            return text
        seconds = int((now - self.started) / (self.done - self.before) * (self.total - self.done))
        return f"{text}, " + translate("{minutes}:{seconds:02d} left").format(
            minutes=seconds // 60, seconds=seconds % 60
        )


@dataclass(frozen=True)
class Estimate:
    """Time and memory that training needs on this machine, and what can come of it.

    Args:
        seconds: of training, without reading the cohort and writing the report.
        megabytes: of all processes together; 0 if the system does not report it.
        patients, positives, folds: that can be used; of them with pCR; into which they are divided. 0 if unknown.
        updates: of the shortest step in each fold.
        guided: the configuration guides attention to the tumour.
    """

    seconds: float
    megabytes: float
    patients: int = 0
    positives: int = 0
    folds: int = 0
    updates: int = 0
    guided: bool = False

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> "Estimate":
        """Return the estimate that `pcr estimate` emits."""
        return cls(**{each.name: event[each.name] for each in fields(cls)})

    def describe(self, translate: Translate = str) -> list[str]:
        """Return what to expect of a run, in sentences: time and memory, updates, width of the interval, attention."""
        _ = translate
        text = _("about {minutes:.0f} min of training").format(minutes=max(self.seconds / 60, 1))
        memory = _(", {memory:.1f} GB of memory").format(memory=self.megabytes / 1024) if self.megabytes else ""
        return [text + memory, *(self._describe_patients(_) if self.folds else [])]

    def _describe_patients(self, _: Translate) -> list[str]:
        """Return what follows from the number of patients."""
        half = auc_half_width(self.positives, self.patients - self.positives)
        updates = _("each step has at least {updates} updates in each fold; folds: {folds}")
        known = _("of {patients} patients, {positives} have pCR: an AUC of {auc:.2f} is known to {half:.2f} either way")
        lines = [
            updates.format(updates=self.updates, folds=self.folds),
            known.format(patients=self.patients, positives=self.positives, auc=_USUAL, half=half),
        ]
        if self.guided and self.updates < UPDATES:
            text = _(
                "attention needs about {updates} updates per step: expect it at chance, so that no model is made; give "
                "more epochs"
            )
            lines.append(text.format(updates=UPDATES))
        return lines


def auc_half_width(positives: int, negatives: int, auc: float = _USUAL) -> float:
    """Return half the width of the 95 % interval of an AUC on so many patients; nan if a class has none.

    Source: Hanley and McNeil, Radiology 1982.
    """
    if min(positives, negatives) < 1:
        return math.nan
    first, second = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = (positives - 1) * (first - auc**2) + (negatives - 1) * (second - auc**2)
    return 1.96 * math.sqrt((auc * (1 - auc) + spread) / (positives * negatives))
