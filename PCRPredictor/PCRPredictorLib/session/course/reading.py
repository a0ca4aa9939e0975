"""The exams in a file or folder as visits: of any kind that is read, or several studies in a DICOM folder."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from ...dicom.exam import read_dicom_exam
from ...reading.sources import DicomSource, Source, find_sources, only_source
from ...response.course import Course
from ...visits.propose import ASIDE, propose_visits
from ...visits.studies import find_studies
from ...visits.table import only_course, read_courses
from .study import Study

TABLES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm")


def studies_in(place: Path, visit: str = "") -> list[Study]:
    """Return the exam in a file or folder, or the studies of a DICOM folder, each with a visit that is proposed.

    Args:
        visit: proposed for a single exam, "" for the next one.

    Raises:
        DataError: if there is no exam, or the folder holds several patients.
    """
    found = find_sources([place])
    if len(found) != 1 or not isinstance(found[0], DicomSource):
        return [study_of(only_source(place), visit)]
    studies = find_studies(place)
    if len(studies.exams) < 2:
        return [study_of(found[0], visit)]
    aside = [f"not used: study of {study.describe()}" for study in studies.left_aside]
    remark = "; ".join([*(notice.message for notice in studies.notices), *aside])
    names: Sequence[str] = propose_visits(studies.exams) or [ASIDE] * len(studies.exams)
    return [
        Study(
            study.describe(),
            "" if name == ASIDE else name,
            partial(read_dicom_exam, place, files=study.files),
            study.date,
            remark=remark,
        )
        for study, name in zip(studies.exams, names, strict=True)
    ]


def is_table(place: Path) -> bool:
    """Return True if a file is a table by its name."""
    return place.is_file() and place.suffix.lower() in TABLES


def values_in(table: Path) -> tuple[Course, list[str]]:
    """Return the visits of the only patient of a table, and sentences about what was and was not recognised.

    Raises:
        DataError: if it is no such table.
    """
    found = read_courses([table])
    return only_course(table, found), [*found.notes, *found.warnings]


def study_of(source: Source, visit: str = "") -> Study:
    """Return an exam that can be opened as a study.

    Args:
        visit: that is proposed for it, "" for the next one.
    """
    return Study(source.name, visit, source.read)
