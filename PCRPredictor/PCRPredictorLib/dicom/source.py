"""Headers of the images that results in DICOM refer to, made fit to be copied from.

Results take over patient and study as they are there. What the standard lets be empty is empty where it is missing or
no value of its kind; what it demands and nobody but the scanner can know is asked for by its name. Text becomes UTF-8,
in which every alphabet can be written.

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
from .headers import tag_number

WITHOUT = "leave out --dicom-results, or save without results in DICOM"
_NEEDED = (
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
)
_NEEDED_OF_A_SLICE = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
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


@dataclass(frozen=True, eq=False)
class Sources:
    """The images of an exam's early phase: one a slice, or one Enhanced MR that has the slices as frames.

    Args:
        images: headers in the order of the exam's slices; of Enhanced MR one, with the frames of these slices alone.
        frames: of Enhanced MR the number of each slice's frame in its file, from 1; else empty.
    """

    images: tuple[pydicom.Dataset, ...]
    frames: tuple[int, ...] = ()

    @property
    def first(self) -> pydicom.Dataset:
        """The header that patient, study and scanner are taken from."""
        return self.images[0]

    def part(self, chosen: slice) -> Sources:
        """Those of some slices."""
        if not self.frames:
            return Sources(self.images[chosen])
        frames = self.first.PerFrameFunctionalGroupsSequence[chosen]
        return Sources((_with_frames(self.first, frames),), self.frames[chosen])

    def number_frames(self, item: pydicom.Dataset) -> None:
        """Let references to frames, which count slices, count the frames of the file."""
        for element in item.iterall() if self.frames else ():
            if element.keyword == "ReferencedFrameNumber":
                element.value = self.frames[int(element.value) - 1]


def read_sources(exam: Exam) -> Sources:
    """The images of the early phase.

    Args:
        exam: that names its files, in any order.

    Raises:
        DataError: if a header lacks what results in DICOM need, or the images are not the exam's slices, one each.
    """
    files, frames, geometry = exam.provenance.files, exam.provenance.frames, exam.geometry
    headers = [_read_header(file, geometry.spacing[2]) for file in files]
    if frames:
        return _from_frames(headers[0], frames, geometry)
    for header in headers:
        _demand(header, (*_NEEDED, *_NEEDED_OF_A_SLICE), MRImageStorage)
    corners = [header.ImagePositionPatient for header in headers]
    order = _order_of(corners, headers[0].ImageOrientationPatient, geometry)
    return Sources(tuple(headers[k] for k in order))


def _from_frames(header: pydicom.Dataset, frames: Sequence[int], geometry: Geometry) -> Sources:
    """Frames of Enhanced MR, numbered from 0; what frames have in common counts as shared wherever it was written."""
    _demand(header, _NEEDED, EnhancedMRImageStorage)
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
    """A header that has these frames alone."""
    found = pydicom.Dataset()
    found.update(header)
    found.PerFrameFunctionalGroupsSequence, found.NumberOfFrames = list(frames), len(frames)
    return found


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
    if not header.get("SOPClassUID"):
        header.SOPClassUID = header.file_meta.get("MediaStorageSOPClassUID")
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


def _demand(header: pydicom.Dataset, names: Sequence[str], kind: str) -> None:
    """Refuse what lacks a value that cannot be made up, or is another kind of image."""
    for name in names:
        if header.get(name) in (None, "", []):
            raise DataError(f"results in DICOM need {name}, which the exam's DICOM files lack; {WITHOUT}")
    if (got := header.get("SOPClassUID")) != kind:
        raise DataError(f"results in DICOM need images of the SOP class {UID(kind).name}, got {got}; {WITHOUT}")


def _order_of(corners: Sequence[Sequence[float]], axes: Sequence[float], geometry: Geometry) -> np.ndarray:
    """Which image is each slice of the exam, (slices,), by the positions of images in mm."""
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
