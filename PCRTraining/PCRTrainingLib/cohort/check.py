"""Problems of a cohort's patients. Training leaves such patients out; `pcr check` lists them."""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from PCRPredictorLib.child import emit
from PCRPredictorLib.clinical import Category, ClinicalSchema, Number
from PCRPredictorLib.engine.apart import Apart, is_possible
from PCRPredictorLib.engine.tasks import Killing
from PCRPredictorLib.errors import DataError, Notice, Problem, group_problems, of_one_patient
from PCRPredictorLib.exam import Exam
from PCRPredictorLib.files.vanished import common_folder, refuse_vanished
from PCRPredictorLib.lesion.body import outline_body
from PCRPredictorLib.lesion.exam_check import check_exam
from PCRPredictorLib.lesion.mask_check import check_mask
from PCRPredictorLib.model.grid import GridSpec
from PCRPredictorLib.model.notices import about_reading
from PCRPredictorLib.model.training_marks import identifier_hash as identifier_hash
from PCRPredictorLib.model.training_marks import identifier_hashes as identifier_hashes
from PCRPredictorLib.model.training_marks import image_hash as image_hash
from PCRPredictorLib.reading.cohort import CohortPatient, find_patients, read_patient
from PCRPredictorLib.reading.labels import LABEL as LABEL
from PCRPredictorLib.reading.labels import parse_labels as parse_labels

from ..progress import Progress
from ..schema import USUAL, build_schema
from .lesions import check_window, other_lesions

_THREADS = 2
_NO_TIMES = (
    "the table has no acquisition_times: of more than three phases the second and the last are taken, and no warning "
    "tells of unusual times; add that column if the times are known, as in [0, 90, 180]"
)
T = TypeVar("T")
_Asked = tuple[CohortPatient, int | None]  # a patient and its label
_Examined = tuple[T | Problem, str]  # what came of it, and the hash of its images


def read_labels(patients: Sequence[CohortPatient]) -> list[int | None]:
    """Return each patient's label: 1 for pCR, 0 for no pCR, None if the table has no value.

    Raises:
        DataError: if there are no patients, the table has no labels, or one is not clear; the message counts all.
    """
    labels, problems = find_labels(patients)
    if problems:
        lines = [group.describe(3) for group in group_problems(problems)]
        raise DataError("; also ".join(lines[:3]) + ("; run pcr check for the others" if len(lines) > 3 else ""))
    return labels


def find_labels(patients: Sequence[CohortPatient]) -> tuple[list[int | None], list[Problem]]:
    """Return each patient's label, see `read_labels`, None if it is not clear, and the patients whose label is not.

    Raises:
        DataError: if there are no patients, or the table has no labels.
    """
    if not patients:
        raise DataError(
            "the cohort has no patients; put the phases of each into images/<patient>, or correct phases in cohort.json"
        )
    if not any(patient.row for patient in patients):
        first = patients[0].patient_id
        raise DataError(
            f"no patient has a row in the cohort's table; it must have a column {LABEL} (1 for complete response, 0 "
            f"for no complete response), and patient_id as the images name the patients, such as {first}"
        )
    if not any(LABEL in patient.row for patient in patients):
        raise DataError(
            f"the cohort's table must have a column {LABEL} (1 for complete response, 0 for no complete response); "
            "add it, or map another column in cohort.json"
        )
    labels, reasons = parse_labels([patient.row.get(LABEL, "") for patient in patients])
    return labels, [Problem(patients[k].patient_id, reason) for k, reason in reasons.items()]


def examine(patient: CohortPatient, schema: ClinicalSchema) -> Exam:
    """Return the exam of a patient that training can use.

    Raises:
        DataError: if training cannot use it, with the reason.
    """
    try:
        exam = read_patient(patient)
        check_exam(exam)
        values = {**exam.provenance.table, **exam.clinical}
        schema.parse(values)
    except DataError as error:
        raise DataError(str(error).removeprefix(f"{patient.patient_id}: ")) from None
    unread = (Notice("optional_unreadable", f"not used: {s}") for s in schema.find_unreadable(values).values())
    return replace(exam, provenance=replace(exam.provenance, notices=(*exam.provenance.notices, *unread)))


def find_duplicate_ids(patients: Iterable[CohortPatient]) -> dict[str, str]:
    """Return the patients whose identifiers differ only in case, with what to do; all of them are in doubt."""
    ids = [patient.patient_id for patient in patients]
    seen = Counter(name.lower() for name in ids)
    return {
        name: "its identifier occurs twice, differing only in case; keep one" for name in ids if seen[name.lower()] > 1
    }


def known_problems(
    patients: Sequence[CohortPatient], schema: ClinicalSchema, problems: Sequence[Problem] = ()
) -> dict[str, str]:
    """Return the patients that cannot be used, whatever their images hold, and why; those without a label aside.

    Args:
        problems: more of them.
    """
    doubts = schema.find_doubts([patient.row for patient in patients])
    known = {patients[k].patient_id: reason for k, reason in doubts.items()}
    known |= {problem.patient_id: problem.reason for problem in problems} | find_duplicate_ids(patients)
    return known | {patient.patient_id: patient.problem for patient in patients if patient.problem}


def no_label(patient: CohortPatient) -> str:
    """Return why a patient without a label is left out, with what to do."""
    return f"has no label; {f'fill in {LABEL} in the table' if patient.row else 'the table has no row for it; add one'}"


def examine_all(
    patients: Sequence[CohortPatient],
    labels: Sequence[int | None],
    schema: ClinicalSchema,
    use: Callable[[Exam], T],
    problems: Sequence[Problem] = (),
    seen: dict[str, str] | None = None,
) -> Iterator[tuple[int, T | Problem]]:
    """Examine a cohort's patients in order, with a few exams in memory at a time.

    Args:
        use: called with each exam that can be used.
        problems: patients that are not read, since their problem is known.
        seen: hash of the images to the name of a patient, of those seen before; those of this cohort are added.

    Yields:
        Position of the patient, and the result of `use` or the problem.

    Raises:
        DataError: if the cohort is gone meanwhile.
    """
    known = known_problems(patients, schema, problems)
    seen = {} if seen is None else seen
    place = common_folder(file for patient in patients for file in patient.phases)
    examined = _map(partial(_examine_one, schema, use, known), zip(patients, labels, strict=True))
    for k, (result, mark) in enumerate(examined):
        name = patients[k].patient_id
        if isinstance(result, Problem):
            refuse_vanished(place, k)
        elif seen.setdefault(mark, name) != name:
            result = Problem(name, f"has the same images as {seen[mark]}; keep one of the two")
        yield k, result


def _examine_one(schema: ClinicalSchema, use: Callable[[Exam], T], known: dict[str, str], task: _Asked) -> _Examined[T]:
    patient, label = task
    if patient.patient_id in known:
        return Problem(patient.patient_id, known[patient.patient_id]), ""
    if label is None:
        return Problem(patient.patient_id, no_label(patient)), ""
    try:
        with of_one_patient():
            exam = examine(patient, schema)
            return use(exam), image_hash(exam)
    except DataError as error:
        return Problem(patient.patient_id, str(error)), ""


def _map(function: Callable[[_Asked], _Examined[T]], tasks: Iterable[_Asked]) -> Iterator[_Examined[T]]:
    """Map in copies of this process, of which a patient may end one; where there are none, on threads."""
    if not is_possible():
        yield from _map_on_threads(function, tasks)
        return
    engine = Apart(1 if "torch" in sys.modules else None, _THREADS)
    for done in engine.run(lambda task, _report: function(task), tasks):
        if isinstance(done.error, Killing):
            yield Problem(done.task[0].patient_id, str(done.error)), ""
        else:
            yield done.result()


def _map_on_threads(function: Callable, tasks: Iterable) -> Iterator:
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
    cohort: Path,
    progress: Progress,
    variables: Iterable[str | Category | Number] = USUAL,
    grid: GridSpec = GridSpec(),  # noqa: B008
    seen: dict[str, str] | None = None,
) -> tuple[int, list[Problem]]:
    """Check a cohort as training would; return the number of patients and their problems.

    Args:
        variables: clinical variables of the run, see `TrainingConfig.clinical`.
        grid: of the run; a tumour must fit into its window.
        seen: see `examine_all`.

    Raises:
        DataError: if the cohort or its table cannot be read at all. Without labels, the rest is checked all the same.
    """
    patients = find_patients(cohort, progress.say)
    labels, unclear, missing = _labels_if_there(patients)
    if any(patient.row for patient in patients) and not any(_has_times(patient) for patient in patients):
        progress.say(_NO_TIMES)
    schema, _ = build_schema(variables, [patient.row for patient in patients])
    progress.start("Checking", len(patients))
    problems, warnings = [], []
    known = [0] * len(patients) if missing else labels  # so that masks and phases are looked at all the same
    for k, result in examine_all(patients, known, schema, partial(_find_warnings, grid), unclear, seen):
        progress.advance()
        if isinstance(result, Problem):
            problems.append(result)
            emit("checked", **_describe(patients[k], labels[k], result))
            continue
        warnings += [Problem(patients[k].patient_id, notice.message) for notice in result]
        found = Problem(patients[k].patient_id, missing) if missing else result
        problems += [found] if isinstance(found, Problem) else []
        emit("checked", **_describe(patients[k], labels[k], found))
    for group in group_problems(warnings):
        progress.say(f"warning: {group.describe()}")
    return len(patients), problems


def _labels_if_there(patients: Sequence[CohortPatient]) -> tuple[list[int | None], list[Problem], str]:
    """Return what `find_labels` returns, and why there are no labels at all; "" if there are some."""
    try:
        return *find_labels(patients), ""
    except DataError as error:
        if not patients:
            raise
        return [None] * len(patients), [], str(error)


def _has_times(patient: CohortPatient) -> bool:
    return any(name.startswith("acquisition_times") and str(cell).strip() for name, cell in patient.row.items())


def _find_warnings(grid: GridSpec, exam: Exam) -> tuple[Notice, ...]:
    mask = check_mask(exam, outline_body(exam))
    return *about_reading(exam.provenance), *check_window(exam, grid), *other_lesions(exam, grid)[1], *mask


def _describe(patient: CohortPatient, label: int | None, result: object) -> dict[str, object]:
    """Return a patient's row for the table of a parent process."""
    return {
        "patient_id": patient.patient_id,
        "label": "" if label is None else label,
        "site": patient.row.get("site", ""),
        "phases": len(patient.phases),
        "mask": patient.mask.parent.name if patient.mask else "",
        "problem": result.reason if isinstance(result, Problem) else "",
    }
