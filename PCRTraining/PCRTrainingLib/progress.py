"""Progress of long work, and its bars in a terminal."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta

from PCRPredictorLib.child import emit
from PCRPredictorLib.engine.waiting import lines_elsewhere
from PCRPredictorLib.formatting import as_line
from rich import progress as bars
from rich.console import Console
from rich.text import Text

_FIRST = "Loading libraries and looking for files"  # until the first stage


class Progress:
    """Receives stages and the work done in them; this one shows nothing."""

    def start(self, stage: str, total: int, done: int = 0) -> None:
        """Begin a stage of `total` units, of which `done` were done before."""

    def advance(self, detail: str = "", units: int = 1) -> None:
        """Report finished units; `detail` names the current work."""

    def say(self, message: str) -> None:
        """Show a message to the user."""


class _Time(bars.ProgressColumn):
    """The time that a stage has taken and, until it ends, the time left."""

    def render(self, task: bars.Task) -> Text:
        """Return "0:01:10, left 0:00:40" or "took 0:01:50"."""
        so_far = timedelta(seconds=int((task.finished_time if task.finished else task.elapsed) or 0))
        if task.finished:
            return Text(f"took {so_far}")
        left = "unknown" if task.time_remaining is None else str(timedelta(seconds=int(task.time_remaining)))
        return Text(f"{so_far}, left {left}")


class ProgressBar(Progress):
    """A bar per stage with the time left, messages above it, and events for a parent process.

    Args:
        console: to draw on.
        quiet: show nothing, as in all processes but the first.
    """

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        columns = (
            bars.TextColumn("{task.description}", markup=False),
            bars.BarColumn(),
            bars.MofNCompleteColumn(),
            _Time(),
            bars.TextColumn("{task.fields[detail]}", markup=False),
        )
        self._quiet = quiet
        self._bar = bars.Progress(*columns, console=console, disable=quiet)
        self._task = self._first = self._bar.add_task(_FIRST, visible=False, total=None, detail="")
        self._shown = ExitStack()

    def __enter__(self) -> ProgressBar:
        self._bar.update(self._task, visible=True)
        self._shown.enter_context(self._bar)
        if not self._quiet:
            self._shown.enter_context(lines_elsewhere(self._bar.console, self._describe))
        return self

    def __exit__(self, *_: object) -> None:
        self._end_first()
        self._shown.close()

    def _end_first(self) -> None:
        """Take away the bar that stands until the first stage begins."""
        self._bar.update(self._first, visible=False)

    def _describe(self) -> str:
        """Return how far the newest stage is, for a file or a pipe, where no bar moves."""
        task = self._bar.tasks[-1]
        how_far = "" if task.total is None else f" {task.completed:.0f}/{task.total:.0f}"
        return f"{task.description}{how_far} {task.fields['detail']}".rstrip()

    def start(self, stage: str, total: int, done: int = 0) -> None:
        """Add a bar below the finished ones."""
        self._end_first()
        self._task = self._bar.add_task(as_line(stage), total=total, completed=done, detail="")
        if not self._quiet:
            emit("stage", name=stage, total=total, done=done)

    def advance(self, detail: str = "", units: int = 1) -> None:
        """Move the bar."""
        self._bar.update(self._task, advance=units, detail=as_line(detail))
        if not self._quiet and units:
            emit("progress", units=units, detail=detail)

    def say(self, message: str) -> None:
        """Print a line above the bar."""
        if not self._quiet:
            self._bar.console.print(as_line(message), soft_wrap=True, markup=False)
            emit("message", text=message)
