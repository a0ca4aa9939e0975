"""The images in files: frames of Enhanced MR as if each were an image with its own header, and pixels of both kinds.

The header of a frame lies in functional groups, its own or shared by all frames. Only groups that distinguish phases
and give their positions are read. Sources: DICOM PS3.3 A.36 (Enhanced MR), C.7.6.16 and C.8.13.5.

Integers that are stored as they are, which is the rule, are copied from the file; `decoding` reads the others.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pydicom

from ..errors import DataError
from ..exam import Dynamic
from ..files.opening import open_file
from ..geometry import ON_GRID, Geometry
from .decoding import decode
from .folder import ImageFile
from .headers import encoding_of, tag_integer, tag_number
from .kinds import Slice, is_enhanced
from .phases import DicomPhase

_OF_THE_FILE = (
    "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "SeriesNumber", "Modality",
    "SeriesDescription", "PatientID", "PatientName", "PatientBirthDate", "PatientAge", "StudyDate", "StudyTime", "Rows",
    "Columns", "AcquisitionNumber", "AcquisitionDate", "AcquisitionDateTime", "AcquisitionTime", "SamplesPerPixel",
    "PhotometricInterpretation", "ContrastBolusStartTime", "ContrastBolusAgent", "ContrastBolusAgentSequence",
    "NumberOfTemporalPositions", "ImageType", "BurnedInAnnotation",
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
    "RepetitionTime": ("MRTimingAndRelatedParametersSequence", "RepetitionTime"),
    "DiffusionBValue": ("MRDiffusionSequence", "DiffusionBValue"),
    "TemporalPositionIdentifier": ("FrameContentSequence", "TemporalPositionIndex"),
    "AcquisitionDateTime": ("FrameContentSequence", "FrameAcquisitionDateTime"),
    "ContrastBolusAgentAdministered": ("ContrastBolusUsageSequence", "ContrastBolusAgentAdministered"),
}
_STORAGE = ("BitsAllocated", "BitsStored", "PixelRepresentation")
_LARGEST_SCALE = 1e9  # of rescaling; beyond it 16 bits would not fit into float32 with their digits
_FRAMES_A_FILE = 100_000  # more than any file has, so that instance numbers of several files do not overlap


def image_headers(image: ImageFile) -> list[tuple[pydicom.Dataset, int | None]]:
    """Return the header of each image in a file, and for Enhanced MR the frame number, from 0.

    If the functional groups are missing or damaged, the header of the file is returned: it has no position, and the
    file is reported.
    """
    if not is_enhanced(image.header):
        return [(image.header, None)]
    try:
        count = len(image.header.PerFrameFunctionalGroupsSequence)
        return [(_frame_header(image.header, number), number) for number in range(count)]
    except Exception:  # whatever damaged groups raise
        return [(image.header, None)]


def read_pixels(slices: Sequence[Slice], name: str) -> np.ndarray:
    """Read pixels, (k, j, i) in the order of the slices; float32 if rescaling changes them.

    Args:
        slices: of one phase.
        name: of the phase, for messages.

    Raises:
        DataError: if they cannot be read.
    """
    stored = _read_plain(slices)
    if stored is None:
        stored = decode(slices, name)
    scales = [(_number(s, "RescaleSlope", 1.0), _number(s, "RescaleIntercept", 0.0)) for s in slices]
    if set(scales) == {(1.0, 0.0)}:
        return stored
    if len(set(scales)) == 1 and all(scale.is_integer() for scale in scales[0]) and stored.dtype.kind in "iu":
        return _rescale_integers(stored, *map(int, scales[0]))
    return np.stack([image * np.float32(a) + np.float32(b) for image, (a, b) in zip(stored, scales, strict=True)])


def dynamic_of(phases: Sequence[DicomPhase], times: Sequence[float | None], picked: Sequence[int]) -> Dynamic | None:
    """Return all phases of an acquisition, None if there are but the three that were picked.

    Args:
        phases: in the order of time.
        times: seconds of each, None if unknown.
        picked: positions of pre, early and late.
    """
    if len(phases) <= len(picked):
        return None
    known = [time for time in times if time is not None]
    after = tuple(time - known[picked[0]] for time in known) if len(known) == len(phases) else None
    read = partial(_read_phases, tuple(phases), phases[picked[0]].geometry)
    return Dynamic(read, tuple(picked), len(phases), after)  # type: ignore[arg-type]


def _read_phases(
    phases: Sequence[DicomPhase], geometry: Geometry, wanted: Sequence[int]
) -> list[np.ndarray | DataError]:
    return [_read_phase(phases[k], geometry) for k in wanted]


def _read_phase(phase: DicomPhase, geometry: Geometry) -> np.ndarray | DataError:
    """Return a phase on the lattice of the exam, or why it cannot be used."""
    if phase.fault:
        return DataError(f"{phase.series} {phase.fault}")
    if not geometry.offset(phase.geometry) < ON_GRID:
        return DataError(f"{phase.series} lies on a different grid")
    try:
        return read_pixels(phase.slices, phase.series)
    except DataError as error:
        return error


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


def _read_plain(slices: Sequence[Slice]) -> np.ndarray | None:
    """Read integers of 8 or 16 bits that are stored as they are, all in one way; None if they are not."""
    first = slices[0].header
    kinds = {tuple(tag_integer(s.header, tag) for tag in _STORAGE) for s in slices}
    allocated, stored, signed = kinds.pop()
    if kinds or any(s.pixels_at is None for s in slices) or allocated not in (8, 16) or not 0 < stored <= allocated:
        return None
    order = {encoding_of(s.header)[1] for s in slices}
    if len(order) > 1:
        return None
    kind = np.dtype(f"{'<' if order.pop() else '>'}{'i' if signed else 'u'}{allocated // 8}")
    pixels = np.empty((len(slices), int(first.Rows), int(first.Columns)), kind)
    for item, image in zip(slices, pixels, strict=True):
        with open_file(item.file) as stream:
            stream.seek(item.pixels_at or 0)
            stream.readinto(image)
    pixels = pixels.astype(kind.newbyteorder("="), copy=False)
    if stored < allocated:  # bits that are not used may hold anything
        np.left_shift(pixels, allocated - stored, out=pixels)
        np.right_shift(pixels, allocated - stored, out=pixels)
    return pixels


def _rescale_integers(stored: np.ndarray, slope: int, intercept: int) -> np.ndarray:
    """Return integers as integers, in the smallest type that holds them."""
    scaled = stored.astype(np.int64) * slope + intercept
    return scaled.astype(np.result_type(np.min_scalar_type(scaled.min()), np.min_scalar_type(scaled.max()), np.int16))


def _number(item: Slice, tag: str, default: float) -> float:
    value = tag_number(item.header, tag)
    if value is not None and not abs(value) < _LARGEST_SCALE:  # also NaN
        raise DataError(
            f"{item.file.name}: {tag} must be a number below {_LARGEST_SCALE:g}, got {value}; export it again"
        )
    return default if value is None or (tag == "RescaleSlope" and value == 0) else value
