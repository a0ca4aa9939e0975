"""Fields for a file or folder (`ctkPathLineEdit`)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


def follow(field: Any, changed: Callable[..., None]) -> None:
    """Call a function when a path is entered or cleared; the field has a signal of its own for the latter."""
    field.connect("currentPathChanged(QString)", changed)
    field.connect("validInputChanged(bool)", changed)


def remember(field: Any, key: str, *, fill: bool = False) -> None:
    """Let a field offer the paths that were used before, also after a restart; see `used`.

    Args:
        key: of the field in the application's settings.
        fill: choose the last path at once, as CTK does; not if it holds the last results.
    """
    field.settingKey = f"BreastPCR/{key}"
    if not fill:
        field.currentPath = ""


def used(*fields: Any) -> None:
    """Keep the paths in some fields, because work with them begins; not while one reports a change.

    CTK takes the path out of the field for a moment, which its listeners are not told.
    """
    for field in fields:
        before = field.blockSignals(True)
        field.addCurrentPathToHistory()
        field.blockSignals(before)


def path_of(field: Any) -> Path | None:
    """Return the path in the field, None if it is empty."""
    return Path(field.currentPath) if field.currentPath else None
