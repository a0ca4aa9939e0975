"""Fields for a file or folder (`ctkPathLineEdit`)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


def follow(field: Any, changed: Callable[..., None]) -> None:
    """Call a function when a path is entered, and when it is cleared, which the field tells in a signal of its own."""
    field.connect("currentPathChanged(QString)", changed)
    field.connect("validInputChanged(bool)", changed)


def path_of(field: Any) -> Path | None:
    """The path in the field, None where it is empty."""
    return Path(field.currentPath) if field.currentPath else None
