"""Headers of the images that results in DICOM refer to, prepared for copying.

Results copy who the patient is and which study it is (`_COPIED`), and nothing else that the source says of people and
places: no comment, address, other name, institution, staff or trial, at any depth. Of descriptions they copy that of
the study, without words that name the patient: a PACS may list a study by any object in it, and look for it by that. An
attribute that may be empty is left empty if it is missing or invalid. An attribute that is required and that only the
scanner knows is refused by name if it is missing. Text becomes UTF-8, which covers every alphabet.

Sources: DICOM PS3.3 C.7.1 to C.7.6 (which attributes must be there), PS3.5 6.2 (values of each kind).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from pydicom import config
from pydicom.datadict import dictionary_VR
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
_OF_FRAMES = ("NumberOfFrames", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
_GROUPS = {  # of Enhanced MR, by what a single image has
    "ImagePositionPatient": "PlanePositionSequence",
    "ImageOrientationPatient": "PlaneOrientationSequence",
    "PixelSpacing": "PixelMeasuresSequence",
    "SliceThickness": "PixelMeasuresSequence",
}
_OF_DEVICE = {"DeviceSerialNumber", "DeviceUID"}
_CHECKED = {"DA", "TM", "DT", "CS", "AS", "LO", "SH"}  # kinds of values that results copy and readers may refuse
_LONGEST = 64  # characters of an LO
_TOLERANCE = 0.1  # of a voxel: positions in DICOM are rounded


@dataclass(frozen=True, eq=False)
class Sources:
    """The images of an exam's early phase: an image per slice, or Enhanced MR, whose frames are the slices.

    Args:
        slices: a header per slice, in their order, as if all were single images of one series: highdicom takes no
            others. Results that are made of them are corrected by `correct_references`.
        objects: the object of each slice as it was stored; of Enhanced MR one may hold several slices.
        frames: for Enhanced MR the frame number of each slice in its file, from 1; else empty.
    """

    slices: tuple[pydicom.Dataset, ...]
    objects: tuple[pydicom.Dataset, ...]
    frames: tuple[int, ...] = ()

    @property
    def first(self) -> pydicom.Dataset:
        """Return the header from which patient, study and scanner are copied."""
        return self.objects[0]

    @property
    def images(self) -> tuple[pydicom.Dataset, ...]:
        """Return the objects, each once."""
        return tuple({item.SOPInstanceUID: item for item in self.objects}.values())

    @property
    def series(self) -> tuple[str, ...]:
        """Return the UIDs of their series, each once."""
        return tuple(dict.fromkeys(str(item.SeriesInstanceUID) for item in self.objects))

    def correct_references(self, item: pydicom.Dataset) -> None:
        """Let an object that was made of `slices` refer to the objects, their series and frames."""
        if all(header is image for header, image in zip(self.slices, self.objects, strict=True)):
            return
        numbers = {str(header.SOPInstanceUID): k for k, header in enumerate(self.slices)}
        for frame in item.PerFrameFunctionalGroupsSequence:
            for derived in frame.get("DerivationImageSequence") or ():
                for reference in derived.SourceImageSequence:
                    self._refer(reference, numbers[reference.ReferencedSOPInstanceUID])
        item.SourceImageSequence = [_reference(image) for image in self.images]
        item.ReferencedSeriesSequence = [self._in_series(uid) for uid in self.series]

    def _refer(self, reference: pydicom.Dataset, number: int) -> None:
        reference.update(_reference(self.objects[number]))
        if self.frames:
            reference.ReferencedFrameNumber = self.frames[number]

    def _in_series(self, uid: str) -> pydicom.Dataset:
        found = pydicom.Dataset()
        found.SeriesInstanceUID = uid
        found.ReferencedInstanceSequence = [_reference(one) for one in self.images if one.SeriesInstanceUID == uid]
        return found


def _reference(image: pydicom.Dataset) -> pydicom.Dataset:
    found = pydicom.Dataset()
    found.ReferencedSOPClassUID, found.ReferencedSOPInstanceUID = image.SOPClassUID, image.SOPInstanceUID
    return found


def read_sources(exam: Exam) -> Sources:
    """Read the headers of the early phase.

    Args:
        exam: with the names of its files, in any order.

    Raises:
        DataError: if a header lacks what results in DICOM need, or the images are not the exam's slices, one each.
    """
    files, frames, geometry = exam.provenance.files, exam.provenance.frames, exam.geometry
    read = {file: _read_header(file, geometry.spacing[2]) for file in dict.fromkeys(files)}
    objects = [read[file] for file in (files if len(files) > 1 or not frames else files * len(frames))]
    for header in read.values():
        _require(header, _REQUIRED, EnhancedMRImageStorage if frames else MRImageStorage)
    slices = [_as_single(objects[k], frame, k) for k, frame in enumerate(frames)] or objects
    for header in slices:
        _require(header, _REQUIRED_OF_A_SLICE, MRImageStorage)
    if len({header.StudyInstanceUID for header in slices}) > 1:
        raise DataError(f"results in DICOM need an early phase of one study, got several study UIDs; {WITHOUT}")
    corners = [header.ImagePositionPatient for header in slices]
    order = _order_of(corners, slices[0].ImageOrientationPatient, geometry)
    numbers = tuple(frames[k] + 1 for k in order) if frames else ()
    return Sources(_of_one_series([slices[k] for k in order]), tuple(objects[k] for k in order), numbers)


def _as_single(header: pydicom.Dataset, frame: int, number: int) -> pydicom.Dataset:
    """Return the header that a frame of Enhanced MR would have as a single image.

    Args:
        frame: in the file, from 0.
        number: of the image, from which its UID is made: no result refers to it.
    """
    groups = [*(header.get("SharedFunctionalGroupsSequence") or ()), header.PerFrameFunctionalGroupsSequence[frame]]
    own: dict[str, object] = {"SOPClassUID": MRImageStorage, "SOPInstanceUID": f"2.25.{number + 1}"}
    for name, group in _GROUPS.items():
        for values in (item for owner in groups for item in owner.get(group) or ()):
            if name in values and (name != "SliceThickness" or (tag_number(values, name) or 0) > 0):
                own[name] = values[name].value
    found = _with(header, own)
    for name in _OF_FRAMES:
        if name in found:
            del found[name]
    return found


def _of_one_series(slices: Sequence[pydicom.Dataset]) -> tuple[pydicom.Dataset, ...]:
    """Return headers that all have the first one's series; those that have it are not copied."""
    series = slices[0].SeriesInstanceUID
    return tuple(
        header if header.SeriesInstanceUID == series else _with(header, {"SeriesInstanceUID": series})
        for header in slices
    )


def _with(header: pydicom.Dataset, values: Mapping[str, object]) -> pydicom.Dataset:
    """Return a copy of a header with other values by keyword; the elements of the header stay as they are."""
    found = pydicom.Dataset()
    found.update(header)
    for name, value in values.items():
        found[name] = pydicom.DataElement(name, dictionary_VR(name), value)
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
