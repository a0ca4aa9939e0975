"""Cohorts that no model was trained on: their names, and what they must be like."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from PCRPredictorLib.errors import DataError

from ..cohort.cache import GridCache
from ..cohort.check import count, identifier_mark


def cohort_names(cohorts: Sequence[Path]) -> list[str]:
    """A short, distinct name of every cohort: its folder's, numbered where two are the same."""
    names = [cohort.resolve().name for cohort in cohorts]
    return [name if names.count(name) == 1 else f"{name} {k + 1}" for k, name in enumerate(names)]


def check_classes(cache: GridCache, cohort: Path) -> None:
    """Refuse a cohort without patients of both kinds.

    Raises:
        DataError: if it is one.
    """
    if len(set(cache.labels.tolist())) < 2:
        raise DataError(
            f"{cohort}: must have patients with and without pCR to evaluate on, got {len(cache)} of one kind; "
            "run pcr check to see who was left out"
        )


def shared_patients(cache: GridCache, images: Collection[str], patients: Collection[str]) -> list[str]:
    """Patients of a cohort that a model was trained on, by their images or by identifier.

    Args:
        images: fingerprints of those trained on.
        patients: hashes of the identifiers trained on, see `identifier_mark`.
    """
    images, patients = set(images), set(patients)
    return [
        record.patient_id
        for record in cache.records
        if record.fingerprint in images or identifier_mark(record.patient_id) in patients
    ]


def refuse_patients(shared: Sequence[str], cohort: Path) -> None:
    """Refuse a cohort for the patients that it shares with the training one.

    Raises:
        DataError: if there are any.
    """
    if shared:
        names = ", ".join(shared[:10]) + (f" and {len(shared) - 10} more" if len(shared) > 10 else "")
        raise DataError(
            f"{cohort} shares {count(len(shared), 'patient')} with the training cohort ({names}); take them out of one "
            "of them, or rename patients that only have the same identifier"
        )
