"""Several cohorts as one: their caches side by side, so that one run trains on all of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from PCRPredictorLib.errors import DataError, Problem
from PCRPredictorLib.formatting import count, first_few
from PCRPredictorLib.reading.identifiers import number_key

from ..progress import Progress
from .cache import GridCache, Record


@dataclass(frozen=True, eq=False)
class JoinedCache(GridCache):
    """The patients of several caches, one cache after the other; the grids stay in their own folders."""

    parts: tuple[GridCache, ...] = ()

    def __reduce__(self) -> tuple:
        return join_caches, (self.folder, self.parts)

    @cached_property
    def _places(self) -> np.ndarray:
        """(rows, 2), part and position in it of each row: patients of all parts first, then their other tumours."""
        patients = [(k, i) for k, part in enumerate(self.parts) for i in range(len(part))]
        lesions = [(k, len(part) + i) for k, part in enumerate(self.parts) for i in range(len(part.lesions))]
        return np.array(patients + lesions, int).reshape(-1, 2)

    def read_grids(self, index: np.ndarray) -> np.ndarray:
        """Return image and mask at some positions, (B,), as they are stored: float16 (B, 4, slices, rows, columns)."""
        places = self._places[index]
        grids = np.empty((len(places), 4, *self.grid.shape), np.float16)
        for k, part in enumerate(self.parts):
            here = places[:, 0] == k
            grids[here] = part.read_grids(places[here, 1])
        return grids


def join_caches(folder: Path, parts: Sequence[GridCache], progress: Progress | None = None) -> JoinedCache:
    """Return the patients of several cohorts as one cache.

    A patient whose identifier occurs in two cohorts is named "cohort/identifier".

    Args:
        folder: that the folders of the parts lie in.
        parts: caches with the names of their cohorts.

    Raises:
        DataError: if two cohorts share images.
    """
    _refuse_shared_images(parts)
    seen = Counter(key for keys in _keys_of(parts).values() for key in keys)
    twice = {key for key, times in seen.items() if times > 1}
    if twice and progress is not None:
        shown = first_few(sorted({name for part in parts for name in part.ids if number_key(name) in twice}))
        progress.say(
            f"{count(len(twice), 'identifier')} in two cohorts or more ({shown}): different patients, by their images; "
            "they are named cohort/identifier here"
        )

    def rename(name: str, part: GridCache) -> str:
        return f"{part.name}/{name}" if number_key(name) in twice else name

    def named(records: Sequence[Record], part: GridCache) -> list[Record]:
        new = [rename(record.patient_id, part) for record in records]
        return [
            record if name == record.patient_id else replace(record, patient_id=name, original=record.patient_id)
            for record, name in zip(records, new, strict=True)
        ]

    records = tuple(record for part in parts for record in named(part.records, part))
    lesions = tuple(record for part in parts for record in named(part.lesions, part))
    problems = tuple(Problem(rename(p.patient_id, part), p.reason) for part in parts for p in part.quarantine)
    return JoinedCache(folder, parts[0].grid, records, problems, lesions, parts=tuple(parts))


def _refuse_shared_images(parts: Sequence[GridCache]) -> None:
    seen: dict[str, Record] = {}
    shared: list[tuple[Record, Record]] = []
    for record in (record for part in parts for record in part.records):
        if (other := seen.setdefault(record.fingerprint, record)) is not record:
            shared.append((other, record))
    if shared:
        one, other = shared[0]
        more = f", and {len(shared) - 1} more" if len(shared) > 1 else ""
        raise DataError(
            f"{one.cohort} and {other.cohort} share the images of {count(len(shared), 'patient')} ({one.patient_id} in "
            f"{one.cohort} is {other.patient_id} in {other.cohort}{more}); take them out of one of the cohorts"
        )


def patients_of(cache: GridCache) -> Mapping[str, set[str]]:
    """Return the identifiers (`number_key`) of all patients of each cohort, also of those left out."""
    return _keys_of(cache.parts if isinstance(cache, JoinedCache) else (cache,))


def _keys_of(parts: Sequence[GridCache]) -> dict[str, set[str]]:
    left_out = {part.name: [problem.patient_id for problem in part.quarantine] for part in parts}
    return {part.name: {number_key(name) for name in (*part.ids, *left_out[part.name])} for part in parts}
