"""Courses from tables of what was measured at visits. The training library reads such tables, and adds its reader."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataError, Problem
from ..response.course import Course


@dataclass(frozen=True, eq=False)
class CourseTable:
    """The patients of a table.

    Args:
        courses: of each patient with a visit; clinical values are those of the table.
        left_out: patients that cannot be used, and why.
        notes: what was recognised, converted, or not used, sentences.
        warnings: what looks wrong, sentences.
    """

    courses: tuple[Course, ...]
    left_out: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


TableReader = Callable[[Sequence[Path], Path | None, Sequence[str]], CourseTable]
READERS: list[TableReader] = []  # in order of precedence


def read_courses(tables: Sequence[Path], mapping: Path | None = None, units: Sequence[str] = ()) -> CourseTable:
    """Read the patients of tables.

    Args:
        tables: CSV or Excel, joined by patient.
        mapping: JSON with names of columns and units, for what the table does not say.
        units: of columns whose names have none.

    Raises:
        DataError: if it cannot be read, or only the part of `pcr` without training is installed.
    """
    if not READERS:
        raise DataError(f"{tables[0]}: tables of visits are read by the whole pcr; install PCRTrainingLib, too")
    return READERS[0](tables, mapping, units)


def only_course(table: Path, found: CourseTable) -> Course:
    """Return the course of the only patient of a table.

    Args:
        table: for messages.
        found: its patients.

    Raises:
        DataError: if there is not one patient, or the patient has one visit.
    """
    if len(found.courses) + len(found.left_out) != 1:
        number = len(found.courses) + len(found.left_out)
        raise DataError(f"{table}: must hold one patient, got {number}; give a table of several with --table")
    if found.left_out:
        raise DataError(f"{table}: the patient {found.left_out[0].reason}")
    course = found.courses[0]
    if len(course.visits) < 2:
        raise DataError(
            f"{table}: must have two visits or more, got {course.last} alone; add columns of a different visit, such "
            f"as functional_volume_ml_{'T1' if course.last == 'T0' else 'T0'}"
        )
    return course
