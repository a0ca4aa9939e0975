"""Values of DICOM JSON, whatever a PACS sends.

Source: DICOM PS3.18 F.2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_TAGS = {
    "StudyInstanceUID": "0020000D",
    "SeriesInstanceUID": "0020000E",
    "SOPInstanceUID": "00080018",
    "SOPClassUID": "00080016",
    "StudyDate": "00080020",
    "StudyDescription": "00081030",
    "PatientID": "00100020",
    "PatientName": "00100010",
    "PatientBirthDate": "00100030",
    "ModalitiesInStudy": "00080061",
    "NumberOfStudyRelatedSeries": "00201206",
    "NumberOfStudyRelatedInstances": "00201208",
    "Modality": "00080060",
    "SeriesDescription": "0008103E",
    "SeriesNumber": "00200011",
    "NumberOfSeriesRelatedInstances": "00201209",
    "BodyPartExamined": "00180015",
    "Manufacturer": "00080070",
    "NumberOfTemporalPositions": "00200105",
}
Row = Mapping[str, Any]


def is_tag(key: object) -> bool:
    """Return True if a key is a tag, eight hexadecimal digits."""
    return isinstance(key, str) and re.fullmatch("[0-9A-Fa-f]{8}", key) is not None


def text(row: Row, name: str) -> str:
    """Return a value of DICOM JSON as text, "" if it is missing or invalid."""
    values = values_of(row, name)
    return str(values[0]).strip() if values else ""


def number(row: Row, name: str) -> int | None:
    """Return a value of DICOM JSON as a whole number, None if it is missing or invalid."""
    try:
        return int(float(text(row, name)))
    except (ValueError, OverflowError):
        return None


def values_of(row: Row, name: str) -> list[object]:
    """Return the values of an element; names with = between their groups of letters; empty if it is invalid."""
    element = row.get(_TAGS[name]) if isinstance(row, Mapping) else None
    values = element.get("Value") if isinstance(element, Mapping) else None
    found = [item for item in values if item is not None] if isinstance(values, list) else []
    return [_name(item) if isinstance(item, Mapping) else item for item in found]


def _name(groups: Mapping[str, object]) -> str:
    """Return a person's name as DICOM writes it."""
    return "=".join(str(groups.get(kind) or "") for kind in ("Alphabetic", "Ideographic", "Phonetic")).rstrip("=")
