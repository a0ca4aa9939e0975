"""A cohort on disk in the MAMA-MIA layout, as it is found in the wild.

    images/<ID>/<id>_000k.nii.gz                 phase k; the case of names varies between copies
    segmentations/{expert,automatic}/<id>.nii.gz tumour mask; the expert's is taken where both are there
    clinical_and_imaging_info.{csv,xlsx}         one row a patient (sheet `dataset_info`), optional

Source: Garrucho et al., Scientific Data 2025 (MAMA-MIA).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from .dicom import pick_phases
from .errors import DataError
from .exam import Exam, Provenance
from .reading import read_exam

TABLE = "clinical_and_imaging_info"
_SHEET = "dataset_info"
_PHASE = re.compile(r"_(\d{4})\.nii(\.gz)?$", re.IGNORECASE)


@dataclass(frozen=True)
class CohortPatient:
    """Where one patient's data lie.

    Args:
        patient_id: as the images' folder is named.
        phases: every phase found, in order.
        mask: tumour mask, or None where there is none.
        row: the table's row, column to text; empty where the patient is not in the table.
    """

    patient_id: str
    phases: tuple[Path, ...]
    mask: Path | None
    row: Mapping[str, str]


def find_patients(cohort: Path) -> list[CohortPatient]:
    """The patients that have images, in the order of their identifiers.

    Raises:
        DataError: if the folder is not a cohort or its table cannot be read.
    """
    images = cohort / "images"
    if not images.is_dir():
        raise DataError(
            f"{cohort}: not a cohort, it has no folder images; arrange it as images/<patient>/<phases>, "
            f"segmentations/expert and {TABLE}.csv"
        )
    table = read_table(cohort)
    automatic, expert = (_masks(cohort / "segmentations" / kind) for kind in ("automatic", "expert"))
    masks = {**automatic, **expert}
    return [
        CohortPatient(folder.name, _phases(folder), masks.get(folder.name.lower()), table.get(folder.name.lower(), {}))
        for folder in sorted(images.iterdir())
        if folder.is_dir()
    ]


def read_patient(patient: CohortPatient) -> Exam:
    """The exam of one patient: phases, mask and the table's row as clinical variables.

    Of more than three phases, early and late are picked by the table's `acquisition_times` (see `pick_phases`).

    Raises:
        DataError: if anything is missing or cannot be read.
    """
    if len(patient.phases) < 3:
        raise DataError(f"{patient.patient_id}: must have at least 3 phases, got {len(patient.phases)}; add the files")
    if patient.mask is None:
        raise DataError(
            f"{patient.patient_id}: has no tumour mask; add segmentations/expert/{patient.patient_id.lower()}.nii.gz"
        )
    times = _times(patient.row.get("acquisition_times", ""))
    known = times if len(times) == len(patient.phases) else None
    chosen = (0, 1, 2) if len(patient.phases) == 3 else pick_phases(known or [None] * len(patient.phases))
    return read_exam(
        [patient.phases[k] for k in chosen],
        patient.mask,
        clinical=patient.row,
        provenance=Provenance(
            source="file",
            phase_times=tuple(known[k] for k in chosen) if known else None,  # type: ignore[arg-type]
            patient_id=patient.patient_id,
        ),
    )


def read_table(cohort: Path) -> dict[str, dict[str, str]]:
    """The clinical table by lower-case patient identifier, every value as text; empty where there is no table.

    Raises:
        DataError: if it cannot be read, has no `patient_id` or names a patient twice.
    """
    files = {file.name.lower(): file for file in cohort.iterdir()}
    file = files.get(f"{TABLE}.csv") or files.get(f"{TABLE}.xlsx")
    if file is None:
        return {}
    try:
        read = pd.read_csv if file.suffix.lower() == ".csv" else _read_excel
        frame = read(file, dtype=str, keep_default_na=False)
    except (OSError, ValueError, KeyError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: cannot be read as a table ({error}); save it as CSV again") from None
    frame.columns = [str(column).strip().lower() for column in frame.columns]
    if "patient_id" not in frame.columns:
        raise DataError(f"{file}: must have a column patient_id, got {', '.join(frame.columns[:5])}, ...")
    keys = frame["patient_id"].str.strip().str.lower()
    if keys.duplicated().any():
        raise DataError(f"{file}: {keys[keys.duplicated()].iloc[0]} has more than one row; keep one row a patient")
    return dict(zip(keys, frame.to_dict("records"), strict=True))


def _read_excel(file: Path, **options: object) -> pd.DataFrame:
    return pd.read_excel(file, sheet_name=_SHEET, **options)


def _phases(folder: Path) -> tuple[Path, ...]:
    numbered = [(match.group(1), file) for file in _files(folder) if (match := _PHASE.search(file.name))]
    return tuple(file for _, file in sorted(numbered))


def _masks(folder: Path) -> dict[str, Path]:
    return {file.name.lower().split(".")[0]: file for file in _files(folder)}


def _files(folder: Path) -> Iterable[Path]:
    return sorted(file for file in folder.iterdir() if file.is_file()) if folder.is_dir() else []


def _times(text: str) -> list[float]:
    """Seconds from a list in a string, as in "[0, 178, 265]"; empty where it is not one."""
    try:
        return [float(time) for time in ast.literal_eval(text)]
    except (ValueError, SyntaxError, TypeError):
        return []
