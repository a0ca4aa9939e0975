"""The visits of a patient read, checked and measured as a course."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from ..errors import DataError, Notice
from ..exam import Exam
from ..lesion.sides import separate_sides
from ..reading.mask import add_mask
from ..response.checks import check_exams
from ..response.course import Course, Visit, VisitValues, earliest_values
from .dates import with_days
from .facts import with_facts
from .given import GivenVisit
from .measured import measure_in_course, with_notice

Report = Callable[[str], None]
T = TypeVar("T")
_UNKNOWN = VisitValues()


def read_course(
    given: Sequence[GivenVisit],
    clinical: Mapping[str, object],
    one_patient: bool = False,
    report: Report = lambda _: None,
) -> Course:
    """Read the exams of a patient's visits, check that they can be compared, and measure each.

    Args:
        given: two visits or more in the order of time; other arguments as of `read_exams`.
        clinical: as there.
        one_patient: as there.
        report: as there.

    Returns:
        The course; warnings about one visit are in `Visit.notices`.

    Raises:
        DataError: if there is a single visit, or as `read_exams` and `measure_course`.
    """
    _check_number(given)
    return measure_course(read_exams(given, clinical, one_patient, report), given, report)


def read_exams(
    given: Sequence[GivenVisit],
    clinical: Mapping[str, object],
    one_patient: bool = False,
    report: Report = lambda _: None,
) -> Course:
    """Read the exams of a patient's visits and check that they can be compared; their values are not known yet.

    Args:
        given: visits in the order of time.
        clinical: of the patient; it replaces what the exams' sources have.
        one_patient: accept exams whose headers name different patients.
        report: called with what is done now.

    Raises:
        DataError: if an exam or mask cannot be read, a visit has no tumour and nothing is said about it, or the exams
            are not of one tumour in the order of time.
    """
    exams: dict[str, Exam] = {}
    for visit in given:
        report(f"{visit.name}: reading")
        exams[visit.name] = _named(visit.name, replace(visit.source, mask=None).read)
    exams = {visit.name: separate_sides(_with_tumour(visit, exams, visit is given[0])) for visit in given}
    known = earliest_values(exam.clinical for exam in exams.values())
    identifier = next((exam.provenance.patient_id for exam in exams.values()), None)
    visits = {name: Visit(name, _UNKNOWN, exam) for name, exam in exams.items()}
    days = {visit.name: visit.day for visit in given}
    course = with_days(with_facts(Course(visits, {**known, **clinical}, identifier)), days)
    check_exams(course, one_patient)
    return course


def _check_number(given: Sequence[GivenVisit]) -> None:
    """Refuse a single visit: there is no response without a second exam."""
    if len(given) > 1:
        return
    if given and given[0].name != "T0":
        raise DataError(
            f"a follow-up must have T0, the exam before treatment, got {given[0].name} alone; add --visit T0 with that "
            "exam"
        )
    raise DataError(
        "a follow-up must have two visits or more, got one; add a later exam, such as --visit T1, or predict one exam "
        "with pcr predict"
    )


def _with_tumour(visit: GivenVisit, exams: Mapping[str, Exam], first: bool) -> Exam:
    """Return the exam of a visit with its tumour: drawn, an empty mask if it is gone, none if it is the baseline's."""
    name, exam = visit.name, exams[visit.name]
    if first and visit.use != "drawn":
        raise DataError(
            f"{name} is the first visit and must have a tumour, got --mask {name} {visit.use}; give its mask"
        )
    if visit.use == "gone":
        return replace(exam, mask=np.zeros(exam.geometry.shape, np.uint8), lesions=())
    if visit.use == "baseline":
        return replace(exam, mask=None, lesions=())
    if visit.source.mask is not None:
        exam = _with_mask(visit, exams)
    if exam.mask is None:
        raise DataError(_no_mask(name, first))
    if exam.has_tumour:
        return exam
    if first:
        raise DataError(f"{name} is the first visit and must have a tumour, got an empty mask; give its mask")
    text = f"The mask of {name} has no voxel: read as a tumour that is gone, of volume 0."
    return with_notice(exam, Notice("mask_empty", text))


def _no_mask(name: str, first: bool) -> str:
    if first:
        return f"{name}: no tumour mask; give it with --mask {name} FILE"
    return (
        f"{name}: no tumour mask; give it with --mask {name} FILE, say --mask {name} gone if the tumour is gone, or "
        f"--mask {name} baseline to measure what enhances inside the outline of the first visit"
    )


def _with_mask(visit: GivenVisit, exams: Mapping[str, Exam]) -> Exam:
    """Return an exam with the mask of its file; of one that lies on the grid of another visit, say so."""
    name, mask, labels = visit.name, visit.source.mask, visit.source.labels
    assert mask is not None
    try:
        return add_mask(exams[name], mask, labels)
    except DataError as error:
        for other, exam in exams.items():
            if other != name and _fits(exam, visit):
                raise DataError(
                    f"{name}: the mask {mask.name} lies on the grid of {other}; give {name} a mask that was drawn on "
                    "its own exam: the two may be swapped"
                ) from None
        raise DataError(f"{name}: {error}") from None


def _fits(exam: Exam, visit: GivenVisit) -> bool:
    try:
        add_mask(exam, visit.source.mask, visit.source.labels)  # type: ignore[arg-type]
    except DataError:
        return False
    return True


def measure_course(course: Course, given: Sequence[GivenVisit], report: Report = lambda _: None) -> Course:
    """Return a course with the values of each visit: of the tumour in the breast of the first visit.

    Args:
        course: from `read_exams`.
        given: its visits.
        report: called with what is done now.

    Raises:
        DataError: if a visit cannot be measured.
    """
    uses = {visit.name: visit.use for visit in given}
    first: Visit | None = None
    visits: dict[str, Visit] = {}
    for visit in course:
        report(f"{visit.name}: measuring")
        measured = visits[visit.name] = measure_in_course(visit, uses[visit.name], first)
        first = first or (measured if measured.exam is not None and measured.exam.has_tumour else None)
    return replace(course, visits=visits)


def _named(name: str, read: Callable[[], T]) -> T:
    """Return what a step gives; its error names the visit."""
    try:
        return read()
    except DataError as error:
        raise DataError(f"{name}: {error}") from None
