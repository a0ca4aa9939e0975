"""Cohorts for evaluation: distinct names, both classes, and no patient that a model was trained on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from PCRPredictorLib.errors import DataError

from ..cohort.cache import GridCache
from ..cohort.check import count, identifier_mark


def cohort_names(cohorts: Sequence[Path]) -> list[str]:
    """Return a short, distinct name per cohort: that of its folder, numbered if there are two of it."""
    return number_equal_names([cohort.resolve().name for cohort in cohorts])


def number_equal_names(names: Sequence[str]) -> list[str]:
    """Return the names, with the position added to those that are not unique."""
    return [name if names.count(name) == 1 else f"{name} {k + 1}" for k, name in enumerate(names)]


def check_classes(cache: GridCache, cohort: Path) -> None:
    """Refuse a cohort in which all patients have the same label.

    Raises:
        DataError: if it is refused.
    """
    if len(set(cache.labels.tolist())) < 2:
        raise DataError(
            f"{cohort}: must have patients with and without pCR to evaluate on, got {len(cache)} of one kind; "
            "run pcr check to see who was left out"
        )


def refuse_shared(cache: GridCache, cohort: Path, images: Collection[str] = (), patients: Collection[str] = ()) -> None:
    """Refuse a cohort that shares patients with training.

    Args:
        images: fingerprints of the images trained on.
        patients: hashes of the identifiers trained on, see `identifier_mark`.

    Raises:
        DataError: naming patients of the cohort that were trained on.
    """
    images, patients = set(images), set(patients)
    shared = [
        record.patient_id
        for record in cache.records
        if record.fingerprint in images or identifier_mark(record.patient_id) in patients
    ]
    if shared:
        names = ", ".join(shared[:10]) + (f" and {len(shared) - 10} more" if len(shared) > 10 else "")
        raise DataError(
            f"{cohort} shares {count(len(shared), 'patient')} with the training cohort ({names}); take them out of one "
            "of them, or rename patients that only have the same identifier"
        )
