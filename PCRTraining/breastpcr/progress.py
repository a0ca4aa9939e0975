"""Progress of long work, in the log or as bars."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from PCRTrainingLib.progress import Progress, ProgressBar

from .log import LOG


class LogProgress(Progress):
    """Logs each stage and message; nothing is printed unless logging is set up to do so."""

    def start(self, stage: str, total: int, done: int = 0) -> None:
        """Log the beginning of a stage."""
        LOG.info("%s (%d, %d done before)", stage, total, done)

    def say(self, message: str) -> None:
        """Log a message; a warning as one."""
        LOG.log(logging.WARNING if message.startswith("warning: ") else logging.INFO, message)


@contextmanager
def opened(shown: bool) -> Iterator[Progress]:
    """Yield what receives the progress: bars on the terminal if they are to be shown, else the log."""
    if not shown:
        yield LogProgress()
        return
    from rich.console import Console

    with ProgressBar(Console()) as bar:
        yield bar
