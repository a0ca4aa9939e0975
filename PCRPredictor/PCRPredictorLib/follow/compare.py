"""The comparison of a follow-up: the tumour's place at each visit, in one display scale.

Early phase, subtraction (early minus pre) and its maximum intensity projection (MIP) of every visit with images stand
side by side, as acquired and in the orientation of a viewer. The baseline's tumour is carried to the other visits by
their registration. Scanners scale signals freely; each exam is therefore divided by its own reference: the median of
its pre-contrast signal in tissue. One black and one white level, in these units, then hold for all visits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ..exam import Exam
from ..model.grid import plane_of
from ..registration.rigid import Registration, carry_mask, register
from ..report.display import Box, SliceView, enhancement_limits, grey_limits, near_tumour, slice_view, subtract
from ..report.wording import Translate
from ..response.course import Course

_TISSUE = 0.1  # of the 99th percentile of the pre-contrast signal: what is below is air
_LOOKED_AT = 64  # voxels along an axis that give the reference


@dataclass(frozen=True, eq=False)
class Panel:
    """What is shown of a visit, in the orientation of a viewer.

    Args:
        visit: its name.
        view: of the exam.
        early: early phase, (slices, rows, columns), in units of the exam's reference.
        difference: early minus pre-contrast phase, (slices, rows, columns), in the same units.
        mask: the visit's own tumour, bool (slices, rows, columns), all False if it is gone or unknown.
        baseline: the baseline's tumour, carried over, bool (slices, rows, columns); all False if the registration does
            not hold.
        index: slice that is shown.
        zoom: square that is shown of it; of the same size at every visit.
        registration: from the baseline; None for the baseline itself, or if it was not registered.
        has_place: False if the place of the tumour is unknown: it is gone, and nothing was carried over.
    """

    visit: str
    view: SliceView
    early: np.ndarray
    difference: np.ndarray
    mask: np.ndarray
    baseline: np.ndarray
    index: int
    zoom: Box
    registration: Registration | None
    has_place: bool = True

    @property
    def plane(self) -> str:
        """Return the plane of the slices: "axial", "coronal" or "sagittal"."""
        return plane_of(self.view.geometry)

    @property
    def projection(self) -> np.ndarray:
        """Return the MIP of the difference through the slices, (rows, columns)."""
        return self.difference.max(axis=0)


@dataclass(frozen=True, eq=False)
class Comparison:
    """The visits with images, and the one display scale that all of them have.

    Args:
        panels: in the order of time; the first is the baseline.
        grey: black and white level of the early phases, in units of each exam's reference.
        difference: the same of subtractions and their MIP; black is no enhancement.
    """

    panels: tuple[Panel, ...]
    grey: tuple[float, float]
    difference: tuple[float, float]


def compare(course: Course, registrations: Mapping[str, Registration]) -> Comparison | None:
    """Prepare the comparison; None with fewer than two visits with images, or without a tumour in the first of them.

    Args:
        registrations: by visit, from the first visit with images to this one.
    """
    exams = {visit.name: _finite(visit.exam) for visit in course if visit.exam is not None}
    if why_not_compared(course):
        return None
    first = next(iter(exams.values()))
    places = {name: _place(exam, first, registrations.get(name)) for name, exam in exams.items()}
    edge = max(slice_view(exams[name].geometry).zoom(place.where).width for name, place in places.items())
    panels = tuple(_panel(name, exams[name], place, edge) for name, place in places.items())
    scales = [_limits(exams[name], place.where) for name, place in places.items()]
    grey, difference = ((min(s[n][0] for s in scales), max(s[n][1] for s in scales)) for n in (0, 1))
    return Comparison(panels, grey, difference)


def register_visits(course: Course) -> dict[str, Registration]:
    """Return the registration of the first visit with images to each later one, by visit."""
    exams = {visit.name: visit.exam for visit in course if visit.exam is not None}
    first = next(iter(exams.values()), None)
    return {name: register(first, exam) for name, exam in exams.items() if first is not None and exam is not first}


def why_not_compared(course: Course, _: Translate = str) -> str:
    """Return why there is no comparison, a sentence; "" if there is one."""
    exams = [visit for visit in course if visit.exam is not None]
    if len(exams) < 2:
        return _("No pictures side by side: that takes images of two visits.")
    if not exams[0].exam.has_tumour:  # type: ignore[union-attr]
        return _("No pictures side by side: {visit} has no tumour mask.").format(visit=exams[0].name)
    return ""


def reference_signal(exam: Exam) -> float:
    """Return the median pre-contrast signal of tissue, by which an exam is divided before it is compared."""
    some = tuple(slice(None, None, max(1, size // _LOOKED_AT)) for size in exam.pre.shape)
    pre = exam.pre[some].astype(np.float32)
    tissue = pre[pre > _TISSUE * np.percentile(pre, 99)]
    return max(float(np.median(tissue)), 1e-6) if tissue.size else 1.0


def _finite(exam: Exam) -> Exam:
    """Return the exam with voxels that are no number as 0, which are black and do not spoil the scale of all others."""
    phases = ("pre", "early")
    bad = [name for name in phases if not np.isfinite(getattr(exam, name).sum(dtype=np.float64))]
    return replace(exam, **{name: np.nan_to_num(getattr(exam, name), posinf=0.0, neginf=0.0) for name in bad})


class _Place(NamedTuple):
    """Where a tumour is or was, (k, j, i) bool: that of the visit, the baseline's carried over, and what is shown."""

    own: np.ndarray
    carried: np.ndarray
    where: np.ndarray
    registration: Registration | None


def _place(exam: Exam, first: Exam, registration: Registration | None) -> _Place:
    own = np.zeros(exam.geometry.shape, bool) if exam.mask is None else np.asarray(exam.mask) != 0
    if exam is first:
        return _Place(own, own, own, None)
    carried = np.zeros_like(own)
    if registration is not None and registration.holds:
        carried = carry_mask(registration, np.asarray(first.mask), exam) != 0
    where = own | carried
    if not where.any():  # the tumour is gone and nothing is known of its place: the middle of the exam
        where[tuple(size // 2 for size in where.shape)] = True
    return _Place(own, carried, where, registration)


def _panel(name: str, exam: Exam, place: _Place, edge: float) -> Panel:
    view, reference = slice_view(exam.geometry), reference_signal(exam)
    early, difference = (
        np.asarray(view.order.view(array), np.float32) / reference
        for array in (exam.early, subtract(exam.early, exam.pre))
    )
    own, carried, where = (view.order.view(array) for array in place[:3])
    index = int(np.count_nonzero(where, axis=(1, 2)).argmax())
    zoom = view.zoom(place.where, edge)
    has_place = bool((place.own | place.carried).any())
    return Panel(name, view, early, difference, own, carried, index, zoom, place.registration, has_place)


def _limits(exam: Exam, where: np.ndarray) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the black and white levels of early phase and subtraction near the tumour, in units of the reference."""
    near, reference = near_tumour(replace(exam, mask=where, lesions=())), reference_signal(exam)
    early, pre, mask = exam.early[near], exam.pre[near], where[near]
    grey, difference = grey_limits(early, mask), enhancement_limits(early, pre, mask)
    return (grey[0] / reference, grey[1] / reference), (0.0, difference[1] / reference)
