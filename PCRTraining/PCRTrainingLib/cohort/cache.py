"""A cohort's patients on the model grid, cached on disk and memory-mapped: memory does not grow with the cohort.

grids.f16       (N, 4, slices, rows, columns) float16: three image channels and the fraction of tumour
patients.json   grid and one record per patient, in the same order
quarantine.csv  patients left out, and why
contents.json   what the files of each patient held
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.errors import DataError, Problem, group_problems
from PCRPredictorLib.model.grid import GridSpec
from PCRPredictorLib.reading.identifiers import number_key
from PCRPredictorLib.writing import read_csv
from torch import Tensor

from ..progress import Progress
from ..run_files import read_content
from .check import identifier_hashes

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
        cohort: name of the cohort.
        original: identifier in the cohort, if a different one was needed beside other cohorts.
    """

    patient_id: str
    label: int
    row: Mapping[str, str]
    quantities: Mapping[str, float]
    measured: Mapping[str, float]
    fingerprint: str
    times: Mapping[str, float] = field(default_factory=dict)
    acquisition: Mapping[str, float | str] = field(default_factory=dict)
    cohort: str = ""
    original: str = ""

    @property
    def own_id(self) -> str:
        """Identifier as its cohort writes it."""
        return self.original or self.patient_id


@dataclass(frozen=True, eq=False)
class GridCache:
    """N patients of the cohort `name` on disk, with their largest tumour; `image_and_mask` reads some of them.

    Their other tumours follow at the positions from N on. Training alone uses these, and only those of patients that
    it trains on: whatever is measured counts a patient once.
    """

    folder: Path
    grid: GridSpec
    records: tuple[Record, ...]
    quarantine: tuple[Problem, ...]
    lesions: tuple[Record, ...] = ()
    name: str = ""

    def __len__(self) -> int:
        return len(self.records)

    def __reduce__(self) -> tuple:
        return read_cache, (self.folder, self.name)  # another process maps the same files

    @cached_property
    def labels(self) -> np.ndarray:
        """(N,) 0 or 1."""
        return np.array([record.label for record in self.records])

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

    def read_grids(self, index: np.ndarray) -> np.ndarray:
        """Return image and mask at some positions, (B,), as they are stored: float16 (B, 4, slices, rows, columns)."""
        return self._grids[index]

    def image_and_mask(self, index: np.ndarray) -> tuple[Tensor, Tensor]:
        """Return image (B, 3, slices, rows, columns) and mask (B, 1, ...) at some positions, (B,), float32."""
        grids = torch.from_numpy(self.read_grids(index)).float()
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
        """Return (N,) texts of a column of the table, empty if there is no value.

        A table without a column "cohort" has the name of the cohort there.
        """
        usual = [record.cohort if name == "cohort" else "" for record in self.records]
        return np.array([str(r.row.get(name, other)).strip() for r, other in zip(self.records, usual, strict=True)])

    def quantity(self, name: str) -> np.ndarray:
        """Return (N,) values of a quantity of the tumour."""
        return np.array([record.quantities[name] for record in self.records])


def index_records(records: Iterable[Record]) -> dict[tuple[str, str], Record]:
    """Return the records by cohort and identifier (`number_key`); with "" as the cohort, those of any."""
    keys = [(record, number_key(record.own_id)) for record in records]
    return {("", key): record for record, key in keys} | {(record.cohort, key): record for record, key in keys}


def training_hashes(cache: GridCache, more: Iterable[str] = ()) -> tuple[list[str], list[str]]:
    """Return hashes of images and of identifiers, by which patients of the training are recognised later.

    Args:
        more: identifiers of patients without images.
    """
    hashes = {
        mark for name in (*(record.own_id for record in cache.records), *more) for mark in identifier_hashes(name)
    }
    return [record.fingerprint for record in cache.records], sorted(hashes)


def report_left_out(cache: GridCache, progress: Progress, where: str = "") -> None:
    """Say how many patients were left out, who they are, and why.

    Args:
        where: what the first line adds, such as the file that lists them.
    """
    if out := len(cache.quarantine):
        progress.say(f"{out} of {len(cache) + out} patients left out{where}")
        for group in group_problems(cache.quarantine):
            progress.say(f"  {group.describe(5)}")


def read_cache(folder: Path, name: str = "") -> GridCache:
    """Return a cache that was written before.

    Args:
        name: of the cohort.

    Raises:
        DataError: if it is damaged.
    """
    try:
        content = read_content(folder / PATIENTS)
        problems = tuple(Problem(**row) for row in read_csv(folder / QUARANTINE))
        grid = GridSpec(**content["grid"])
        records = tuple(Record(**record, cohort=name) for record in content["patients"])
        lesions = tuple(Record(**record, cohort=name) for record in content.get("lesions", ()))
        expected = (len(records) + len(lesions)) * 4 * int(np.prod(grid.shape)) * 2
        if (folder / GRIDS).stat().st_size != expected:
            raise ValueError(f"{GRIDS} must have {expected} bytes")
    except (DataError, OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise DataError(
            f"{folder}: the cached grids are damaged ({error}); delete this folder to make them again"
        ) from None
    return GridCache(folder, grid, records, problems, lesions, name)
