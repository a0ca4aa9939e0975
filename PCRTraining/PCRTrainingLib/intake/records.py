"""The record of an imported patient, `import/<ID>.json`, and what an import leaves in a cohort for each patient."""

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import VISITS
from PCRPredictorLib.writing import read_csv, write_whole_csv, write_whole_json

from ..cohort.check import identifier_hash
from ..run_files import read_content, refusing_damage
from .dicom_files import DicomPatient

FORMAT = 1
IDENTIFIERS = "identifiers.csv"
_FOLDER = "import"
_NAME = re.compile(r"\w[\w.-]{0,150}")  # of a patient: it becomes that of a folder and of files
NUMBER, PATIENT_ID = "number", "patient-id"  # what names a patient in the cohort


@dataclass(frozen=True)
class Record:
    """What was taken of a patient.

    Args:
        patient_id: in the cohort.
        source: hash of the PatientID.
        row: of the table, what the headers give.
        taken: a sentence about phases, study and mask.
        left_aside: files and series that were not used, and why.
        notices: warnings of reading.
        signature: of the files and settings, see `DicomPatient.signature`.
        files: path in the cohort to size in bytes.
    """

    patient_id: str
    source: str
    row: Mapping[str, str]
    taken: str
    left_aside: Sequence[Mapping[str, object]] = ()
    notices: Sequence[str] = ()
    signature: str = ""
    files: Mapping[str, int] = field(default_factory=dict)

    @property
    def has_mask(self) -> bool:
        """Return True if a mask was found."""
        return any(name.startswith("segmentations/") for name in self.files)

    def is_complete(self, cohort: Path) -> bool:
        """Return True if all files are there with their sizes."""
        with suppress(OSError):
            return all((cohort / name).stat().st_size == size for name, size in self.files.items())
        return False

    def write(self, cohort: Path) -> None:
        """Write the record, whole or not at all.

        Raises:
            DataError: if it cannot be written.
        """
        (cohort / _FOLDER).mkdir(exist_ok=True)
        write_whole_json({"format": FORMAT, **asdict(self)}, _path(cohort, self.patient_id))


def read_record(cohort: Path, name: str) -> Record | None:
    """Return the record of a patient; None if there is none, or an older or damaged one."""
    with suppress(DataError, FileNotFoundError):
        content = read_content(_path(cohort, name))
        with refusing_damage(_path(cohort, name)):
            if content.pop("format") == FORMAT:
                return _checked(Record(**content), name)
    return None


def _checked(record: Record, name: str) -> Record:
    """Return a record whose values are of the right kinds, and which names its own patient and files below it.

    Raises:
        ValueError: if it is damaged.
    """
    files = [Path(file) for file in record.files]
    if record.patient_id != name or not _NAME.fullmatch(name) or any(f.is_absolute() or ".." in f.parts for f in files):
        raise ValueError("names something else")
    if not all(isinstance(text, str) for text in (record.source, record.taken, record.signature, *record.row.values())):
        raise ValueError("holds something else")
    return record


def read_records(cohort: Path) -> Iterator[Record]:
    """Yield the records of all patients of a cohort."""
    found = (read_record(cohort, path.stem) for path in sorted((cohort / _FOLDER).glob("*.json")))
    return (record for record in found if record is not None)


def remove_patient(cohort: Path, name: str) -> None:
    """Remove what an earlier import left of a patient, its record first.

    Raises:
        DataError: if it cannot be removed.
    """
    try:
        _path(cohort, name).unlink(missing_ok=True)
        if (cohort / "images" / name).is_dir():
            shutil.rmtree(cohort / "images" / name)
        for file in (mask_path(cohort, name, visit) for visit in ("", *VISITS)):
            file.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(
            f"{cohort}: {name} cannot be replaced ({error.strerror or error}); close what uses it"
        ) from None


def mask_path(cohort: Path, name: str, visit: str = "") -> Path:
    """Return the file of a patient's mask.

    Args:
        cohort: folder.
        name: of the patient.
        visit: "" for the only exam.
    """
    stem = f"{name}_{visit}" if visit else name
    return cohort / "segmentations" / "expert" / f"{stem.lower()}.nii.gz"


def name_patients(cohort: Path, patients: Sequence[DicomPatient], ids: str) -> dict[str, str]:
    """Return the identifier in the cohort of each patient, by its key; those of earlier imports keep theirs.

    With NUMBER, `identifiers.csv` says which is which; it holds PatientIDs and is readable for its owner alone.

    Raises:
        DataError: if two PatientIDs give the same name, or the list cannot be written.
    """
    if ids == PATIENT_ID:
        return _names_of_keys(patients)
    known = {record.source: record.patient_id for record in read_records(cohort)}
    path = cohort / IDENTIFIERS
    known |= {identifier_hash(key): name for name, key in _read_identifiers(path)}
    last = max((int(found[1]) for name in known.values() if (found := re.fullmatch(r"P(\d+)", name))), default=0)
    names = {}
    for patient in patients:
        source = identifier_hash(patient.key)
        if source not in known:
            last += 1
            known[source] = f"P{last:03d}"
        names[patient.key] = known[source]
    earlier = {name: key for name, key in _read_identifiers(path)}
    rows = sorted({**earlier, **{name: key for key, name in names.items()}}.items())
    write_whole_csv(["patient_id", "PatientID"], rows, path)
    with suppress(OSError):
        path.chmod(0o600)
    return names


def _names_of_keys(patients: Sequence[DicomPatient]) -> dict[str, str]:
    names = {patient.key: re.sub(r"[^A-Za-z0-9]+", "-", patient.key).strip("-") for patient in patients}
    lower = [name.lower() for name in names.values()]
    if len(set(lower)) < len(lower) or "" in lower:
        raise DataError("the PatientIDs of two patients differ only in signs or case; import with --ids number")
    return names


def _read_identifiers(path: Path) -> list[tuple[str, str]]:
    with suppress(OSError, ValueError, KeyError):
        rows = [(row["patient_id"], row["PatientID"]) for row in read_csv(path)]
        return [(name, key) for name, key in rows if _NAME.fullmatch(name)]  # each becomes the name of a folder
    return []


def _path(cohort: Path, name: str) -> Path:
    return cohort / _FOLDER / f"{name}.json"
