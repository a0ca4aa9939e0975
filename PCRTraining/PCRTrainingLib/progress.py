"""The protocol by which long work reports its progress."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives stages and the work done in them."""

    def start(self, stage: str, total: int) -> None:
        """Begin a stage of `total` units."""

    def advance(self, detail: str = "", units: int = 1) -> None:
        """Report finished units; `detail` names the current work."""

    def say(self, message: str) -> None:
        """Show a message to the user."""


class Silent:
    """Shows nothing."""

    def start(self, stage: str, total: int) -> None:
        """Do nothing."""

    def advance(self, detail: str = "", units: int = 1) -> None:
        """Do nothing."""

    def say(self, message: str) -> None:
        """Do nothing."""
