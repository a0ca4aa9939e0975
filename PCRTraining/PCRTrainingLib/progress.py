"""How long work tells how far it is; the command line draws a bar, the Slicer module reads `history.csv`."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told of stages and of what is done in them."""

    def start(self, stage: str, total: int) -> None:
        """A stage of `total` units begins."""

    def advance(self, detail: str = "", units: int = 1) -> None:
        """Units are done; `detail` says what is being done."""

    def say(self, message: str) -> None:
        """Something a person should know."""


class Silent:
    """Tells nobody."""

    def start(self, stage: str, total: int) -> None:
        """Nothing."""

    def advance(self, detail: str = "", units: int = 1) -> None:
        """Nothing."""

    def say(self, message: str) -> None:
        """Nothing."""
