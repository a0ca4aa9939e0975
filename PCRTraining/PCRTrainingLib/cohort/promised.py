"""The patients that tables and names of files promise, before any image is read.

What a run would refuse after minutes of reading is refused with these at once. They are never fewer than those that can
be used.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.errors import DataError, Problem
from PCRPredictorLib.model.grid import GridSpec
from PCRPredictorLib.reading.cohort import CohortPatient, find_patients

from .cache import GridCache, Record
from .check import known_problems, no_label, read_labels
from .joined import join_caches


def promised_patients(cohorts: Mapping[str, Path], schema: ClinicalSchema, grid: GridSpec) -> GridCache:
    """Return the patients of cohorts as a cache without grids; those that cannot be used are in its quarantine.

    Args:
        cohorts: name to folder.
        schema: variables that their tables must have in cells that can be read.
        grid: of the run.

    Raises:
        DataError: if a folder is no cohort, or its table cannot be read.
    """
    parts = [_promised(name, find_patients(path), schema, grid) for name, path in cohorts.items()]
    return parts[0] if len(parts) == 1 else join_caches(Path(), parts)


def _promised(name: str, patients: Sequence[CohortPatient], schema: ClinicalSchema, grid: GridSpec) -> GridCache:
    labels, problems, records = read_labels(patients), list[Problem](), list[Record]()
    known = known_problems(patients, schema)
    for patient, label in zip(patients, labels, strict=True):
        reason = known.get(patient.patient_id) or (no_label(patient) if label is None else _unusable(patient, schema))
        if reason or label is None:
            problems.append(Problem(patient.patient_id, reason))
            continue
        row = {column: str(cell) for column, cell in patient.row.items()}
        records.append(Record(patient.patient_id, label, row, {}, {}, f"{name}/{patient.patient_id}", cohort=name))
    return GridCache(Path(), grid, tuple(records), tuple(problems), name=name)


def _unusable(patient: CohortPatient, schema: ClinicalSchema) -> str:
    """Return why a patient cannot be used by its table and names of files alone, "" if it may be."""
    if patient.mask is None:
        return "has no tumour mask"
    if len(patient.phases) == 2:  # a single file may have all
        return "must have at least 3 phases, got 2; add the files"
    try:
        schema.parse({column: cell for column, cell in patient.row.items() if column not in patient.renamed})
    except DataError as error:
        return str(error)
    return ""
