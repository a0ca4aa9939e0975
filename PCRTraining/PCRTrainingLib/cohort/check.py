"""Problems of a cohort's patients. Training leaves such patients out; `pcr check` lists them."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from PCRPredictorLib.checks import check_exam
from PCRPredictorLib.child import emit
from PCRPredictorLib.clinical import Category, ClinicalSchema, Number, is_missing
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Exam
from PCRPredictorLib.reading.cohort import CohortPatient, find_patients, read_patient

from ..progress import Progress
from ..schema import USUAL, build_schema

LABEL = "pcr"
_NO, _YES = {"0", "0.0", "false"}, {"1", "1.0", "true"}
_THREADS = 2
T = TypeVar("T")


@dataclass(frozen=True)
class Problem:
    """A patient left out, and the reason as a sentence."""

    patient_id: str
    reason: str


def read_labels(patients: Sequence[CohortPatient]) -> list[int | None]:
    """Return each patient's label: 1 for pCR, 0 for no pCR, None if the table has no value.

    Raises:
        DataError: if there are no patients, the table has no labels, or one is neither 0 nor 1.
    """
    if not patients:
        raise DataError("the cohort has no patients; put the phases of each into images/<patient>")
    if not any(LABEL in patient.row for patient in patients):
        raise DataError(
            f"the cohort's table must have a column {LABEL} (1 for complete response, 0 for no complete response); "
            "add it, or map another column in cohort.json"
        )
    return [parse_label(patient.row.get(LABEL, "")) for patient in patients]


def parse_label(text: str) -> int | None:
    """Return a label from the text of a table: 1, 0, or None if it is empty.

    Raises:
        DataError: if it is neither 0, 1 nor empty.
    """
    if is_missing(text):
        return None
    text = str(text).strip().lower()
    if text not in _NO | _YES:
        raise DataError(
            f"{LABEL} must be 0, 1 or empty, got {text!r}; write 0 and 1, or map the values in cohort.json "
            f'("values": {{"{LABEL}": {{"{text}": "1"}}}})'
        )
    return int(text in _YES)


def examine(patient: CohortPatient, schema: ClinicalSchema) -> Exam:
    """Return the exam of a patient that training can use.

    Raises:
        DataError: if training cannot use it, with the reason.
    """
    try:
        exam = read_patient(patient)
        check_exam(exam)
        schema.parse(exam.clinical)
    except DataError as error:
        raise DataError(str(error).removeprefix(f"{patient.patient_id}: ")) from None
    return exam


def count(number: int, noun: str) -> str:
    """Return a count with its noun: "1 patient", "2 patients"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def image_hash(exam: Exam) -> str:
    """Return a hash of the early phase's voxels, the same for copies of an exam under any name."""
    return hashlib.blake2b(np.ascontiguousarray(exam.early).tobytes(), digest_size=8).hexdigest()


def identifier_hash(patient_id: str) -> str:
    """Return a hash of an identifier, the same in any case; a short identifier can be found by trying all of them."""
    return hashlib.blake2b(patient_id.strip().lower().encode(), digest_size=8, person=b"BreastPCR").hexdigest()


def find_duplicate_ids(patients: Iterable[CohortPatient]) -> dict[str, str]:
    """Return the patients whose identifiers differ only in case, with what to do; all of them are in doubt."""
    ids = [patient.patient_id for patient in patients]
    seen = Counter(name.lower() for name in ids)
    return {
        name: "its identifier occurs twice, differing only in case; keep one" for name in ids if seen[name.lower()] > 1
    }


def examine_all(
    patients: Sequence[CohortPatient],
    labels: Sequence[int | None],
    schema: ClinicalSchema,
    use: Callable[[Exam], T],
) -> Iterator[tuple[int, T | Problem]]:
    """Examine a cohort's patients in order, with a few exams in memory at a time.

    Args:
        use: called with each exam that can be used.

    Yields:
        Position of the patient, and the result of `use` or the problem.
    """
    duplicates, seen = find_duplicate_ids(patients), dict[str, str]()
    examined = _map(partial(_examine_one, schema, use, duplicates), zip(patients, labels, strict=True))
    for k, (result, mark) in enumerate(examined):
        name = patients[k].patient_id
        if not isinstance(result, Problem) and seen.setdefault(mark, name) != name:
            result = Problem(name, f"has the same images as {seen[mark]}; keep one of the two")
        yield k, result


def _examine_one(
    schema: ClinicalSchema,
    use: Callable[[Exam], T],
    duplicates: dict[str, str],
    task: tuple[CohortPatient, int | None],
) -> tuple[T | Problem, str]:
    patient, label = task
    if patient.patient_id in duplicates:
        return Problem(patient.patient_id, duplicates[patient.patient_id]), ""
    if label is None:
        return Problem(patient.patient_id, f"has no label; fill in {LABEL} in the table"), ""
    try:
        exam = examine(patient, schema)
        return use(exam), image_hash(exam)
    except DataError as error:
        return Problem(patient.patient_id, str(error)), ""


def _map(function: Callable, tasks: Iterable) -> Iterator:
    """Map on threads that run ahead by a few tasks only, so that few results wait in memory."""
    with ThreadPoolExecutor(_THREADS) as pool:
        waiting: list = []
        for task in tasks:
            waiting.append(pool.submit(function, task))
            if len(waiting) > 2 * _THREADS:
                yield waiting.pop(0).result()
        for future in waiting:
            yield future.result()


def check_cohort(
    cohort: Path, progress: Progress, variables: Iterable[str | Category | Number] = USUAL
) -> tuple[int, list[Problem]]:
    """Check a cohort as training would; return the number of patients and their problems.

    Args:
        variables: clinical variables of the run, see `TrainingConfig.clinical`.

    Raises:
        DataError: if the cohort or its table cannot be read at all.
    """
    patients = find_patients(cohort)
    labels = read_labels(patients)
    schema, _ = build_schema(variables, [patient.row for patient in patients])
    progress.start("Checking", len(patients))
    problems = []
    for k, result in examine_all(patients, labels, schema, lambda exam: None):
        progress.advance()
        if isinstance(result, Problem):
            problems.append(result)
        emit("checked", **_describe(patients[k], labels[k], result))
    return len(patients), problems


def _describe(patient: CohortPatient, label: int | None, result: Problem | None) -> dict[str, object]:
    """Return a patient's row for the table of a parent process."""
    return {
        "patient_id": patient.patient_id,
        "label": "" if label is None else label,
        "site": patient.row.get("site", ""),
        "phases": len(patient.phases),
        "mask": patient.mask.parent.name if patient.mask else "",
        "problem": result.reason if isinstance(result, Problem) else "",
    }
