"""Headers of DICOM images: the images of a folder that could be slices of a DCE phase, and values of their tags."""

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from pydicom.tag import Tag

from ..errors import DataError

PLACE_TAGS = (
    "SeriesInstanceUID", "Rows", "Columns", "PixelSpacing", "ImageOrientationPatient", "ImagePositionPatient",
)  # fmt: skip
PHASE_TAGS = (
    "TemporalPositionIdentifier", "TriggerTime", "AcquisitionTime", "AcquisitionDateTime", "ContentTime",
    "AcquisitionNumber",
)  # fmt: skip
# Philips writes the time of a dynamic in private tags, in s after the first one; often in no other tag.
DYNAMIC_BEGIN = "MRImageDynamicScanBeginTime"
_PHILIPS = ((0x2005, 0x0010), (0x2005, 0x10A0))
_PHILIPS_CREATOR = "Philips MR Imaging DD 001"
ORDER_TAGS = ("SeriesNumber", "TemporalPositionIdentifier", "AcquisitionNumber", "InstanceNumber")
_TAGS = (
    *PLACE_TAGS, *PHASE_TAGS, *ORDER_TAGS, "SOPInstanceUID", "StudyInstanceUID", "PatientID", "PatientName",
    "PatientAge", "PatientBirthDate", "Modality", "SeriesDescription", "ImageType", "NumberOfFrames", "EchoTime",
    "FlipAngle", "ScanningSequence", "DiffusionBValue", "ContrastBolusStartTime", "ContrastBolusAgent",
    "ContrastBolusAgentSequence", "RescaleSlope", "RescaleIntercept",
)  # fmt: skip
_READ = [Tag(tag) for tag in (*_TAGS, *_PHILIPS)]
_COMPUTED = ("SUB", "MIP", "PROJECTION", "MPR", "REFORMAT", "DIFFUSION", "ADC", "TRACEW")  # starts of image types
_NO_MAGNITUDE = {"P", "PHASE", "PHASE MAP", "R", "REAL", "I", "IMAGINARY"}
SECONDS_PER_DAY = 86400.0
_PER_YEAR = {"Y": 1, "M": 12, "W": 52.18, "D": 365.25}
_YOUNGEST, _OLDEST = 18, 100  # years; other ages are typing errors or mean "unknown"


@dataclass(frozen=True, eq=False)
class Slice:
    """One image: its file, header, position in mm along its normal, and kind (see `DicomPhase.kind`).

    For a multi-frame file also its frame number, from 0.
    """

    file: Path
    header: pydicom.Dataset
    position: float
    kind: tuple
    frame: int | None = None


def read_headers(folder: Path) -> dict[Path, pydicom.Dataset]:
    """Read the headers of the images in a folder, by file; of duplicate files one counts.

    Raises:
        DataError: if there is no such folder.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; give the folder with the DICOM files")
    headers = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=_READ)
        except Exception:  # damaged headers raise anything; slices that are missing then are reported later
            continue
        _drop_invalid(header)
        if "Rows" in header:
            headers[str(header.get("SOPInstanceUID") or file)] = file, header
    if not headers:
        raise DataError(f"{folder}: has no DICOM images; give the folder with the DICOM files")
    people = {(str(h.get("PatientID", "")), str(h.get("PatientName", ""))) for _, h in headers.values()}
    born = {str(h.get("PatientBirthDate") or "") for _, h in headers.values()} - {""}  # often the only value left
    if len(people) > 1 or len(born) > 1:
        raise DataError(f"{folder}: holds more than one patient; give a folder with the files of one patient")
    return dict(headers.values())


def as_slice(file: Path, header: pydicom.Dataset) -> Slice | None:
    """Return an image that could be a slice of a phase, or None."""
    if header.get("Modality", "MR") != "MR" or tag_frames(header) > 1 or _is_not_dce(header):
        return None
    if any(header.get(tag) in (None, "") for tag in PLACE_TAGS):
        return None
    try:
        across, down = np.reshape(as_floats(header.ImageOrientationPatient), (2, 3))
        normal = np.cross(across, down)
        position = float(normal @ as_floats(header.ImagePositionPatient))
        rows, columns = as_floats(header.PixelSpacing)
    except (ValueError, TypeError):
        return None
    if not np.isfinite(position) or not 0.9 < np.linalg.norm(normal) < 1.1:
        return None
    if min(rows, columns, tag_integer(header, "Rows"), tag_integer(header, "Columns")) <= 0:
        return None
    settings = [tag_number(header, tag) for tag in ("EchoTime", "FlipAngle")]
    settings = [None if value is None else round(value, 1) for value in settings]
    return Slice(file, header, position, (str(header.get("StudyInstanceUID")), _words(header, "ImageType"), *settings))


def tag_seconds(header: pydicom.Dataset, tag: str) -> float | None:
    """Return a time tag in s: TriggerTime is in ms, AcquisitionDateTime YYYYMMDDHHMMSS.F&ZZXX, the others HHMMSS.F."""
    if tag == DYNAMIC_BEGIN:
        return _dynamic_begin(header)
    text = str(header.get(tag) or "").strip().replace(":", "")
    if tag == "TriggerTime":
        return None if (delay := tag_number(header, tag)) is None else delay / 1000
    try:
        days = 0.0
        if tag == "AcquisitionDateTime":
            days = datetime.date(int(text[:4]), int(text[4:6]), int(text[6:8])).toordinal()
            text = text[8:].split("+")[0].split("-")[0]
        return days * SECONDS_PER_DAY + int(text[:2]) * 3600 + int(text[2:4]) * 60 + float(text[4:] or 0)
    except ValueError:
        return None


def tag_number(header: pydicom.Dataset, tag: str) -> float | None:
    """Return a tag with one number, or None if it is missing or damaged."""
    try:
        return float(header[tag].value)
    except (KeyError, TypeError, ValueError):
        return None


def tag_years(header: pydicom.Dataset) -> float | None:
    """Return the age in years, from years, months, weeks or days; None if it is missing or not an adult's."""
    found = re.fullmatch(r"(\d{1,3})([YMWD])", str(header.get("PatientAge") or "").strip().upper())
    years = round(int(found[1]) / _PER_YEAR[found[2]], 1) if found else 0.0
    return years if _YOUNGEST <= years <= _OLDEST else None


def tag_integer(header: pydicom.Dataset, tag: str) -> int:
    """Return a tag with a whole number, or 0."""
    value = header.get(tag)
    return value if isinstance(value, int) else 0


def tag_frames(header: pydicom.Dataset) -> int:
    """Return the number of images in the file: more than one in multi-frame DICOM."""
    return tag_integer(header, "NumberOfFrames")


def as_floats(value: Iterable) -> list[float]:
    """Return the values of a tag with several numbers."""
    return [float(x) for x in value]


def _dynamic_begin(header: pydicom.Dataset) -> float | None:
    """Return the seconds of an image's dynamic after the first one, as Philips writes them."""
    creator, begin = (header.get(tag) for tag in _PHILIPS)
    if creator is None or str(creator.value).strip() != _PHILIPS_CREATOR or begin is None:
        return None
    try:
        return float(begin.value)
    except (TypeError, ValueError):
        return None


def _drop_invalid(header: pydicom.Dataset) -> None:
    """Delete values that cannot be converted; pydicom converts a value when it is first read."""
    for tag in _READ:
        try:
            header.get(tag)
        except Exception:  # whatever a damaged value raises
            del header[tag]


def _is_not_dce(header: pydicom.Dataset) -> bool:
    """Return True if it is computed from phases (subtraction, projection) or is spin or planar echo, or diffusion."""
    kinds, sequence = _words(header, "ImageType"), _words(header, "ScanningSequence")
    return (
        kinds[:2] == ("DERIVED", "SECONDARY")
        or any(kind.startswith(_COMPUTED) for kind in kinds)
        or not _NO_MAGNITUDE.isdisjoint(kinds)
        or "EP" in sequence
        or ("SE" in sequence and "GR" not in sequence)
        or header.get("DiffusionBValue") is not None
    )


def _words(header: pydicom.Dataset, tag: str) -> tuple[str, ...]:
    """Return the values of a tag that has one or several, in capitals."""
    value = header.get(tag) or ()
    return tuple(str(word).upper() for word in ([value] if isinstance(value, str) else value))
