"""Patients of the training cohorts that have images and a mask but no label: a network can see them, and no more."""

from collections.abc import Mapping
from pathlib import Path

from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.errors import group_problems
from PCRPredictorLib.model.grid import GridSpec
from PCRPredictorLib.reading.cohort import find_patients
from PCRPredictorLib.writing import whole_folder

from ..progress import Progress
from .build import build_cache
from .cache import PATIENTS, GridCache, read_cache
from .check import read_labels


def open_unlabelled(
    cohorts: Mapping[str, Path], folder: Path, grid: GridSpec, progress: Progress
) -> tuple[GridCache, ...]:
    """Return a cache of each cohort's patients without a label, built if it is missing; their labels mean nothing.

    Args:
        cohorts: name to folder.
        folder: of the caches.

    Raises:
        DataError: if a cohort cannot be used or the folder cannot be written.
    """
    found = (_open(name, path, folder / name, grid, progress) for name, path in cohorts.items())
    caches = tuple(cache for cache in found if cache is not None and len(cache))
    number = sum(map(len, caches))
    progress.say(f"self-supervised training: {number} patients without a label beside those of each fold's training")
    return caches


def _open(name: str, cohort: Path, folder: Path, grid: GridSpec, progress: Progress) -> GridCache | None:
    if (folder / PATIENTS).is_file():
        return read_cache(folder, name)
    every = find_patients(cohort)
    patients = [patient for patient, label in zip(every, read_labels(every), strict=True) if label is None]
    if not patients:
        return None
    progress.start(f"Reading {name}: patients without a label", len(patients))
    with whole_folder(folder) as staging:
        build_cache(patients, [0] * len(patients), staging, grid, ClinicalSchema(()), progress)
    cache = read_cache(folder, name)
    for group in group_problems(cache.quarantine):
        progress.say(f"  not used, without a label: {group.describe(5)}")
    return cache
