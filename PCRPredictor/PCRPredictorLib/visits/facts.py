"""Facts from the headers of an exam's DICOM files, beyond what reading an exam needs."""

from __future__ import annotations

from dataclasses import replace

import pydicom

from ..dicom.datasets import read_dataset
from ..dicom.headers import tag_number, tag_text, tag_value
from ..dicom.kinds import Kind
from ..exam import Exam
from ..lesion.body import Side
from ..response.course import Course
from ..response.facts import ExamFacts
from .dates import Dates, choose_dates, dates_in

_TAGS = [
    "PatientID", "PatientBirthDate", "SeriesInstanceUID", "StudyDate", "AcquisitionDate", "AcquisitionDateTime",
    "Manufacturer", "MagneticFieldStrength", "ScanOptions", "Laterality", "ImageLaterality",
    "SharedFunctionalGroupsSequence",
]  # fmt: skip
_SIDES: dict[str, Side] = {"L": "left", "R": "right"}


def facts_of(exam: Exam) -> tuple[ExamFacts, Dates]:
    """Return what the source of an exam says about it, and its dates."""
    found = exam.provenance.picked
    facts = ExamFacts(patient_id=exam.provenance.patient_id or "", phases=found.found if found else None)
    header = _header(exam)
    if header is None:
        return facts, Dates()
    facts = replace(
        facts,
        patient_id=tag_text(header, "PatientID"),
        birth_date=tag_text(header, "PatientBirthDate"),
        series=tag_text(header, "SeriesInstanceUID"),
        side=side_of(header),
        manufacturer=tag_text(header, "Manufacturer").upper(),
        field_strength=_tesla(header),
        fat_suppressed=Kind.of(header).fat_suppressed,
    )
    return facts, dates_in(header)


def with_facts(course: Course) -> Course:
    """Return a course whose visits have the facts and dates of their exams, unless they have some already."""
    asked = [visit for visit in course if visit.exam is not None and visit.facts == ExamFacts()]
    found = [facts_of(visit.exam) for visit in asked if visit.exam is not None]
    dates = choose_dates([dates for _, dates in found])
    known = {
        visit.name: replace(visit, facts=facts, date=visit.date or date)
        for visit, (facts, _), date in zip(asked, found, dates, strict=True)
    }
    return replace(course, visits={**course.visits, **known})


def side_of(header: pydicom.Dataset) -> Side | None:
    """Return the breast that a header names; None if it names none, or both."""
    groups = tag_value(header, "SharedFunctionalGroupsSequence") or []
    anatomy = [item for group in groups for item in tag_value(group, "FrameAnatomySequence") or []]
    words = [tag_text(header, "ImageLaterality"), tag_text(header, "Laterality")]
    words += [tag_text(item, "FrameLaterality") for item in anatomy]
    return next((_SIDES[word.upper()] for word in words if word.upper() in _SIDES), None)


def _header(exam: Exam) -> pydicom.Dataset | None:
    if not exam.provenance.files:
        return None
    try:
        return read_dataset(exam.provenance.files[0], stop_before_pixels=True, specific_tags=_TAGS, force=True)
    except Exception:  # the file was read a moment ago; what is not there any more is not compared
        return None


def _tesla(header: pydicom.Dataset) -> float | None:
    """Return the field strength; some scanners write gauss."""
    value = tag_number(header, "MagneticFieldStrength")
    return value / 10_000 if value is not None and value > 100 else value
