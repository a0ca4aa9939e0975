"""Dates of exams, for their order and the days between them; they reach no report, JSON file or log."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import pydicom

from ..dicom.headers import tag_text
from ..response.course import Course

_FORMAT = "%Y%m%d"
_START = datetime.date(1900, 1, 1)  # of days that are given without a date


class Dates(NamedTuple):
    """The date of a study and of an acquisition in it; None if unknown."""

    study: datetime.date | None = None
    acquisition: datetime.date | None = None


def dates_in(header: pydicom.Dataset) -> Dates:
    """Return the dates in a header."""
    acquired = _parse(header, "AcquisitionDate") or _parse(header, "AcquisitionDateTime")
    return Dates(_parse(header, "StudyDate"), acquired)


def choose_dates(exams: Sequence[Dates]) -> list[datetime.date | None]:
    """Return one date for each exam: of the study, or of the acquisition if all studies have one date, or none.

    De-identification may replace the dates of studies by a single one.
    """
    studies = {dates.study for dates in exams}
    acquired = [dates.acquisition for dates in exams]
    if len(studies) == 1 and len(exams) > 1 and None not in acquired:
        return acquired
    return [dates.study or dates.acquisition for dates in exams]


def with_days(course: Course, given: Mapping[str, int | None]) -> Course:
    """Return the course with the days that were given, if any were, instead of the dates of the exams.

    Args:
        given: days after the first visit, by visit.
    """
    days = {visit.name: given.get(visit.name) for visit in course}
    if all(day is None for day in days.values()):
        return course
    first = next(iter(days))
    days[first] = days[first] or 0
    dates = {name: None if day is None else _START + datetime.timedelta(days=day) for name, day in days.items()}
    return replace(course, visits={visit.name: replace(visit, date=dates[visit.name]) for visit in course})


def _parse(header: pydicom.Dataset, tag: str) -> datetime.date | None:
    try:
        return datetime.datetime.strptime(tag_text(header, tag).replace(".", "")[:8], _FORMAT).date()
    except ValueError:
        return None
