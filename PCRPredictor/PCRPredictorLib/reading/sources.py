"""What `pcr view` was given: exams in folders and files, DICOM folders, cohorts; each read when it is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Protocol

from ..clinical import read_clinical
from ..dicom.exam import read_dicom_exam
from ..dicom.segmentation import is_dicom
from ..errors import DataError
from ..exam import PHASE_NAMES, Exam
from .cohort import CohortPatient, find_patients, read_patient
from .images import ENDINGS, read_exam

_LOOKED_AT = 200  # files of a folder that DICOM is looked for in
_MASK_NAMES = ("tumour", "tumor", "mask", "segmentation")


class Entry(Protocol):
    """An exam in the list. It is handed to another process, so it holds paths and plain values only."""

    @property
    def name(self) -> str:
        """What the list calls it."""

    def read(self) -> Exam:
        """The exam, with or without a mask; raises DataError."""


@dataclass(frozen=True)
class FilesEntry:
    """Phases and mask as files.

    Args:
        name: what the list calls it.
        phases: pre-contrast, early, late.
        mask: of the tumour, or None.
        clinical: values as they were given, by name.
        label: value of the tumour in a mask of several segments, or None.
    """

    name: str
    phases: tuple[Path, ...]
    mask: Path | None = None
    clinical: Mapping[str, object] = field(default_factory=dict)
    label: int | None = None

    def read(self) -> Exam:
        """Read the files."""
        return read_exam(self.phases, self.mask, clinical=self.clinical, label=self.label)


@dataclass(frozen=True)
class DicomEntry:
    """A folder of DICOM files; arguments as of `FilesEntry`."""

    name: str
    folder: Path
    mask: Path | None = None
    clinical: Mapping[str, object] = field(default_factory=dict)
    label: int | None = None

    def read(self) -> Exam:
        """Read the folder."""
        return read_dicom_exam(self.folder, self.mask, clinical=self.clinical, label=self.label)


@dataclass(frozen=True)
class PatientEntry:
    """A patient of a cohort."""

    patient: CohortPatient

    @property
    def name(self) -> str:
        """The patient's identifier: a list to choose from is of no use without."""
        return self.patient.patient_id

    def read(self) -> Exam:
        """Read phases, mask if there is one, and the table's row."""
        return read_patient(self.patient, need_mask=False)


def find_entries(folders: Sequence[Path]) -> list[Entry]:
    """The exams in folders: cohorts, exams as `pcr demo` writes them, or DICOM.

    Raises:
        DataError: if a folder does not exist or is none of these.
    """
    return [entry for folder in folders for entry in _entries_in(folder)]


def _entries_in(folder: Path) -> list[Entry]:
    if not folder.is_dir():
        raise DataError(f"{folder}: not a folder; give a folder with an exam, or three files with --phases")
    if _is_cohort(folder):
        return [PatientEntry(patient) for patient in find_patients(folder)]
    for place in (folder, folder / "exam"):  # what `pcr demo` leaves, or its folder "exam"
        phases = [_image_named(place, (name,)) for name in PHASE_NAMES]
        if None not in phases:
            clinical = place / "clinical.json"
            values = read_clinical(clinical) if clinical.is_file() else {}
            mask = _image_named(place, _MASK_NAMES)
            return [FilesEntry(folder.resolve().name, tuple(p for p in phases if p), mask, values)]
    if any(map(is_dicom, islice(filter(Path.is_file, folder.rglob("*")), _LOOKED_AT))):
        return [DicomEntry(folder.resolve().name, folder)]
    raise DataError(
        f"{folder}: holds no exam; give a folder with pre, early and late (and tumour) as {', '.join(ENDINGS)}, "
        "a DICOM folder, or a cohort"
    )


def _is_cohort(folder: Path) -> bool:
    names = {path.name.lower() for path in folder.iterdir()}
    return "cohort.json" in names or "images" in names


def _image_named(folder: Path, names: Sequence[str]) -> Path | None:
    """The image of one of these names, in any case and with any ending that is read."""
    wanted = {name + ending for name in names for ending in ENDINGS}
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    return next((file for file in files if file.name.lower() in wanted), None)
