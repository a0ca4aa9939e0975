"""Frames of Enhanced MR, the multi-frame kind of DICOM, as if each were an image with its own header.

The header of a frame lies in functional groups, its own or shared by all frames. Only groups that distinguish phases
and give their positions are read. Sources: DICOM PS3.3 A.36 (Enhanced MR), C.7.6.16 and C.8.13.5.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom

from ..errors import DataError
from .headers import Slice, as_slice, tag_frames, tag_integer, tag_number

_OF_THE_FILE = (
    "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "SeriesNumber", "SeriesDescription", "Modality",
    "PatientID", "PatientName", "PatientAge", "Rows", "Columns", "AcquisitionNumber",
    "ContrastBolusStartTime", "ContrastBolusAgent", "ContrastBolusAgentSequence", "AcquisitionDateTime",
    "AcquisitionTime",
)  # fmt: skip
_OF_A_FRAME = {  # the tag of a single image: the group and the tag of a frame
    "PixelSpacing": ("PixelMeasuresSequence", "PixelSpacing"),
    "ImagePositionPatient": ("PlanePositionSequence", "ImagePositionPatient"),
    "ImageOrientationPatient": ("PlaneOrientationSequence", "ImageOrientationPatient"),
    "RescaleSlope": ("PixelValueTransformationSequence", "RescaleSlope"),
    "RescaleIntercept": ("PixelValueTransformationSequence", "RescaleIntercept"),
    "ImageType": ("MRImageFrameTypeSequence", "FrameType"),
    "EchoTime": ("MREchoSequence", "EffectiveEchoTime"),
    "FlipAngle": ("MRTimingAndRelatedParametersSequence", "FlipAngle"),
    "DiffusionBValue": ("MRDiffusionSequence", "DiffusionBValue"),
    "TemporalPositionIdentifier": ("FrameContentSequence", "TemporalPositionIndex"),
    "AcquisitionDateTime": ("FrameContentSequence", "FrameAcquisitionDateTime"),
    "ContrastBolusAgentAdministered": ("ContrastBolusUsageSequence", "ContrastBolusAgentAdministered"),
}
_FRAMES_A_FILE = 100_000  # more than any file has, so that instance numbers of several files do not overlap


def as_slices(file: Path, header: pydicom.Dataset) -> list[Slice]:
    """Return the image of a file, or all frames of an Enhanced MR file, that could be slices of a phase."""
    if tag_frames(header) <= 1:
        return [one] if (one := as_slice(file, header)) else []
    if header.get("Modality", "MR") != "MR":
        return []
    try:
        whole = pydicom.dcmread(file, stop_before_pixels=True)
        headers = [_frame_header(whole, number) for number in range(len(whole.PerFrameFunctionalGroupsSequence))]
    except Exception:  # not Enhanced MR, or damaged: then slices are missing, which is reported
        return []
    slices = [as_slice(file, header) for header in headers]
    return [replace(one, frame=number) for number, one in enumerate(slices) if one is not None]


def read_frames(slices: Sequence[Slice], name: str) -> np.ndarray:
    """Read pixels of frames, (k, j, i) in their order, rescaled one by one; float32 if that changes them.

    Args:
        slices: of one phase, from `as_slices`.
        name: of the phase, for messages.

    Raises:
        DataError: if they cannot be read.
    """
    from pydicom.pixels import iter_pixels

    found: dict[tuple[Path, int | None], np.ndarray] = {}
    try:
        for file in {s.file for s in slices}:
            numbers = [s.frame for s in slices if s.file == file and s.frame is not None]
            pixels = iter_pixels(file, indices=numbers)
            found |= {(file, number): frame for number, frame in zip(numbers, pixels, strict=True)}
    except Exception as error:  # whatever a decoder raises
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise DataError(f"{name}: its pixels cannot be read ({reason}); export it uncompressed") from None
    scales = [
        (tag_number(s.header, "RescaleSlope") or 1.0, tag_number(s.header, "RescaleIntercept") or 0.0) for s in slices
    ]
    stored = [found[s.file, s.frame] for s in slices]
    if set(scales) == {(1.0, 0.0)}:
        return np.stack(stored)
    return np.stack([frame * np.float32(a) + np.float32(b) for frame, (a, b) in zip(stored, scales, strict=True)])


def _frame_header(whole: pydicom.Dataset, number: int) -> pydicom.Dataset:
    """Return the header that the frame would have as a single image."""
    header = pydicom.Dataset()
    for tag in _OF_THE_FILE:
        if tag in whole:
            header[tag] = whole[tag]
    shared = whole.get("SharedFunctionalGroupsSequence") or [pydicom.Dataset()]
    groups = (shared[0], whole.PerFrameFunctionalGroupsSequence[number])
    for tag, (group, name) in _OF_A_FRAME.items():
        for owner in groups:
            if group in owner and name in owner[group].value[0]:
                setattr(header, tag, owner[group].value[0][name].value)
    _add_delay(header, groups)
    kind = {"SPIN": ["SE"], "BOTH": ["SE", "GR"]}.get(str(whole.get("EchoPulseSequence", "")), ["GR"])
    header.ScanningSequence = [*kind, "EP"] if whole.get("EchoPlanarPulseSequence") == "YES" else kind
    header.InstanceNumber = tag_integer(whole, "InstanceNumber") * _FRAMES_A_FILE + number + 1
    return header


def _add_delay(header: pydicom.Dataset, groups: Sequence[pydicom.Dataset]) -> None:
    """Add the seconds after the first temporal position, if a frame has them, as trigger time in ms."""
    for owner in groups:
        for position in owner.get("TemporalPositionSequence") or ():
            if "TemporalPositionTimeOffset" in position:
                header.TriggerTime = 1000 * float(position.TemporalPositionTimeOffset)
