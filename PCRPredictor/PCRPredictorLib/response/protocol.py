"""Differences between the acquisitions of two visits that change what is measured."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..errors import Notice
from ..exam import Exam
from .course import Visit

_SECONDS = 30.0  # by which the early phase may differ: enhancement rises and falls within a minute
_SPACING = 1.25  # ratio of voxel sizes
_TESLA = 0.5
_SAME_PLANE = 0.7  # cosine of the angle between the slices' normals: 45 degrees
_EXTENT = 0.6  # of the field's width: one breast instead of both


def compare_protocols(first: Visit, visit: Visit) -> Iterator[Notice]:
    """Yield a warning for each difference of a visit's acquisition from that of the first visit.

    Both must have an exam; what is not known of one of them is not compared.
    """
    for code, what, why in _differences(first, visit):
        yield Notice(code, f"{visit.name} was acquired differently than {first.name}: {what}. {why}")


def _differences(first: Visit, visit: Visit) -> Iterator[tuple[str, str, str]]:
    one, other = first.exam, visit.exam
    if one is None or other is None:
        return
    if (times := _early_seconds(one, other)) and abs(times[1] - times[0]) > _SECONDS:
        what = f"its early phase is {times[1]:.0f} s after {times[2]} instead of {times[0]:.0f} s"
        yield "timing_differs", what, "Enhancement and the functional volume depend on it: compare them with caution."
    sizes = [np.sort(exam.geometry.spacing) for exam in (one, other)]
    if np.max(np.maximum(sizes[0] / sizes[1], sizes[1] / sizes[0])) > _SPACING:
        what = f"its voxels are {_times(other)} mm instead of {_times(one)} mm"
        yield "spacing_differs", what, "Small tumours and diameters are measured less alike."
    normals = [exam.geometry.direction[:, 2 - exam.geometry.slice_axis] for exam in (one, other)]
    if abs(float(normals[0] @ normals[1])) < _SAME_PLANE:
        what = "its slices lie in a different plane"
        yield "plane_differs", what, "Diameters are measured within slices: compare them with caution."
    yield from _settings(first, visit)
    widths = [max(_extent(exam)) for exam in (one, other)]
    if min(widths) < _EXTENT * max(widths):
        what = f"its field is {widths[1]:.0f} mm wide instead of {widths[0]:.0f} mm"
        yield "field_differs", what, "Check that both show the same breast, and the other one for the background."


def _settings(first: Visit, visit: Visit) -> Iterator[tuple[str, str, str]]:
    one, other = first.facts, visit.facts
    if one.phases and other.phases and one.phases != other.phases:
        what = f"it has {other.phases} phases instead of {one.phases}"
        yield "phases_differ", what, "The late phase may be at a different time: compare the kinetics with caution."
    if one.field_strength and other.field_strength and abs(one.field_strength - other.field_strength) > _TESLA:
        what = f"at {other.field_strength:g} T instead of {one.field_strength:g} T"
        yield "field_strength_differs", what, "The same tissue enhances differently: compare the volume with caution."
    if one.manufacturer and other.manufacturer and not _same_maker(one.manufacturer, other.manufacturer):
        yield "manufacturer_differs", "on a scanner of a different manufacturer", "Compare enhancement with caution."
    if None not in (one.fat_suppressed, other.fat_suppressed) and one.fat_suppressed != other.fat_suppressed:
        what = f"{'with' if other.fat_suppressed else 'without'} fat suppression, unlike {first.name}"
        yield "fat_suppression_differs", what, "Relative enhancement differs: compare the volume with caution."


def _early_seconds(one: Exam, other: Exam) -> tuple[float, float, str] | None:
    """Return the times of both early phases after the same event, and its name; None if there is none."""
    for name, times in (
        ("the injection", [exam.provenance.after_injection[1] for exam in (one, other)]),
        ("the pre-contrast phase", [exam.provenance.early_seconds for exam in (one, other)]),
    ):
        if times[0] is not None and times[1] is not None:
            return times[0], times[1], name
    return None


def _same_maker(one: str, other: str) -> bool:
    """Return True if two names begin with the same word, as "SIEMENS" and "SIEMENS HEALTHINEERS" do."""
    return one.split()[:1] == other.split()[:1]


def _extent(exam: Exam) -> list[float]:
    return [n * s for n, s in zip(exam.geometry.size, exam.geometry.spacing, strict=True)]


def _times(exam: Exam) -> str:
    return " x ".join(f"{size:.2g}" for size in exam.geometry.spacing)
