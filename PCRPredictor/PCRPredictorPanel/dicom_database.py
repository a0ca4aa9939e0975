"""What Slicer's DICOM database knows of a volume."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import slicer
from PCRPredictorLib.exam import Dynamic, Provenance
from PCRPredictorLib.mrml.dynamic import dynamic_of_sequence, dynamic_of_volumes
from PCRPredictorLib.mrml.exam import geometry_of
from PCRPredictorLib.mrml.subjects import INSTANCES
from PCRPredictorLib.phases import may_be_phase

_DAY = 86400.0  # s


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
    return _seconds(database.instanceValue(instances[0], "0008,0032"))


def _injection_of(node: Any) -> float | None:
    """Return the time of day, in s, of the injection in the header of a volume's first DICOM file; None if unknown."""
    database, instances = _instances(node)
    return _seconds(database.instanceValue(instances[0], "0018,1042")) if instances else None


def _seconds(text: str) -> float | None:
    """Return a DICOM time in s."""
    text = text.strip()
    if len(text) < 6 or not text[:6].isdigit():
        return None
    return 3600.0 * int(text[:2]) + 60.0 * int(text[2:4]) + float(text[4:])


def provenance_of(volumes: Sequence[Any]) -> Provenance:
    """Return the source of pre, early and late volume nodes, with the times that the database knows.

    Args:
        volumes: on one day; a time before that of the first one is past midnight.
    """
    times = [seconds_of(node) for node in volumes]
    start, injected = times[0], next(filter(None, map(_injection_of, volumes)), None)
    known = None
    if start is not None and None not in times:
        known = tuple((time - start) % _DAY for time in times if time is not None)
    if known is None or not known[0] < known[1] < known[2]:
        return Provenance("mrml")
    injection = None if injected is None else (injected - start) % _DAY  # type: ignore[operator]
    between = [(time - start) % _DAY for node in _alike(volumes[0]) if (time := seconds_of(node)) is not None]  # type: ignore[operator]
    first_post = min((time for time in between if 0 < time <= known[1]), default=known[1])
    injection = injection if injection is not None and injection < known[2] else None
    return Provenance("mrml", known, injection=injection, first_post=first_post)  # type: ignore[arg-type]


def dynamic_of(volumes: Sequence[Any]) -> Dynamic | None:
    """Return every phase of the acquisition of pre, early and late nodes: of their sequence, else of their study.

    None if they are of no sequence and the database does not know the times, or there are but three.
    """
    if (found := dynamic_of_sequence(volumes[1])) is not None:
        return found
    times = [seconds_of(node) for node in volumes]
    study = study_of(volumes[0])
    if None in times or not study:
        return None
    alike = [node for node in _alike(volumes[0]) if study_of(node) == study and may_be_phase(node.GetName() or "")]
    alike += [node for node in volumes if node not in alike]
    start = times[0]
    after = [(node, (time - start) % _DAY) for node in alike if (time := seconds_of(node)) is not None]  # type: ignore[operator]
    grid = geometry_of(volumes[0])
    return dynamic_of_volumes(volumes, [each for each in after if grid.matches(geometry_of(each[0]))])


def study_of(node: Any) -> str:
    """Return the UID of the study that a volume was loaded from, "" if it is unknown."""
    database, instances = _instances(node)
    return database.instanceValue(instances[0], "0020,000D") if instances else ""


def _alike(volume: Any) -> list[Any]:
    """Return the volumes of the scene that have as many voxels along each axis as one of them."""
    found = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    size = volume.GetImageData().GetDimensions() if volume.GetImageData() is not None else None
    return [node for node in found if node.GetImageData() is not None and node.GetImageData().GetDimensions() == size]


def _instances(node: Any) -> tuple[Any, list[str]]:
    """Return the database and the instances that a volume was loaded from; empty if they are unknown."""
    database = getattr(slicer, "dicomDatabase", None)
    if database is None or not database.isOpen:
        return None, []
    return database, (node.GetAttribute(INSTANCES) or "").split()
