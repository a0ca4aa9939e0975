"""What Slicer's DICOM database knows of a volume."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer


def files_of(node: Any) -> tuple[Path, ...]:
    """Return the DICOM files that a volume was loaded from; empty if they are unknown or gone."""
    database, instances = _instances(node)
    files = [Path(database.fileForInstance(instance)) for instance in instances]
    return tuple(files) if all(file.is_file() for file in files) else ()


def seconds_of(node: Any) -> float | None:
    """Return the time of day, in s, at which a volume was acquired, by its first DICOM file; None if unknown."""
    database, instances = _instances(node)
    if not instances:
        return None
    text = database.instanceValue(instances[0], "0008,0032").strip()
    if len(text) < 6 or not text[:6].isdigit():
        return None
    return 3600.0 * int(text[:2]) + 60.0 * int(text[2:4]) + float(text[4:])


def _instances(node: Any) -> tuple[Any, list[str]]:
    """Return the database and the instances that a volume was loaded from; empty if they are unknown."""
    database = getattr(slicer, "dicomDatabase", None)
    if database is None or not database.isOpen:
        return None, []
    return database, (node.GetAttribute("DICOM.instanceUIDs") or "").split()
