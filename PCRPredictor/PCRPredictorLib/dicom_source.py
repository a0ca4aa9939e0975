"""Headers of the images that results in DICOM refer to, made fit to be copied from.

Results take over patient and study as they are there. What the standard lets be empty is empty where it is missing or
no value of its kind; what it demands and nobody but the scanner can know is asked for by its name. Text becomes UTF-8,
in which every alphabet can be written.

Sources: DICOM PS3.3 C.7.1 to C.7.6 (which attributes must be there), PS3.5 6.2 (values of each kind).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pydicom
from pydicom import config
from pydicom.uid import MRImageStorage
from pydicom.valuerep import DA, TM, validate_value

from .dicom_headers import tag_number
from .errors import DataError
from .exam import Geometry

WITHOUT = "leave out --dicom-results, or save without results in DICOM"
_NEEDED = (
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
)
_MAY_BE_EMPTY = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "AccessionNumber",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
    "SeriesNumber",
)
_CHECKED = {"DA", "TM", "DT", "CS", "AS", "LO", "SH"}  # kinds of values that results copy and readers stumble over
_LONGEST = 64  # characters of an LO
_TOLERANCE = 0.1  # of a voxel: positions in DICOM are rounded


def read_sources(files: Sequence[Path], geometry: Geometry) -> list[pydicom.Dataset]:
    """The headers of an exam's slices, in their order.

    Args:
        files: one a slice, in any order.
        geometry: of the exam.

    Raises:
        DataError: if a header lacks what results in DICOM need, or the files are not the exam's slices, one each.
    """
    return _in_order([_read_header(file, geometry.spacing[2]) for file in files], geometry)


def _read_header(file: Path, distance: float) -> pydicom.Dataset:
    """A source's header with what every result copies; `distance` is between slices in mm."""
    header = pydicom.dcmread(file, stop_before_pixels=True)
    for tag in list(header.keys()):
        if tag.is_private or not _can_be_read(header, tag):
            del header[tag]
    header.decode()
    header.SpecificCharacterSet = "ISO_IR 192"
    header.PatientSex = str(header.get("PatientSex") or "").strip().upper()
    header.walk(_correct)
    if header.PatientSex not in ("M", "F", "O"):
        header.PatientSex = ""
    for name in _MAY_BE_EMPTY:
        if header.get(name) is None:
            setattr(header, name, None if name == "SeriesNumber" else "")
    header.Modality = "MR"  # nothing else is read as a phase
    if not (tag_number(header, "SliceThickness") or 0) > 0:
        header.add_new("SliceThickness", "DS", f"{distance:.6g}")
    _demand(header)
    return header


def _can_be_read(header: pydicom.Dataset, tag: pydicom.tag.BaseTag) -> bool:
    """Whether a value is of its kind; pydicom converts it when it is first looked at."""
    try:
        header[tag]
    except Exception:  # whatever a damaged value raises
        return False
    return True


def _correct(header: pydicom.Dataset, element: pydicom.DataElement) -> None:
    """Empty a value that is not allowed. Text that is too long is cut, but a cut identifier would be another one's."""
    if element.VR not in _CHECKED or _is_allowed(element):
        return
    is_text = element.VR == "LO" and isinstance(element.value, str) and not element.keyword.endswith("ID")
    cut = element.value[:_LONGEST].replace("\\", " ") if is_text else ""
    header[element.tag].value = cut if cut.isprintable() else ""


def _is_allowed(element: pydicom.DataElement) -> bool:
    """Whether values have the form of their kind, and dates and times are some; 31 February only has the form."""
    values = [element.value] if isinstance(element.value, str) else element.value or ()
    moment = {"DA": DA, "TM": TM}.get(element.VR, str)
    try:
        for value in map(str, values):
            validate_value(element.VR, value, config.RAISE)
            moment(value)
    except ValueError:
        return False
    return True


def _demand(header: pydicom.Dataset) -> None:
    """Refuse what lacks a value that cannot be made up."""
    for name in _NEEDED:
        if header.get(name) in (None, "", []):
            raise DataError(f"results in DICOM need {name}, which the exam's DICOM files lack; {WITHOUT}")
    kind = header.get("SOPClassUID") or header.file_meta.get("MediaStorageSOPClassUID")
    if kind != MRImageStorage:
        raise DataError(f"results in DICOM need images of the SOP class MR Image Storage, got {kind}; {WITHOUT}")
    header.SOPClassUID = kind


def _in_order(headers: Sequence[pydicom.Dataset], geometry: Geometry) -> list[pydicom.Dataset]:
    """The headers in the order of the exam's slices."""
    try:
        corners = np.array([[float(x) for x in header.ImagePositionPatient] for header in headers])
        axes = np.array([float(x) for x in headers[0].ImageOrientationPatient]).reshape(2, 3)
    except (ValueError, TypeError):
        raise DataError(f"the DICOM files have no whole position and orientation; {WITHOUT}") from None
    index = geometry.to_index(corners)
    order = np.argsort(index[:, 2])
    expected = np.stack([np.zeros(len(order)), np.zeros(len(order)), np.arange(len(order))], 1)
    turned = np.abs(axes @ geometry.direction[:, :2] - np.eye(2)).max() > _TOLERANCE
    if len(headers) != geometry.size[2] or turned or np.abs(index[order] - expected).max() > _TOLERANCE:
        raise DataError(f"the DICOM files are not the slices of the exam, one each; {WITHOUT}")
    return [headers[k] for k in order]
