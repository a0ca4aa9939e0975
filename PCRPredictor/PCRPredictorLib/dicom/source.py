"""Headers of the images that results in DICOM refer to, prepared for copying.

Results copy who the patient is and which study it is (`_COPIED`), and nothing else that the source says of people and
places: no comment, address, other name, institution, staff or trial, at any depth. Of descriptions they copy that of
the study, without words that name the patient: a PACS may list a study by any object in it, and look for it by that. An
attribute that may be empty is left empty if it is missing or invalid. An attribute that is required and that only the
scanner knows is refused by name if it is missing. Text becomes UTF-8, which covers every alphabet.

Sources: DICOM PS3.3 C.7.1 to C.7.6 (which attributes must be there), PS3.5 6.2 (values of each kind).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from pydicom import config
from pydicom.uid import UID, EnhancedMRImageStorage, MRImageStorage
from pydicom.valuerep import DA, TM, validate_value

from ..errors import DataError
from ..exam import Exam, Geometry
from .datasets import read_dataset
from .headers import describe_study, tag_number

WITHOUT = "leave out --dicom-results, or save without results in DICOM"
_REQUIRED = ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")
_REQUIRED_OF_A_SLICE = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
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
# Groups of patient, trial, study, visit, staff and institution. Of these, results copy only what stands below: what
# identifies patient and study, what says that the patient was de-identified, and what tells the images apart.
_OF_PEOPLE = {0x0008, 0x0010, 0x0012, 0x0032, 0x0038, 0x0040, 0x4008}
_COPIED = {
    *("PatientName", "PatientID", "IssuerOfPatientID", "TypeOfPatientID", "PatientBirthDate", "PatientSex"),
    *("PatientIdentityRemoved", "DeidentificationMethod", "DeidentificationMethodCodeSequence"),
    *("CodeValue", "CodingSchemeDesignator", "CodingSchemeVersion", "CodeMeaning"),
    *("StudyDate", "StudyTime", "AccessionNumber", "SeriesDate", "SeriesTime", "AcquisitionDate", "AcquisitionTime"),
    *("AcquisitionDateTime", "ContentDate", "ContentTime", "SpecificCharacterSet", "ImageType", "Modality"),
    *("SOPClassUID", "SOPInstanceUID", "Manufacturer", "ManufacturerModelName"),
}
_OF_DEVICE = {"DeviceSerialNumber", "DeviceUID"}
_CHECKED = {"DA", "TM", "DT", "CS", "AS", "LO", "SH"}  # kinds of values that results copy and readers may refuse
_LONGEST = 64  # characters of an LO
_TOLERANCE = 0.1  # of a voxel: positions in DICOM are rounded


@dataclass(frozen=True, eq=False)
class Sources:
    """The images of an exam's early phase: one per slice, or one Enhanced MR with the slices as frames.

    Args:
        images: headers in the order of the exam's slices; one for Enhanced MR, with only the frames of these slices.
        frames: for Enhanced MR the frame number of each slice in its file, from 1; else empty.
    """

    images: tuple[pydicom.Dataset, ...]
    frames: tuple[int, ...] = ()

    @property
    def first(self) -> pydicom.Dataset:
        """Return the header from which patient, study and scanner are copied."""
        return self.images[0]

    def number_frames(self, item: pydicom.Dataset) -> None:
        """Change references to frames from numbers of slices to numbers of frames in the file."""
        for element in item.iterall() if self.frames else ():
            if element.keyword == "ReferencedFrameNumber":
                element.value = self.frames[int(element.value) - 1]


def read_sources(exam: Exam) -> Sources:
    """Read the headers of the early phase.

    Args:
        exam: with the names of its files, in any order.

    Raises:
        DataError: if a header lacks what results in DICOM need, or the images are not the exam's slices, one each.
    """
    files, frames, geometry = exam.provenance.files, exam.provenance.frames, exam.geometry
    headers = [_read_header(file, geometry.spacing[2]) for file in files]
    if frames:
        return _from_frames(headers[0], frames, geometry)
    for header in headers:
        _require(header, (*_REQUIRED, *_REQUIRED_OF_A_SLICE), MRImageStorage)
    corners = [header.ImagePositionPatient for header in headers]
    order = _order_of(corners, headers[0].ImageOrientationPatient, geometry)
    return Sources(tuple(headers[k] for k in order))


def _from_frames(header: pydicom.Dataset, frames: Sequence[int], geometry: Geometry) -> Sources:
    """Return frames of Enhanced MR, numbered from 0; attributes that all frames have become shared ones."""
    _require(header, _REQUIRED, EnhancedMRImageStorage)
    own = [header.PerFrameFunctionalGroupsSequence[number] for number in frames]
    if not header.get("SharedFunctionalGroupsSequence"):
        header.SharedFunctionalGroupsSequence = [pydicom.Dataset()]
    shared = header.SharedFunctionalGroupsSequence[0]
    for name in ("PixelMeasuresSequence", "PlaneOrientationSequence"):
        if name not in shared:
            setattr(shared, name, own[0][name].value)
    corners = [frame.PlanePositionSequence[0].ImagePositionPatient for frame in own]
    order = _order_of(corners, shared.PlaneOrientationSequence[0].ImageOrientationPatient, geometry)
    measures = shared.PixelMeasuresSequence[0]
    if not (tag_number(measures, "SliceThickness") or 0) > 0:
        measures.add_new("SliceThickness", "DS", f"{geometry.spacing[2]:.6g}")
    return Sources((_with_frames(header, [own[k] for k in order]),), tuple(frames[k] + 1 for k in order))


def _with_frames(header: pydicom.Dataset, frames: Sequence[pydicom.Dataset]) -> pydicom.Dataset:
    """Return a header with only these frames."""
    found = pydicom.Dataset()
    found.update(header)
    found.PerFrameFunctionalGroupsSequence, found.NumberOfFrames = list(frames), len(frames)
    return found


def _read_header(file: Path, distance: float) -> pydicom.Dataset:
    """Read a header with the attributes that every result copies; `distance` is between slices, in mm."""
    header = read_dataset(file, stop_before_pixels=True, force=True)
    for tag in list(header.keys()):
        if tag.is_private or not _is_readable(header, tag):
            del header[tag]
    header.decode()
    description = describe_study(header)
    _forget_people(header)
    if description:
        header.StudyDescription = description
    header.SpecificCharacterSet = "ISO_IR 192"
    header.PatientSex = str(header.get("PatientSex") or "").strip().upper()
    header.walk(_correct)
    if header.PatientSex not in ("M", "F", "O"):
        header.PatientSex = ""
    for name in _MAY_BE_EMPTY:
        if header.get(name) is None:
            setattr(header, name, None if name == "SeriesNumber" else "")
    header.Modality = "MR"  # only MR is read as a phase
    header.PositionReferenceIndicator = ""  # a free text, which highdicom copies
    if not (tag_number(header, "SliceThickness") or 0) > 0:
        header.add_new("SliceThickness", "DS", f"{distance:.6g}")
    if not header.get("SOPClassUID"):
        header.SOPClassUID = header.file_meta.get("MediaStorageSOPClassUID")
    return header


def _forget_people(header: pydicom.Dataset) -> None:
    """Delete what results do not copy, in nested sequences, too."""
    for element in list(header):
        is_copied = element.tag.group not in _OF_PEOPLE or element.keyword in _COPIED
        if element.tag.is_private or not is_copied or element.keyword in _OF_DEVICE:
            del header[element.tag]
        elif element.VR == "SQ":
            for item in element.value or ():
                _forget_people(item)


def _is_readable(header: pydicom.Dataset, tag: pydicom.tag.BaseTag) -> bool:
    """Return True if a value can be converted, which pydicom does when it is first read."""
    try:
        header[tag]
    except Exception:  # whatever a damaged value raises
        return False
    return True


def _correct(header: pydicom.Dataset, element: pydicom.DataElement) -> None:
    """Empty an invalid value. Text that is too long is cut, but not an identifier: it could name a different one."""
    if element.VR not in _CHECKED or _is_allowed(element):
        return
    is_text = element.VR == "LO" and isinstance(element.value, str) and not element.keyword.endswith("ID")
    cut = element.value[:_LONGEST].replace("\\", " ") if is_text else ""
    header[element.tag].value = cut if cut.isprintable() else ""


def _is_allowed(element: pydicom.DataElement) -> bool:
    """Return True if values have the form of their kind, and dates and times exist: 31 February does not."""
    values = [element.value] if isinstance(element.value, str) else element.value or ()
    moment = {"DA": DA, "TM": TM}.get(element.VR, str)
    try:
        for value in map(str, values):
            validate_value(element.VR, value, config.RAISE)
            moment(value)
    except ValueError:
        return False
    return True


def _require(header: pydicom.Dataset, names: Sequence[str], kind: str) -> None:
    """Raise DataError if a required value is missing, or the image is of a different kind."""
    for name in names:
        if header.get(name) in (None, "", []):
            raise DataError(f"results in DICOM need {name}, which the exam's DICOM files lack; {WITHOUT}")
    if (got := header.get("SOPClassUID")) != kind:
        raise DataError(f"results in DICOM need images of the SOP class {UID(kind).name}, got {got}; {WITHOUT}")


def _order_of(corners: Sequence[Sequence[float]], axes: Sequence[float], geometry: Geometry) -> np.ndarray:
    """Return the number of the image of each slice of the exam, (slices,), by the positions of images in mm."""
    try:
        index = geometry.to_index(np.array([[float(x) for x in corner] for corner in corners]))
        turn = np.array([float(x) for x in axes]).reshape(2, 3) @ geometry.direction[:, :2]
    except (ValueError, TypeError):
        raise DataError(f"the DICOM files have no whole position and orientation; {WITHOUT}") from None
    order = np.argsort(index[:, 2])
    expected = np.stack([np.zeros(len(order)), np.zeros(len(order)), np.arange(len(order))], 1)
    turned = np.abs(turn - np.eye(2)).max() > _TOLERANCE
    if len(order) != geometry.size[2] or turned or np.abs(index[order] - expected).max() > _TOLERANCE:
        raise DataError(f"the DICOM files are not the slices of the exam, one each; {WITHOUT}")
    return order
