"""Results that lie in files, and what a PACS has of them: the one way of command, page and panel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.uid import ParametricMapStorage, SegmentationStorage

from ..dicom.datasets import read_dataset
from ..dicom.headers import tag_text
from ..dicom.objects.results import DICOM
from ..errors import DataError
from .connection import Connection
from .storing import Item, plan
from .studies import Query, find_studies
from .study import OURS

_TAGS = (
    *("SOPInstanceUID", "SOPClassUID", "Modality", "Manufacturer"),
    *("CurrentRequestedProcedureEvidenceSequence", "PertinentOtherEvidenceSequence"),
)
_HOW = "give the folder that pcr predict --dicom-results or pcr pacs predict has written"


@dataclass(frozen=True)
class Plan:
    """What lies where.

    Args:
        items: of the result, each with its state.
        unknown: studies of the items that the PACS does not have.
    """

    items: tuple[Item, ...]
    unknown: tuple[str, ...] = ()

    @property
    def missing(self) -> int:
        """Number of the objects that the PACS lacks."""
        return sum(item.state == "missing" for item in self.items)


def look(connection: Connection, files: Sequence[Path]) -> Plan:
    """Return which results a PACS lacks, and whether it has their studies; nothing is sent.

    Raises:
        PacsError: if the PACS cannot be asked.
        DataError: if a file is no DICOM object.
    """
    items = tuple(plan(connection, files))
    studies = dict.fromkeys(item.study for item in items)
    return Plan(items, tuple(uid for uid in studies if not find_studies(connection, Query(study=uid))))


def results_in(folder: Path) -> list[Path]:
    """Return the results in DICOM of a folder in the order in which they are sent, the report last.

    Args:
        folder: of a prediction or a follow-up, or the folder `dicom` in it.

    Raises:
        DataError: if it holds none, or not all of one result and nothing else.
    """
    place = folder / DICOM if (folder / DICOM).is_dir() else folder
    files = sorted(place.glob("*.dcm"))
    if not files:
        raise DataError(f"{folder}: holds no results in DICOM; {_HOW}")
    headers = {file: _read(file) for file in files}
    if not any(_is_report(header) for header in headers.values()):
        raise DataError(f"{folder}: has no report in DICOM; {_HOW}")
    _check_whole(place, headers)
    return sorted(files, key=lambda file: _is_report(headers[file]))


def _read(file: Path) -> pydicom.Dataset:
    """Return the header of a result.

    Raises:
        DataError: if it is none.
    """
    try:
        header = read_dataset(file, stop_before_pixels=True, specific_tags=[*_TAGS])
    except Exception:  # whatever a file that is none raises
        raise DataError(f"{file}: is no DICOM object; predict again") from None
    if tag_text(header, "Manufacturer") != OURS:
        raise DataError(f"{file}: is no result of this software; {_HOW}")
    return header


def _is_report(header: pydicom.Dataset) -> bool:
    return tag_text(header, "Modality") == "SR"


def _check_whole(place: Path, headers: dict[Path, pydicom.Dataset]) -> None:
    """Check that reports refer to all other objects, and to none that is missing."""
    there = {tag_text(header, "SOPInstanceUID"): file for file, header in headers.items() if not _is_report(header)}
    named = {uid for header in headers.values() if _is_report(header) for uid in _named_by(header)}
    if named - there.keys():
        raise DataError(f"{place}: lacks objects that the report refers to; predict again")
    if alone := [file.name for uid, file in there.items() if uid not in named]:
        raise DataError(f"{place}: {alone[0]} is not of the prediction in the report; predict again")


def _named_by(report: pydicom.Dataset) -> Iterator[str]:
    """Yield the UIDs of segmentations and maps that a report refers to."""
    for element in report.iterall():
        if element.keyword == "ReferencedSOPSequence":
            for item in element.value:
                if item.get("ReferencedSOPClassUID") in (SegmentationStorage, ParametricMapStorage):
                    yield str(item.ReferencedSOPInstanceUID)
