"""The visits of a cohort's patients, checked: how many there are, and which exams cannot be compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from PCRPredictorLib.errors import Problem, group_problems
from PCRPredictorLib.exam import VISITS
from PCRPredictorLib.formatting import count
from PCRPredictorLib.reading.cohort import visits_of
from PCRPredictorLib.visits.cohort import CohortCourse, check_patient, find_courses

from ..progress import Progress

_FIRST = VISITS[0]


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
        lines.append(f"warning: {count(len(without), 'patient')} without {_FIRST}: {', '.join(without[:5])}")
    return lines
