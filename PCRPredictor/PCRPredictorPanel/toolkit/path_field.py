"""Fields for a file or folder (`ctkPathLineEdit`)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


def follow(field: Any, changed: Callable[..., None]) -> None:
    """Call a function when a path is entered or cleared; the field has a signal of its own for the latter."""
    field.connect("currentPathChanged(QString)", changed)
    field.connect("validInputChanged(bool)", changed)


def path_of(field: Any) -> Path | None:
    """Return the path in the field, None if it is empty."""
    return Path(field.currentPath) if field.currentPath else None
