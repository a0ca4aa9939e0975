"""One visit measured: its own tumour, none as it is gone, or what enhances inside the baseline's outline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ..errors import DataError, Notice, within_memory
from ..exam import Exam, Lesion
from ..formatting import format_volume
from ..lesion.body import Side
from ..registration.rigid import carry_mask, register
from ..response.checks import breast_of
from ..response.course import Use, Visit, VisitValues
from ..response.measure import Measured, measure_visit

MARGIN_MM = 5.0  # by which the baseline's outline is widened, as the breast lies anew
_LEFT_ML, _LEFT_SHARE = (
    0.3,
    0.1,
)  # of the baseline's functional volume: less than both may remain of a tumour that is gone


def measure_exam(exam: Exam, side: Side | None = None, inside: Exam | None = None) -> Measured:
    """Return what is measured at a visit.

    Args:
        exam: with the tumour's mask, which is empty if it is gone; without a mask if `inside` is given.
        side: of the tumour's breast, from an earlier visit.
        inside: the baseline exam with its mask: what enhances inside its outline is measured.

    Raises:
        DataError: if the exam cannot be measured, or the baseline cannot be brought over.
    """
    with within_memory():
        if inside is None:
            return measure_visit(exam, None, side)
        found = register(inside, exam)
        if not found.holds:
            raise DataError(
                f"the baseline's outline cannot be brought over to this visit ({found.message.rstrip('.')}); segment "
                "its tumour instead, or say that it is gone"
            )
        within = carry_mask(found, inside.labelled_mask(), exam, MARGIN_MM)  # of all tumours
        measured = measure_visit(replace(exam, mask=None, lesions=()), within, side)
        text = f"Measured inside the baseline's outline, widened by {MARGIN_MM:.0f} mm. {found.message}"
        return replace(measured, notices=(*measured.notices, Notice("inside_baseline", text)))


def measure_in_course(visit: Visit, use: Use, first: Visit | None) -> Visit:
    """Return a visit with its values and warnings: of the tumour in the breast of the first visit.

    Args:
        visit: with its exam: with the mask that is drawn, empty if the tumour is gone, none if `use` is "baseline".
        use: what counts as the tumour, see `GivenVisit`.
        first: the first visit as it was measured; None if this is it.

    Raises:
        DataError: if it cannot be measured.
    """
    if visit.exam is None:
        raise DataError(f"{visit.name} must have an exam to be measured, got values alone; give its exam")
    side = breast_of(first)[0] if first is not None and first.exam is not None and first.exam.has_tumour else None
    exam = _one_tumour(visit.exam, side, visit.name)
    side = side or breast_of(replace(visit, exam=exam))[0]
    inside = first.exam if use == "baseline" and first is not None else None
    try:
        found = measure_exam(exam, side, inside)
    except DataError as error:
        raise DataError(f"{visit.name}: {error}") from None
    if inside is not None:
        exam = replace(exam, mask=found.functional.astype(np.uint8))
    notices = (*exam.provenance.notices, *found.notices)
    if found.values.gone and first is not None and first.exam is not None:
        notices += tuple(_doubt_gone(exam, side, first))
    return replace(visit, exam=exam, values=found.values, notices=notices)


def _doubt_gone(exam: Exam, side: Side | None, first: Visit) -> Iterator[Notice]:
    """Yield a warning if a tumour that is said to be gone still enhances where it was at the first visit."""
    before = first.values.functional_volume_ml
    if first.exam is None or not first.exam.has_tumour or not before:
        return
    try:
        left = measure_exam(replace(exam, mask=None), side, first.exam).values.functional_volume_ml or 0.0
    except DataError:
        text = "The tumour is said to be gone; whether it still enhances could not be checked, as the exams do not fit."
        yield Notice("gone_unchecked", text)
        return
    if left >= max(_LEFT_ML, _LEFT_SHARE * before):
        text = (
            f"The tumour is said to be gone, but inside its first outline {format_volume(left)} still enhance "
            f"({format_volume(before)} before): check the exam, and outline what is left."
        )
        yield Notice("gone_but_enhances", text)


def with_notice(exam: Exam, notice: Notice) -> Exam:
    """Return an exam with a further warning about how it was read."""
    return replace(exam, provenance=replace(exam.provenance, notices=(*exam.provenance.notices, notice)))


def _one_tumour(exam: Exam, side: Side | None, name: str) -> Exam:
    """Return the exam with one tumour: all its lesions together, of lesions in both breasts those of the first visit.

    Args:
        exam: with one or several lesions.
        side: of the tumour at an earlier visit; by default that of the largest lesion.
        name: of the visit.
    """
    if not exam.lesions:
        return exam
    alone = [replace(exam, mask=lesion.mask, lesions=()) for lesion in exam.lesions]
    sides = [breast_of(Visit(name, VisitValues(), one))[0] for one in alone]
    wanted = side or sides[0]
    used = [one for one, of in zip(alone, sides, strict=True) if of in (wanted, None)] or alone
    mask = np.any([np.asarray(one.mask) for one in used], axis=0).astype(np.uint8)
    text = f"{name} has {len(exam.lesions)} lesions: {len(used)} measured as one tumour"
    text += f", those in the {wanted} breast; the others are not followed." if len(used) < len(exam.lesions) else "."
    return with_notice(exam.with_lesions([Lesion("tumour", mask)]), Notice("lesions_together", text))
