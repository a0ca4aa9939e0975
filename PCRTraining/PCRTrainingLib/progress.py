"""Progress of long work, and its bars in a terminal."""

from __future__ import annotations

from PCRPredictorLib.child import emit
from PCRPredictorLib.formatting import as_line
from rich import progress as bars
from rich.console import Console


class Progress:
    """Receives stages and the work done in them; this one shows nothing."""

    def start(self, stage: str, total: int, done: int = 0) -> None:
        """Begin a stage of `total` units, of which `done` were done before."""

    def advance(self, detail: str = "", units: int = 1) -> None:
        """Report finished units; `detail` names the current work."""

    def say(self, message: str) -> None:
        """Show a message to the user."""


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
            bars.TimeElapsedColumn(),
            bars.TextColumn("left"),
            bars.TimeRemainingColumn(),
            bars.TextColumn("{task.fields[detail]}", markup=False),
        )
        self._quiet = quiet
        self._bar = bars.Progress(*columns, console=console, disable=quiet)
        self._task = self._bar.add_task("", visible=False, detail="")

    def __enter__(self) -> ProgressBar:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def start(self, stage: str, total: int, done: int = 0) -> None:
        """Add a bar below the finished ones."""
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
