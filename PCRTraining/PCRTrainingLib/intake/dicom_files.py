"""The DICOM files of many patients in one folder, in any order and depth, sorted by patient and study."""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pydicom
from PCRPredictorLib.dicom.datasets import read_dataset
from PCRPredictorLib.engine.engine import Engine
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.files.names import does_not_exist, ending_of

_TAGS = [
    "PatientID", "PatientName", "PatientBirthDate", "StudyInstanceUID", "StudyDate", "StudyTime", "Modality",
    "Manufacturer", "FrameOfReferenceUID",
]  # fmt: skip
_IMAGES, _MASKS = "MR", "SEG"
_PART = 500  # files whose headers are read in one task
_SHORTEST = 3  # letters of a name that is hidden


Header = Mapping[str, str]  # tag to value; empty ones are left out


@dataclass
class Study:
    """The MR files of one study, and its date and time as they are written ("" if unknown)."""

    uid: str
    moment: str = ""
    files: list[Path] = field(default_factory=list)


@dataclass
class DicomPatient:
    """The files of one patient.

    Args:
        key: PatientID; without one, name and birth date, or the study. Never shown.
        studies: with MR images, the earliest first.
        masks: DICOM Segmentations.
        others: files without a readable header beside the patient's, and of other kinds.
        manufacturer: of the scanner, "" if unknown.
        folders: that hold the patient's MR images, and their number.
        frames: UIDs of the frames of reference.
        names: parts of the PatientName.
    """

    key: str
    studies: list[Study] = field(default_factory=list)
    masks: list[Path] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)
    manufacturer: str = ""
    folders: Counter[Path] = field(default_factory=Counter)
    frames: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)

    def signature(self, *more: object) -> str:
        """Return a hash of the names, sizes and times of the patient's files, and of `more`: it changes if they do."""
        files = [file for study in self.studies for file in study.files] + self.masks + self.others
        facts = sorted((file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files)
        return hashlib.blake2b(repr((facts, more)).encode(), digest_size=16).hexdigest()

    def without_names(self, text: str) -> str:
        """Return a text without PatientID and names, which names of files and folders may hold."""
        secrets = sorted({self.key, *self.names}, key=len, reverse=True)
        hidden = "|".join(re.escape(secret) for secret in secrets if len(secret) >= _SHORTEST)
        return re.sub(hidden, "...", text, flags=re.IGNORECASE) if hidden else text


@dataclass
class DicomFolder:
    """What a folder holds.

    Args:
        patients: with MR images, by key.
        images: files that are images but not DICOM, such as masks.
        lost: files of which it is not known which patient they belong to.
    """

    patients: list[DicomPatient]
    images: list[Path]
    lost: list[Path]


def list_files(folder: Path, without: Path) -> list[Path]:
    """Return the files of a folder that may be images.

    Args:
        without: folder that is not searched, such as the cohort if it is inside.

    Raises:
        DataError: if there is no such folder.
    """
    if not folder.exists():
        raise DataError(does_not_exist(folder))
    if not folder.is_dir():
        raise DataError(f"{folder}: not a folder; give the folder with the DICOM files of all patients")
    return list(_files(folder, without))


def read_dicom_folder(folder: Path, files: Sequence[Path], engine: Engine) -> DicomFolder:
    """Read the headers of a folder's files and sort them by patient.

    Args:
        files: from `list_files`.
        engine: that reads them.

    Raises:
        DataError: if there is no DICOM image of the modality MR among them.
    """
    found: dict[str, DicomPatient] = {}
    images = [file for file in files if ending_of(file.name)]
    loose = []
    for file, header in _read_all([file for file in files if not ending_of(file.name)], engine):
        kind = _text(header, "Modality")
        if header is None or kind not in ("", _IMAGES) or not _key(header):
            loose.append((file, kind, header))
        else:
            _add_image(found.setdefault(_key(header), DicomPatient(_key(header))), file, header)
    if not found:
        raise DataError(f"{folder}: has no DICOM images of the modality MR; give the folder with all patients' files")
    lost = [file for file, kind, header in loose if not _add_loose(found, file, kind, header)]
    for patient in found.values():
        patient.studies.sort(key=lambda study: (study.moment, study.uid))
    return DicomFolder(sorted(found.values(), key=lambda patient: patient.key), images, lost)


def _files(folder: Path, without: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        if Path(place).resolve() == without.resolve():
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        yield from (Path(place) / name for name in sorted(names) if not name.startswith(".") and name != "DICOMDIR")


def _read_all(files: Sequence[Path], engine: Engine) -> Iterator[tuple[Path, Header | None]]:
    """Yield each file with its header, in their order."""
    parts = [tuple(files[k : k + _PART]) for k in range(0, len(files), _PART)]
    waiting: dict[Path, list[Header | None]] = {}  # by the first file: parts that came before their turn
    done = engine.run(read_headers, parts)
    for part in parts:
        while part[0] not in waiting:
            each = next(done)
            waiting[each.task[0]] = each.result()
        yield from zip(part, waiting.pop(part[0]), strict=True)


def read_headers(files: Sequence[Path], _report: Callable[..., None]) -> list[Header | None]:
    """Return the header of each file, None if it is no DICOM or damaged."""
    return [_read(file) for file in files]


def _read(file: Path) -> Header | None:
    try:
        header = read_dataset(file, stop_before_pixels=True, specific_tags=_TAGS)
    except Exception:  # no DICOM, or damaged, which raises anything
        return None
    return {tag: text for tag in _TAGS if (text := _text_in(header, tag))}


def _text_in(header: pydicom.Dataset, tag: str) -> str:
    try:
        return str(header.get(tag) or "").strip()
    except Exception:  # a value that cannot be converted
        return ""


def _text(header: Header | None, tag: str) -> str:
    return header.get(tag, "") if header is not None else ""


def _key(header: Header) -> str:
    """Return what names the patient: PatientID, else name and birth date, else the study."""
    name = f"{_text(header, 'PatientName').rstrip('^')} {_text(header, 'PatientBirthDate')}".strip()
    return _text(header, "PatientID") or name or _text(header, "StudyInstanceUID")


def _add_image(patient: DicomPatient, file: Path, header: Header) -> None:
    uid = _text(header, "StudyInstanceUID")
    study = next((study for study in patient.studies if study.uid == uid), None)
    if study is None:
        study = Study(uid, _text(header, "StudyDate") + _text(header, "StudyTime").split(".")[0])
        patient.studies.append(study)
    study.files.append(file)
    patient.folders[file.parent] += 1
    patient.frames.add(_text(header, "FrameOfReferenceUID"))
    patient.names.update(re.findall(r"[^\W_]+", _text(header, "PatientName")))
    patient.manufacturer = patient.manufacturer or _text(header, "Manufacturer")


def _only_one_above(found: dict[str, DicomPatient], file: Path) -> DicomPatient | None:
    """Return the patient whose images alone lie in the nearest folder above a file that holds any."""
    for place in file.parents:
        holders = [p for p in found.values() if any(f.is_relative_to(place) for f in p.folders)]
        if holders:
            return holders[0] if len(holders) == 1 and len(found) > 1 else None
    return None


def _add_loose(found: dict[str, DicomPatient], file: Path, kind: str, header: Header | None) -> bool:
    """Give a file that is no MR image to its patient; return False if it is not known who that is.

    Its header says so, or its frame of reference, or the folder that it lies in: it may be a lost slice.
    """
    owner = found.get(_key(header)) if header is not None else None
    if owner is None and (frame := _text(header, "FrameOfReferenceUID")):
        sharing = [patient for patient in found.values() if frame in patient.frames]
        owner = sharing[0] if len(sharing) == 1 else None
    if owner is None:
        owner = max(found.values(), key=lambda patient: patient.folders[file.parent])
        if not owner.folders[file.parent] and (owner := _only_one_above(found, file)) is None:
            return False
    (owner.masks if kind == _MASKS else owner.others).append(file)
    return True
