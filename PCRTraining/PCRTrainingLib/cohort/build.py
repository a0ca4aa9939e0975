"""Build a cohort's cache, or open the one that was built before if the cohort has not changed since."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import Protocol

import numpy as np
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.errors import DataError, Notice, Problem, group_problems
from PCRPredictorLib.exam import Exam
from PCRPredictorLib.formatting import count, first_few
from PCRPredictorLib.model.grid import GridSpec, place_window, sample
from PCRPredictorLib.model.kinetics import tumour_quantities
from PCRPredictorLib.model.normalisation import to_channels
from PCRPredictorLib.model.tumour import measure, summarise_tumour
from PCRPredictorLib.reading.cohort import CohortPatient, find_patients
from PCRPredictorLib.reading.mapping import MAPPING
from PCRPredictorLib.shift.facts import describe_acquisition
from PCRPredictorLib.writing import whole_folder, write_csv, write_json

from ..progress import Progress
from ..run_files import read_content, refusing_damage
from .cache import CONTENTS, GRIDS, PATIENTS, QUARANTINE, GridCache, read_cache
from .check import examine_all, image_hash, read_labels
from .contents import find_changes, read_contents
from .lesions import check_window, other_lesions


class LeaveOut(Protocol):
    """Patients that are not wanted in a cache, such as those that a model was trained on."""

    @property
    def problems(self) -> Sequence[Problem]:
        """Return those that are known before they are read, each with the reason."""
        ...

    def refuse_images(self, exam: Exam) -> None:
        """Refuse an exam; raise DataError with the reason."""
        ...


def sample_exam(exam: Exam, grid: GridSpec) -> np.ndarray:
    """Return image and mask of one exam on the grid, float16 (4, slices, rows, columns)."""
    mask = np.asarray(exam.mask) != 0
    window = place_window(mask, exam.geometry, grid)
    image = to_channels(exam, window)
    return np.concatenate([image, sample(mask, window)[None]]).astype(np.float16)


def open_or_build(
    cohort: Path,
    folder: Path,
    grid: GridSpec,
    schema: ClinicalSchema,
    progress: Progress | None = None,
    name: str = "",
    *,
    leave_out: LeaveOut | None = None,
) -> GridCache:
    """Return the cache in `folder`; build it if it is missing or has a different grid.

    Args:
        name: of the cohort.
        leave_out: patients that are not wanted; None for none. They are not looked for in a cache that is there.

    Raises:
        DataError: if the cohort cannot be used, has changed since, or the folder cannot be written.
    """
    patients, progress = find_patients(cohort), progress or Progress()
    if (folder / PATIENTS).is_file():
        cache = read_cache(folder, name)
        if cache.grid == grid:
            _check_unchanged(cache, patients, cohort, schema, progress)
            return cache
    labels = read_labels(patients)
    with whole_folder(folder) as staging:
        build_cache(patients, labels, staging, grid, schema, progress, leave_out)
        contents = {patient.patient_id: read_contents(patient, cohort) for patient in patients}
        write_json(contents, staging / CONTENTS)
    return read_cache(folder, name)


def build_cache(
    patients: Sequence[CohortPatient],
    labels: Sequence[int | None],
    folder: Path,
    grid: GridSpec,
    schema: ClinicalSchema,
    progress: Progress,
    leave_out: LeaveOut | None = None,
) -> None:
    """Write the cache of some patients into a new folder.

    Args:
        labels: of the patients, None for one that is left out for want of a label.
        leave_out: patients that are not wanted.
    """
    records, others = list[dict[str, object]](), list[dict[str, object]]()
    problems, warnings = list[Problem](), list[Problem]()
    with (folder / GRIDS).open("wb") as file, TemporaryFile() as more:
        use = partial(_read_one, grid, leave_out)
        for k, result in examine_all(patients, labels, schema, use, leave_out.problems if leave_out else ()):
            if isinstance(result, Problem):
                problems.append(result)
            else:
                tumours, notices = result
                warnings += [Problem(patients[k].patient_id, notice.message) for notice in notices]
                row = {name: str(value) for name, value in patients[k].row.items()}
                common = {"patient_id": patients[k].patient_id, "label": labels[k], "row": row}
                for number, (grids, details) in enumerate(tumours):
                    (more if number else file).write(grids.tobytes())
                    (others if number else records).append({**common, **details})
            progress.advance()
        more.seek(0)
        shutil.copyfileobj(more, file)
    if others:
        found = count(len(others), "tumour")
        progress.say(f"{found} beside the largest of a patient: training sees each, the numbers count a patient once")
    for group in group_problems(warnings):
        progress.say(f"warning: {group.describe(5)}")
    write_json({"grid": asdict(grid), "patients": records, "lesions": others}, folder / PATIENTS)
    write_csv(["patient_id", "reason"], map(astuple, problems), folder / QUARANTINE)


def _read_one(
    grid: GridSpec, leave_out: LeaveOut | None, exam: Exam
) -> tuple[list[tuple[np.ndarray, dict[str, object]]], tuple[Notice, ...]]:
    """Return what the cache keeps of each tumour of an exam, the largest first, and warnings about it.

    Raises:
        DataError: if the largest tumour does not fit in the window, or the patient is not wanted.
    """
    if leave_out is not None:
        leave_out.refuse_images(exam)
    outside = check_window(exam, grid)
    others, left_out = other_lesions(exam, grid)
    return [_describe(grid, each) for each in (exam, *others)], (*exam.provenance.notices, *outside, *left_out)


def _describe(grid: GridSpec, exam: Exam) -> tuple[np.ndarray, dict[str, object]]:
    times = {"early": exam.provenance.early_seconds, "late": exam.provenance.after_first_post[2]}
    return sample_exam(exam, grid), {
        "quantities": tumour_quantities(exam),
        "measured": measure(exam, summarise_tumour(exam)),
        "fingerprint": image_hash(exam),
        "times": {phase: time for phase, time in times.items() if time is not None},
        "acquisition": describe_acquisition(exam.geometry),
    }


def _check_unchanged(
    cache: GridCache, patients: Sequence[CohortPatient], cohort: Path, schema: ClinicalSchema, progress: Progress
) -> None:
    """Raise an error if the cohort has gained or lost patients since, or if one has other images, mask or values."""
    records = {record.patient_id: record for record in cache.records}
    now = {patient.patient_id: patient for patient in patients}
    if changed := sorted(now.keys() ^ {*records, *(problem.patient_id for problem in cache.quarantine)}):
        raise _changed(cohort, f"{count(len(changed), 'patient')} added or removed, the first is {changed[0]}")
    labels = dict(zip(now, read_labels(patients), strict=True))
    if relabelled := [name for name, record in records.items() if labels[name] != record.label]:
        raise _changed(cohort, f"a different label for {relabelled[0]}")
    columns = ["acquisition_times", *(variable.name.lower() for variable in schema.asked)]
    for name, record in records.items():
        for column in columns:
            if str(now[name].row.get(column, "")).strip() != str(record.row.get(column, "")).strip():
                raise _changed(cohort, f"a different {column} for {name}")
    _check_contents(cache, now, cohort, progress)


def _check_contents(cache: GridCache, patients: Mapping[str, CohortPatient], cohort: Path, progress: Progress) -> None:
    """Raise an error if images or a mask that were trained on have changed; report patients left out that have."""
    if not (cache.folder / CONTENTS).is_file():  # of a version that did not keep them
        return
    file = cache.folder / CONTENTS
    known = read_content(file)
    with refusing_damage(file):
        known = {name: {path: _as_content(*found) for path, found in files.items()} for name, files in known.items()}
    found = {name: find_changes(patient, cohort, known.get(name, {})) for name, patient in patients.items()}
    changed = {name: files for name, files in found.items() if files}
    trained = [name for name in changed if name in set(cache.ids)]
    if trained and changed[trained[0]] == [MAPPING]:
        raise _changed(cohort, f"{MAPPING} says something else about the masks of {trained[0]}")
    if trained:
        first, others = changed[trained[0]][0], len(trained) - 1
        more = f" and files of {count(others, 'more patient')}" if others else ""
        raise _changed(cohort, f"{first}{more} {'have' if others else 'has'} other content")
    if changed:
        names = first_few(sorted(changed))
        progress.say(
            f"{count(len(changed), 'patient')} left out of this run changed since it began ({names}); "
            "start a run in a new folder to train on them"
        )


def _as_content(size: int, time: int, content: str) -> tuple[int, int, str]:
    return int(size), int(time), content


def _changed(cohort: Path, what: str) -> DataError:
    return DataError(f"{cohort} has changed since the run began ({what}); restore it, or start a run in a new folder")
