"""Headers of DICOM images: the tags that are read, and their values."""

import datetime
import re
from collections.abc import Iterable
from typing import Any

import pydicom
from pydicom.tag import Tag

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
    *PHASE_TAGS, *ORDER_TAGS, "Rows", "Columns", "PixelSpacing", "ImageOrientationPatient", "ImagePositionPatient",
    "SOPClassUID", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID", "StudyDate",
    "StudyTime", "AcquisitionDate", "PatientID", "PatientName", "PatientAge", "PatientBirthDate", "Modality",
    "SeriesDescription", "ImageType", "NumberOfFrames", "NumberOfTemporalPositions", "EchoTime", "FlipAngle",
    "RepetitionTime", "ScanOptions", "ScanningSequence", "DiffusionBValue", "ContrastBolusStartTime",
    "ContrastBolusAgent", "ContrastBolusAgentSequence", "RescaleSlope", "RescaleIntercept", "SamplesPerPixel",
    "PhotometricInterpretation", "BitsAllocated", "BitsStored", "PixelRepresentation", "EchoPulseSequence",
    "EchoPlanarPulseSequence", "Laterality", "ImageLaterality", "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence", "BurnedInAnnotation",
)  # fmt: skip
READ_TAGS = [Tag(tag) for tag in (*_TAGS, *_PHILIPS)]
SECONDS_PER_DAY = 86400.0
_PER_YEAR = {"Y": 1, "M": 12, "W": 52.18, "D": 365.25}
_LEAST_OF_A_NAME = 3  # characters of a word that is taken for the patient's; shorter ones are in any description
_YOUNGEST, _OLDEST = 18, 100  # years; other ages are typing errors or mean "unknown"


def encoding_of(data: pydicom.Dataset) -> tuple[bool | None, bool | None]:
    """Return whether a data set was read with implicit value representations, and in little endian order."""
    if hasattr(data, "original_encoding"):
        return data.original_encoding
    return data.read_implicit_vr, data.read_little_endian


def tag_value(header: pydicom.Dataset, tag: str | tuple[int, int]) -> Any:  # noqa: ANN401
    """Return the value of a tag, None if it is missing or damaged; pydicom converts it when it is first read."""
    try:
        return header.get(tag)
    except Exception:  # whatever a damaged value raises
        return None


def stored_values(header: pydicom.Dataset, tags: Iterable[int]) -> tuple:
    """Return the values of tags as they are stored, to compare headers without converting them."""
    return tuple(str(header.get_item(tag).value) if tag in header else "" for tag in tags)


def name_series(header: pydicom.Dataset) -> str:
    """Return number and description of a series, for messages, without words that name the patient."""
    number = tag_value(header, "SeriesNumber")
    description = _without_patient(header, tag_text(header, "SeriesDescription"))
    return f"series {'?' if number in (None, '') else number} ({description or 'no description'})"


def describe_study(header: pydicom.Dataset) -> str:
    """Return the description of a study in one line, without words that name the patient; "" if there is none."""
    value = tag_value(header, "StudyDescription") or ""
    parts = [value] if isinstance(value, str) else map(str, value)  # a backslash makes several values of it
    return _without_patient(header, " ".join(" ".join(parts).split()))


def _without_patient(header: pydicom.Dataset, text: str) -> str:
    """Return a free text in which words of the patient's name, identifier and birth date are replaced."""
    return without_names(text, *(tag_text(header, name) for name in ("PatientName", "PatientID", "PatientBirthDate")))


def without_names(text: str, *named: str) -> str:
    """Return a free text in which the words of a patient's name, identifier and birth date are replaced."""
    words = {re.escape(word) for word in re.split(r"[\s^=,]+", " ".join(named)) if len(word) >= _LEAST_OF_A_NAME}
    if not words:
        return text
    longest_first = "|".join(sorted(words, key=len, reverse=True))
    return re.sub(rf"(?<![^\W_])(?:{longest_first})(?![^\W_])", "[patient]", text, flags=re.IGNORECASE)


def tag_seconds(header: pydicom.Dataset, tag: str) -> float | None:
    """Return a time tag in s: TriggerTime is in ms, AcquisitionDateTime YYYYMMDDHHMMSS.F&ZZXX, the others HHMMSS.F."""
    if tag == DYNAMIC_BEGIN:
        return _dynamic_begin(header)
    text = str(tag_value(header, tag) or "").strip().replace(":", "")
    if tag == "TriggerTime":
        return None if (delay := tag_number(header, tag)) is None else delay / 1000
    try:
        days = 0.0
        if tag == "AcquisitionDateTime":
            days = datetime.date(int(text[:4]), int(text[4:6]), int(text[6:8])).toordinal()
            text = text[8:].split("+")[0].split("-")[0]
        time = int(text[:2]) * 3600 + int(text[2:4] or 0) * 60 + float(text[4:] or 0)
    except ValueError:
        return None
    return days * SECONDS_PER_DAY + time if 0 <= time < SECONDS_PER_DAY + 1 else None  # with a leap second


def tag_number(header: pydicom.Dataset, tag: str) -> float | None:
    """Return a tag with one number, or None if it is missing or damaged."""
    try:
        return float(tag_value(header, tag))
    except (TypeError, ValueError):
        return None


def tag_years(header: pydicom.Dataset) -> float | None:
    """Return the age in years, from years, months, weeks or days; None if it is missing or not an adult's."""
    found = re.fullmatch(r"(\d{1,3})([YMWD])", tag_text(header, "PatientAge").upper())
    years = round(int(found[1]) / _PER_YEAR[found[2]], 1) if found else 0.0
    return years if _YOUNGEST <= years <= _OLDEST else None


def tag_integer(header: pydicom.Dataset, tag: str) -> int:
    """Return a tag with a whole number, or 0."""
    value = tag_value(header, tag)
    return value if isinstance(value, int) else 0


def tag_words(header: pydicom.Dataset, tag: str) -> tuple[str, ...]:
    """Return the values of a tag that has one or several, in capitals."""
    value = tag_value(header, tag) or ()
    return tuple(str(word).strip().upper() for word in ([value] if isinstance(value, str) else value))


def tag_text(header: pydicom.Dataset, tag: str) -> str:
    """Return a tag as text without padding; empty if it is missing."""
    value = tag_value(header, tag)
    return "" if value is None else str(value).strip(" \0")


def as_floats(value: Iterable) -> list[float]:
    """Return the values of a tag with several numbers."""
    return [float(x) for x in value]


def _dynamic_begin(header: pydicom.Dataset) -> float | None:
    """Return the seconds of an image's dynamic after the first one, as Philips writes them."""
    creator, begin = (tag_value(header, tag) for tag in _PHILIPS)
    if creator is None or str(creator.value).strip() != _PHILIPS_CREATOR or begin is None:
        return None
    try:
        return float(begin.value)
    except (TypeError, ValueError):
        return None
