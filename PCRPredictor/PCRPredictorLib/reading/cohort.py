"""A cohort on disk in the MAMA-MIA layout, in the variants that copies of it have.

    images/<ID>/<id>_000k.nii.gz                 phase k; the case of names varies between copies
    segmentations/{reviewed,expert,automatic}/<id>.nii.gz tumour mask; the first of these that exists
    clinical_and_imaging_info.{csv,xlsx}         one row per patient (sheet `dataset_info`), optional
    cohort.json                                  names of table and files, if they differ (see `mapping`)

Source: Garrucho et al., Scientific Data 2025 (MAMA-MIA).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import DataError, Notice
from ..exam import Exam
from ..phases import parse_times, pick_phases
from .images import read_exam
from .mapped import find_mapped, find_named
from .mapping import CohortMapping, read_mapping, resolve
from .mask import add_mask
from .table import read_rows

TABLE = "clinical_and_imaging_info"
REVIEWED, EXPERT, AUTOMATIC = "reviewed", "expert", "automatic"  # folders of masks, the best first
_PHASE = re.compile(r"_(\d{4})\.nii(\.gz)?$", re.IGNORECASE)


@dataclass(frozen=True)
class CohortPatient:
    """The files of one patient and its row in the table.

    Args:
        patient_id: name of the images' folder.
        phases: every phase found, in order.
        mask: tumour mask, or None.
        row: of the table, column to text; empty if the patient is not in the table.
        problem: why the files cannot be used, as a sentence; "" if they can.
    """

    patient_id: str
    phases: tuple[Path, ...]
    mask: Path | None
    row: Mapping[str, str]
    problem: str = ""


def find_patients(cohort: Path) -> list[CohortPatient]:
    """Return the patients that have images, in the order of their identifiers.

    Raises:
        DataError: if the folder is not a cohort, or its table or mapping cannot be read.
    """
    if not cohort.is_dir():
        raise DataError(f"{cohort}: not a folder; give the folder of a cohort")
    mapping = read_mapping(cohort)
    return _mapped_patients(cohort, mapping) if mapping.phases else _mama_mia_patients(cohort, read_table(cohort))


def find_patient(cohort: Path, patient_id: str) -> CohortPatient:
    """Return one patient of a cohort.

    Raises:
        DataError: if the patient is not in the cohort.
    """
    for patient in find_patients(cohort):
        if patient.patient_id == patient_id:
            return patient
    raise DataError(f"{patient_id}: is not in the cohort {cohort} any more; check the cohort again")


def _mapped_patients(cohort: Path, mapping: CohortMapping) -> list[CohortPatient]:
    """Return the patients that have at least one phase."""
    rows, reviewed = read_table(cohort), _masks(folder_of(folder_of(cohort, "segmentations"), REVIEWED))
    patients = []
    for files in find_mapped(cohort, mapping, rows):
        name = files.patient_id
        mask, row = reviewed.get(name.lower()) or files.mask, find_named(rows, name) or {}
        patients.append(CohortPatient(name, files.phases, mask, row, files.problem))
    return sorted(patients, key=lambda patient: patient.patient_id)


def _mama_mia_patients(cohort: Path, table: Mapping[str, Mapping[str, str]]) -> list[CohortPatient]:
    images = folder_of(cohort, "images")
    if not images.is_dir():
        raise DataError(
            f"{cohort}: not a cohort, it has no folder images; arrange it as images/<patient>/<phases>, "
            f"segmentations/expert and {TABLE}.csv, or name your own files in cohort.json"
        )
    segmentations = folder_of(cohort, "segmentations")
    masks: dict[str, Path] = {}
    for kind in (AUTOMATIC, EXPERT, REVIEWED):
        masks |= _masks(folder_of(segmentations, kind))
    return [
        CohortPatient(folder.name, _phases(folder), masks.get(folder.name.lower()), table.get(folder.name.lower(), {}))
        for folder in sorted(images.iterdir())
        if folder.is_dir()
    ]


def read_patient(patient: CohortPatient, *, need_mask: bool = True) -> Exam:
    """Read the exam of one patient: phases, mask and the table's row as clinical variables.

    Of more than three phases, early and late are picked by the table's `acquisition_times` (see `pick_phases`). If the
    table has times of more phases than there are files, only that of the first phase after contrast is known.

    Args:
        need_mask: refuse a patient without a mask.

    Raises:
        DataError: if anything is missing or cannot be read.
    """
    if patient.problem:
        raise DataError(f"{patient.patient_id}: {patient.problem}")
    if len(patient.phases) < 3:
        raise DataError(f"{patient.patient_id}: must have at least 3 phases, got {len(patient.phases)}; add the files")
    if patient.mask is None and need_mask:
        raise DataError(
            f"{patient.patient_id}: has no tumour mask; add segmentations/expert/{patient.patient_id.lower()}.nii.gz"
        )
    written = str(patient.row.get("acquisition_times", "")).strip()
    times = parse_times(written)
    known = times if len(times) == len(patient.phases) else None
    chosen = (0, 1, 2) if len(patient.phases) == 3 else pick_phases(known or [None] * len(patient.phases))
    exam = read_exam([patient.phases[k] for k in chosen])
    phase_times = tuple(known[k] - known[0] for k in chosen) if known else None
    provenance = replace(
        exam.provenance,
        phase_times=phase_times,  # type: ignore[arg-type]
        patient_id=patient.patient_id,
        first_post=times[1] - times[0] if len(times) > 1 else None,
        notices=(*exam.provenance.notices, *_about_times(written if not times else "")),
    )
    exam = replace(exam, clinical=patient.row, provenance=provenance)
    return exam if patient.mask is None else add_mask(exam, patient.mask)


def _about_times(unreadable: str) -> tuple[Notice, ...]:
    text = f"The table's acquisition_times must be a list of rising seconds, got {unreadable}; they count as unknown."
    return (Notice("phase_times_invalid", text),) if unreadable else ()


def read_table(cohort: Path) -> dict[str, dict[str, str]]:
    """Read the clinical table by lower-case patient identifier, every value as text; empty if there is no table.

    Raises:
        DataError: if it cannot be read, has no `patient_id` or has a patient twice.
    """
    mapping = read_mapping(cohort)
    if mapping.table is not None:
        return read_rows(resolve(cohort, mapping.table, {}, mapping.follow_links), mapping)
    files = {file.name.lower(): file for file in cohort.iterdir()}
    file = files.get(f"{TABLE}.csv") or files.get(f"{TABLE}.xlsx")
    return read_rows(file, mapping) if file else {}


def folder_of(parent: Path, name: str) -> Path:
    """Return the folder with this lower-case name, however it is written on disk."""
    found = [path for path in parent.iterdir() if path.name.lower() == name] if parent.is_dir() else []
    return found[0] if found else parent / name


def _phases(folder: Path) -> tuple[Path, ...]:
    numbered = [(match.group(1), file) for file in _files(folder) if (match := _PHASE.search(file.name))]
    return tuple(file for _, file in sorted(numbered))


def _masks(folder: Path) -> dict[str, Path]:
    return {file.name.lower().split(".")[0]: file for file in _files(folder)}


def _files(folder: Path) -> Iterable[Path]:
    return sorted(file for file in folder.iterdir() if file.is_file()) if folder.is_dir() else []
