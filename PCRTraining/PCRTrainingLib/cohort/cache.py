"""A cohort's patients on the model grid, cached on disk and memory-mapped: memory does not grow with the cohort.

grids.f16       (N, 4, slices, rows, columns) float16: three image channels and the fraction of tumour
patients.json   grid and one record per patient, in the same order
quarantine.csv  patients left out, and why
contents.json   what the files of each patient held
"""

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
import torch
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.errors import DataError, Notice, Problem, group_problems
from PCRPredictorLib.exam import Exam
from PCRPredictorLib.formatting import count
from PCRPredictorLib.model.grid import GridSpec, place_window, sample
from PCRPredictorLib.model.kinetics import tumour_quantities
from PCRPredictorLib.model.normalisation import to_channels
from PCRPredictorLib.model.tumour import measure, summarise_tumour
from PCRPredictorLib.reading.cohort import CohortPatient, find_patients
from PCRPredictorLib.reading.mapping import MAPPING
from PCRPredictorLib.shift.facts import describe_acquisition
from PCRPredictorLib.writing import read_csv, whole_folder, write_csv, write_json
from torch import Tensor

from ..progress import Progress
from .check import examine_all, identifier_hashes, image_hash, read_labels
from .contents import find_changes, read_contents
from .lesions import check_window, other_lesions

GRIDS, PATIENTS, QUARANTINE, CONTENTS = "grids.f16", "patients.json", "quarantine.csv", "contents.json"


@dataclass(frozen=True)
class Record:
    """One cached patient.

    Args:
        patient_id: as in the cohort.
        label: 1 for pCR.
        row: the table's row.
        quantities: of the tumour, `kinetics.tumour_quantities`.
        measured: to compare a new exam with, `tumour.measure`.
        fingerprint: hash of the images.
        times: "early" in s after the pre-contrast phase, "late" in s after the first phase after contrast, if known.
        acquisition: plane and slice spacing, `facts.describe_acquisition`; empty in caches of earlier versions.
    """

    patient_id: str
    label: int
    row: Mapping[str, str]
    quantities: Mapping[str, float]
    measured: Mapping[str, float]
    fingerprint: str
    times: Mapping[str, float] = field(default_factory=dict)
    acquisition: Mapping[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class GridCache:
    """N patients on disk, with their largest tumour; `image_and_mask` reads some of them.

    Their other tumours follow at the positions from N on. Training alone uses these, and only those of patients that
    it trains on: whatever is measured counts a patient once.
    """

    folder: Path
    grid: GridSpec
    records: tuple[Record, ...]
    quarantine: tuple[Problem, ...]
    lesions: tuple[Record, ...] = ()

    def __len__(self) -> int:
        return len(self.records)

    def __reduce__(self) -> tuple:
        return read_cache, (self.folder,)  # another process maps the same files

    @cached_property
    def labels(self) -> np.ndarray:
        """(N,) 0 or 1."""
        return np.array([record.label for record in self.records])

    @property
    def patients(self) -> list[str]:
        """Patients of the rows, in order."""
        return [record.patient_id for record in self.records]

    @property
    def ids(self) -> list[str]:
        """Patient identifiers, in order."""
        return [record.patient_id for record in self.records]

    @cached_property
    def true_probability(self) -> np.ndarray | None:
        """(N,) probabilities of simulated patients, else None."""
        values = [record.row.get("true_probability", "") for record in self.records]
        return np.array(values, float) if all(values) else None

    @cached_property
    def _grids(self) -> np.memmap:
        shape = (len(self) + len(self.lesions), 4, *self.grid.shape)
        return np.memmap(self.folder / GRIDS, np.float16, "r", shape=shape)

    def image_and_mask(self, index: np.ndarray) -> tuple[Tensor, Tensor]:
        """Return image (B, 3, slices, rows, columns) and mask (B, 1, ...) at some positions, (B,), float32."""
        grids = torch.from_numpy(self._grids[index]).float()
        return grids[:, :3], grids[:, 3:]

    @cached_property
    def owners(self) -> np.ndarray:
        """Positions of the patients of all rows, (n,): those of the patients themselves, then of other tumours."""
        place = {record.patient_id: position for position, record in enumerate(self.records)}
        return np.array([*range(len(self)), *(place[lesion.patient_id] for lesion in self.lesions)], int)

    def with_lesions(self, patients: np.ndarray) -> np.ndarray:
        """Return the positions of patients, (n,), followed by those of their other tumours, (m,)."""
        others = np.arange(len(self), len(self.owners))
        return np.concatenate([patients, others[np.isin(self.owners[len(self) :], patients)]])

    def encode(self, schema: ClinicalSchema, *, lesions: bool = False) -> Tensor:
        """Return clinical vectors, (N, schema width) float32; with the rows of other tumours if asked for."""
        records = (*self.records, *(self.lesions if lesions else ()))
        if not schema.variables:
            return torch.zeros(len(records), 0)
        vectors = [schema.encode(schema.complete(schema.parse(r.row), r.quantities)) for r in records]
        return torch.from_numpy(np.stack(vectors))

    def column(self, name: str) -> np.ndarray:
        """Return (N,) texts of a column of the table; empty if there is no value."""
        return np.array([str(record.row.get(name, "")).strip() for record in self.records])

    def quantity(self, name: str) -> np.ndarray:
        """Return (N,) values of a quantity of the tumour."""
        return np.array([record.quantities[name] for record in self.records])


def training_hashes(cache: GridCache, more: Iterable[str] = ()) -> tuple[list[str], list[str]]:
    """Return hashes of images and of identifiers, by which patients of the training are recognised later.

    Args:
        more: identifiers of patients without images.
    """
    hashes = {mark for name in (*cache.ids, *more) for mark in identifier_hashes(name)}
    return [record.fingerprint for record in cache.records], sorted(hashes)


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
) -> GridCache:
    """Return the cache in `folder`; build it if it is missing or has a different grid.

    Raises:
        DataError: if the cohort cannot be used, has changed since, or the folder cannot be written.
    """
    patients, progress = find_patients(cohort), progress or Progress()
    if (folder / PATIENTS).is_file():
        cache = read_cache(folder)
        if cache.grid == grid:
            _check_unchanged(cache, patients, cohort, schema, progress)
            return cache
    labels = read_labels(patients)
    with whole_folder(folder) as staging:
        _build(patients, labels, staging, grid, schema, progress)
        contents = {patient.patient_id: read_contents(patient, cohort) for patient in patients}
        write_json(contents, staging / CONTENTS)
    return read_cache(folder)


def _build(
    patients: Sequence[CohortPatient],
    labels: Sequence[int | None],
    folder: Path,
    grid: GridSpec,
    schema: ClinicalSchema,
    progress: Progress,
) -> None:
    records, others = list[dict[str, object]](), list[dict[str, object]]()
    problems, warnings = list[Problem](), list[Problem]()
    with (folder / GRIDS).open("wb") as file, TemporaryFile() as more:
        for k, result in examine_all(patients, labels, schema, partial(_read_one, grid)):
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


def _read_one(grid: GridSpec, exam: Exam) -> tuple[list[tuple[np.ndarray, dict[str, object]]], tuple[Notice, ...]]:
    """Return what the cache keeps of each tumour of an exam, the largest first, and warnings about it.

    Raises:
        DataError: if the largest tumour does not fit in the window.
    """
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


def read_cache(folder: Path) -> GridCache:
    """Return a cache that was written before.

    Raises:
        DataError: if it is damaged.
    """
    try:
        content = json.loads((folder / PATIENTS).read_text(encoding="utf-8"))
        problems = tuple(Problem(**row) for row in read_csv(folder / QUARANTINE))
        grid = GridSpec(**content["grid"])
        records = tuple(Record(**record) for record in content["patients"])
        lesions = tuple(Record(**record) for record in content.get("lesions", ()))
        expected = (len(records) + len(lesions)) * 4 * int(np.prod(grid.shape)) * 2
        if (folder / GRIDS).stat().st_size != expected:
            raise ValueError(f"{GRIDS} must have {expected} bytes")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{folder}: the cached grids are damaged ({error}); delete this folder to make them again"
        ) from None
    return GridCache(folder, grid, records, problems, lesions)


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
    known = json.loads((cache.folder / CONTENTS).read_text(encoding="utf-8"))
    found = {name: find_changes(patient, cohort, known.get(name, {})) for name, patient in patients.items()}
    changed = {name: files for name, files in found.items() if files}
    trained = [name for name in changed if name in set(cache.patients)]
    if trained and changed[trained[0]] == [MAPPING]:
        raise _changed(cohort, f"{MAPPING} says something else about the masks of {trained[0]}")
    if trained:
        first, others = changed[trained[0]][0], len(trained) - 1
        more = f" and files of {count(others, 'more patient')}" if others else ""
        raise _changed(cohort, f"{first}{more} {'have' if others else 'has'} other content")
    if changed:
        names = ", ".join(sorted(changed)[:5])
        progress.say(
            f"{count(len(changed), 'patient')} left out of this run changed since it began ({names}); "
            "start a run in a new folder to train on them"
        )


def _changed(cohort: Path, what: str) -> DataError:
    return DataError(f"{cohort} has changed since the run began ({what}); restore it, or start a run in a new folder")
