"""Progress on a terminal: a bar per stage with the time left, messages above it, and events for a parent process."""

from __future__ import annotations

from types import TracebackType

from PCRPredictorLib.child import emit
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class ProgressBar:
    """A bar per stage; see `progress.Progress`.

    Args:
        console: to draw on.
        quiet: show nothing, as in all processes but the first.
    """

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[detail]}"),
        )
        self._quiet = quiet
        self._bar = Progress(*columns, console=console, disable=quiet)
        self._task = self._bar.add_task("", visible=False, detail="")

    def __enter__(self) -> ProgressBar:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def start(self, stage: str, total: int) -> None:
        """Add a bar below the finished ones."""
        self._task = self._bar.add_task(stage, total=total, detail="")
        if not self._quiet:
            emit("stage", name=stage, total=total)

    def advance(self, detail: str = "", units: int = 1) -> None:
        """Move the bar."""
        self._bar.update(self._task, advance=units, detail=detail)
        if not self._quiet and units:
            emit("progress", units=units, detail=detail)

    def say(self, message: str) -> None:
        """Print a line above the bar."""
        if not self._quiet:
            self._bar.console.print(message, soft_wrap=True, markup=False)
            emit("message", text=message)
