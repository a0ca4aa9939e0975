"""The visits of a cohort's patients: how many there are, which exams cannot be compared, and what is measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from PCRPredictorLib.errors import DataError, Problem, group_problems, of_one_patient
from PCRPredictorLib.exam import VISITS
from PCRPredictorLib.formatting import count, first_few
from PCRPredictorLib.reading.cohort import visits_of
from PCRPredictorLib.response.course import QUANTITIES, Course
from PCRPredictorLib.visits.cohort import CohortCourse, check_patient, find_courses, measure_patient
from PCRPredictorLib.writing import write_whole_csv

from ..progress import Progress

_FIRST = VISITS[0]
_SHOWN = 5  # patients of a warning


def check_visits(cohort: Path, progress: Progress) -> list[Problem]:
    """Read every visit of every patient and compare them; return the problems, but those of the first exam alone.

    `check_cohort` finds those, since they are the exams that a model of one exam is trained on.

    Args:
        cohort: folder; without visits it has no problems here.
        progress: is told how many patients have which visits, and all warnings.

    Raises:
        DataError: if the cohort or its table cannot be read at all.
    """
    if not visits_of(cohort):
        return []
    patients = find_courses(cohort)
    for line in count_visits(patients):
        progress.say(line)
    progress.start("Checking visits", len(patients))
    problems, warnings = [], []
    for patient in patients:
        found, wrong = check_patient(patient)
        problems += [problem for problem in wrong if not problem.reason.startswith(f"{_FIRST}: ")]
        warnings += [Problem(patient.patient_id, notice.message) for notice in found]
        progress.advance()
    for group in group_problems(warnings):
        progress.say(f"warning: {group.describe()}")
    return problems


def count_visits(patients: Sequence[CohortCourse]) -> list[str]:
    """Return sentences about how many patients have each visit, and each set of visits."""
    each = Counter(name for patient in patients for name in patient.visits)
    sets = Counter(" ".join(patient.visits) for patient in patients)
    masks = Counter(name for patient in patients for name, files in patient.visits.items() if files.mask is None)
    lines = [
        f"visits of {count(len(patients), 'patient')}: {', '.join(f'{name} {each[name]}' for name in sorted(each))}"
    ]
    if len(sets) > 1:
        lines.append("sets of visits: " + "; ".join(f"{names} {number}" for names, number in sets.most_common()))
    lines += [f"{name}: {count(masks[name], 'patient')} without a mask" for name in sorted(masks)]
    without = [patient.patient_id for patient in patients if _FIRST not in patient.visits]
    if without:
        lines.append(f"warning: {count(len(without), 'patient')} without {_FIRST}: {first_few(without)}")
    return lines


def measure_cohort(cohort: Path, progress: Progress, table: Path) -> list[Problem]:
    """Measure every visit of every patient and write a table of them; return what was left out, and why.

    Args:
        cohort: folder with visits.
        progress: is told all warnings.
        table: CSV that is written: a row per patient, with the columns of the cohort's own table.

    Raises:
        DataError: if the cohort cannot be read, no patient can be measured, or the table cannot be written.
    """
    patients = find_courses(cohort, progress.say)
    progress.start("Measuring visits", len(patients))
    rows: list[dict[str, object]] = []
    problems, warnings = [], []
    for patient in patients:
        try:
            with of_one_patient():
                course, wrong = measure_patient(patient)
        except DataError as error:
            problems.append(Problem(patient.patient_id, str(error).removeprefix(f"{patient.patient_id}: ")))
        else:
            problems += wrong
            told = dict.fromkeys(notice.message for visit in course for notice in visit.notices)
            warnings += [Problem(patient.patient_id, message) for message in told]
            rows.append({**patient.row, **_columns_of(course), "patient_id": patient.patient_id})
        progress.advance()
    for group in group_problems(warnings):
        progress.say(f"warning: {group.describe(_SHOWN)}")
    if not rows:
        raise DataError(f"{cohort}: no patient could be measured; the first: {problems[0].reason}")
    columns = list(dict.fromkeys(["patient_id", *(name for row in rows for name in row)]))
    write_whole_csv(columns, [[row.get(name, "") for name in columns] for row in rows], table)
    return problems


def _columns_of(course: Course) -> dict[str, float]:
    """Return what was measured at each visit, by the names of a table of visits."""
    found = {q.column(visit.name): visit.values.get(q.name) for visit in course for q in QUANTITIES}
    return {name: value for name, value in found.items() if value is not None}
