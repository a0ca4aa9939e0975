"""A cohort with several visits per patient: each patient's course, read, checked and measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import DataError, Notice, Problem, of_one_patient
from ..reading.cohort import CohortPatient, find_patients, visits_of
from ..reading.sources import PatientSource
from ..response.checks import check_course, check_exams
from ..response.course import VISITS, Course
from .given import GivenVisit
from .read import measure_course, read_exams

Report = Callable[[str], None]


@dataclass(frozen=True)
class CohortCourse:
    """The files of one patient's visits.

    Args:
        patient_id: as the cohort names it.
        visits: name to the files of the visit, in the order of time.
        row: of the cohort's table.
    """

    patient_id: str
    visits: Mapping[str, CohortPatient]
    row: Mapping[str, str]

    def usable(self) -> tuple[list[GivenVisit], list[Problem]]:
        """Return the visits that have phases and a mask, and why the others are left out."""
        given, problems = [], []
        for name, patient in self.visits.items():
            if reason := _why_not(patient):
                problems.append(Problem(self.patient_id, f"{name}: {reason}"))
                continue
            source = PatientSource(name=self.patient_id, patient=replace(patient, mask=None), mask=patient.mask)
            day, doubt = _day(self.row, name)
            given.append(GivenVisit(name, replace(source, labels=patient.labels), day=day))
            problems += [Problem(self.patient_id, doubt)] if doubt else []
        return given, problems


def find_courses(cohort: Path, report: Report = lambda _: None) -> list[CohortCourse]:
    """Return the patients of a cohort with visits, in the order of their identifiers.

    Args:
        report: called with each sentence about what was guessed or left aside.

    Raises:
        DataError: if the folder is no cohort, or has one exam per patient.
    """
    names = visits_of(cohort)
    if not names:
        raise DataError(
            f"{cohort}: must have several visits per patient, as images/<patient>/T0 and T1, or {{visit}} in "
            "cohort.json; got one exam per patient"
        )
    found = {name: find_patients(cohort, report if name == names[0] else lambda _: None, name) for name in names}
    by_patient: dict[str, dict[str, CohortPatient]] = {}
    for name, patients in found.items():
        for patient in patients:
            by_patient.setdefault(patient.patient_id, {})[name] = patient
    return [CohortCourse(key, visits, _row_of(visits)) for key, visits in sorted(by_patient.items())]


def check_patient(found: CohortCourse) -> tuple[list[Notice], list[Problem]]:
    """Return warnings about a patient's visits, and why some cannot be used.

    Args:
        found: whose exams are read and compared, and not measured.
    """
    given, problems = found.usable()
    try:
        with of_one_patient():
            course = read_exams(given, found.row) if given else Course({})
            notices = check_exams(course)
    except DataError as error:
        return [], [*problems, Problem(found.patient_id, str(error))]
    read = [notice for visit in course if visit.exam is not None for notice in visit.exam.provenance.notices]
    return [*read, *notices], problems


def measure_patient(found: CohortCourse) -> tuple[Course, list[Problem]]:
    """Return the measured course of a patient with all warnings in its visits, and why some visits were left out.

    Args:
        found: whose exams are read, checked and measured.

    Raises:
        DataError: if no visit can be used, or the exams are not of one tumour in the order of time.
    """
    given, problems = found.usable()
    if not given:
        raise DataError(f"{found.patient_id}: has no visit that can be used; {problems[0].reason}")
    course = measure_course(read_exams(given, found.row), given)
    course = replace(course, clinical=found.row, patient_id=found.patient_id)
    last = course.visits[course.last]
    last = replace(last, notices=(*last.notices, *check_course(course)))
    return replace(course, visits={**course.visits, last.name: last}), problems


def _why_not(patient: CohortPatient) -> str:
    if patient.problem:
        return patient.problem
    return "" if patient.mask is not None else f"has no tumour mask; add {patient.place_of_mask}"


def _day(row: Mapping[str, str], visit: str) -> tuple[int | None, str]:
    """Return the day of a visit by the table, and what is wrong with it, "" if nothing is."""
    text = str(row.get(f"day_{visit.lower()}", "")).strip()
    if not text:
        return None, ""
    try:
        return round(float(text)), ""
    except ValueError:
        return None, f"day_{visit} of the table must be days after {VISITS[0]}, got {text}; it counts as unknown"


def _row_of(visits: Mapping[str, CohortPatient]) -> Mapping[str, str]:
    """Return the row of the table, of the first visit that has one."""
    return next((patient.row for patient in visits.values() if patient.row), {})
