"""Tumour masks from a DICOM Segmentation, as a PACS, Slicer or `pcr predict --dicom-results` writes it.

Each frame is laid on the exam by its own position, so that frames may be missing, in any order, and overlap.

Source: DICOM PS3.3 A.51, C.8.20 (BINARY, FRACTIONAL, LABELMAP).
"""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom

from ..errors import DataError
from ..files.limits import EXAM, FRAMES, PIXELS
from ..files.memory import reserved
from ..files.opening import open_file
from ..geometry import ON_GRID, Geometry
from .datasets import read_dataset
from .decoding import decoded
from .folder import starts_like_dicom
from .headers import tag_text

_KINDS = {"1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"}  # Segmentation, Label Map Segmentation
_DAMAGED = (OSError, ValueError, RuntimeError, AttributeError, KeyError, IndexError, TypeError, NotImplementedError)
_COARSE = 1.5  # slices of the exam from one slice to the next: from here on one is missing
HALF = 0.5  # of a voxel in a FRACTIONAL segmentation: from here on it is tumour


@dataclass(frozen=True, eq=False)
class Segment:
    """A segment on the voxels of an exam.

    Args:
        number: in the file.
        name: label in the file.
        voxels: (n,) positions in the exam's array (k, j, i), flattened; each once.
        shape: of that array.
    """

    number: int
    name: str
    voxels: np.ndarray
    shape: tuple[int, int, int]

    @property
    def mask(self) -> np.ndarray:
        """The segment as uint8 (k, j, i)."""
        mask = np.zeros(self.shape, np.uint8)
        mask.flat[self.voxels] = 1
        return mask


@dataclass(frozen=True, eq=False)
class Segmentation:
    """The segments of a file.

    Args:
        segments: in the order of the file; some may be empty.
        offset: by how many voxels they differ from the exam's, at most.
        fractional: True if the file has shares of voxels, of which half and more were taken.
        frame_of_reference: UID, "" if unknown.
        patient_id: "" if unknown; never shown.
    """

    segments: tuple[Segment, ...]
    offset: float
    fractional: bool
    frame_of_reference: str
    patient_id: str = ""


def is_dicom(path: Path) -> bool:
    """Return True if a file starts like a DICOM file, whatever its name is."""
    try:
        with open_file(path) as file:
            return starts_like_dicom(file.read(132))
    except OSError:
        return False


def read_segmentation(path: Path, geometry: Geometry) -> Segmentation:
    """Read the segments of a file on the exam's voxels. Frames without tumour may be missing in the file.

    Args:
        path: DICOM file of the modality SEG.
        geometry: of the exam.

    Raises:
        DataError: if it is not a segmentation, or is on a different lattice than the exam.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of pydicom, about values that the standard does not allow
        try:
            found = read_dataset(path)
            if found.get("SOPClassUID") not in _KINDS:
                raise DataError(f"{path.name}: must be a DICOM Segmentation, got {_kind(found)}; give a SEG file")
            return _read(found, geometry, path.name)
        except DataError:  # a ValueError, too
            raise
        except _DAMAGED as error:
            lacks = getattr(error, "name", None)  # of an AttributeError
            reason = f"it has no {lacks}" if lacks else error
            raise DataError(f"{path.name}: must be a whole DICOM Segmentation ({reason}); export it again") from None


def _kind(data: pydicom.Dataset) -> str:
    uid = data.get("SOPClassUID")
    return uid.name if isinstance(uid, pydicom.uid.UID) else "an object without a class"


def _read(data: pydicom.Dataset, geometry: Geometry, name: str) -> Segmentation:
    pixels = _read_frames(data, name)
    fractional = data.SegmentationType == "FRACTIONAL"
    least = HALF * data.MaximumFractionalValue if fractional else 1
    labelmap = data.SegmentationType == "LABELMAP"
    numbers = [int(item.SegmentNumber) for item in data.SegmentSequence]
    parts: dict[int, list[np.ndarray]] = {number: [] for number in numbers if number or not labelmap}
    frames = list(_frames(data, name))
    _check_distance(frames, geometry, name)
    worst = 0.0
    for (own, place), frame in zip(frames, pixels, strict=True):
        voxels = np.argwhere((frame > 0) & (frame >= least))
        index, off = _on_lattice(voxels, place, geometry, name)
        worst = max(worst, off)
        values = frame[tuple(voxels.T)] if labelmap else np.full(len(voxels), own)
        flat = np.ravel_multi_index(tuple(index.T[::-1]), geometry.shape)
        for number in np.unique(values).tolist():
            if number not in parts:
                raise DataError(f"{name}: has voxels of a segment {number} that it does not describe; export it again")
            parts[number].append(flat[values == number])
    names = {int(item.SegmentNumber): str(item.get("SegmentLabel", "")) for item in data.SegmentSequence}
    whole = {number: np.unique(np.concatenate([*found, np.zeros(0, int)])) for number, found in parts.items()}
    segments = tuple(Segment(number, names[number], voxels, geometry.shape) for number, voxels in whole.items())
    reference = str(data.get("FrameOfReferenceUID") or "")
    return Segmentation(segments, worst, fractional, reference, tag_text(data, "PatientID"))


def _read_frames(data: pydicom.Dataset, name: str) -> np.ndarray:
    """Return the pixels of all frames, (frames, rows, columns), if the file can hold them and they fit into memory."""
    rows, columns, count = int(data.Rows), int(data.Columns), int(data.get("NumberOfFrames") or 1)
    bits = rows * columns * count * int(data.get("BitsAllocated") or 8)
    plain = not data.file_meta.TransferSyntaxUID.is_encapsulated
    if rows * columns > PIXELS or not 0 < count <= FRAMES or bits > 8 * EXAM:
        raise DataError(
            f"{name}: has {count} frames of {rows} x {columns} pixels, more than any segmentation; export it again"
        )
    if plain and bits > 8 * len(data.PixelData):
        raise DataError(f"{name}: is cut short; copy or export it again")
    with reserved(2 * rows * columns * count, name):
        return decoded(data).reshape(-1, rows, columns)


@dataclass(frozen=True, eq=False)
class _Place:
    """Where a frame lies: LPS of its first pixel, and steps to the next row, column and slice, in mm."""

    corner: np.ndarray
    row: np.ndarray
    column: np.ndarray
    distance: float | None
    thickness: float | None


def _frames(data: pydicom.Dataset, name: str) -> Iterator[tuple[int | None, _Place]]:
    """Yield the number of the segment, None in a label map, and the place of each frame."""
    (shared,) = data.SharedFunctionalGroupsSequence
    for own in data.PerFrameFunctionalGroupsSequence:

        def group(name: str, own: pydicom.Dataset = own) -> pydicom.Dataset | None:
            sequence = own.get(name) or shared.get(name)
            return sequence[0] if sequence else None

        segment, measures = group("SegmentIdentificationSequence"), group("PixelMeasuresSequence")
        position, orientation = group("PlanePositionSequence"), group("PlaneOrientationSequence")
        if measures is None or position is None or orientation is None:
            raise DataError(f"{name}: a frame has no position, orientation or spacing; export it again")
        across = np.array(orientation.ImageOrientationPatient, float)  # direction along a row, then along a column
        between, along = (float(x) for x in measures.PixelSpacing)
        distance, thickness = measures.get("SpacingBetweenSlices"), measures.get("SliceThickness")
        yield (
            None if segment is None else int(segment.ReferencedSegmentNumber),
            _Place(
                np.array(position.ImagePositionPatient, float),
                across[3:] * between,
                across[:3] * along,
                abs(float(distance)) if distance else None,
                abs(float(thickness)) if thickness else None,
            ),
        )


def _check_distance(frames: Sequence[tuple[int | None, _Place]], geometry: Geometry, name: str) -> None:
    """Refuse a file with fewer slices: each lies on one of the exam's, but those between are missing."""
    first = frames[0][1]
    normal = np.cross(first.column, first.row)
    if not np.isfinite(normal).all() or not normal.any():
        raise DataError(f"{name}: its spacing and orientation must be numbers, and two directions; export it again")
    normal /= np.linalg.norm(normal)
    own = np.linalg.norm(geometry.to_index(normal) - geometry.to_index(np.zeros(3)))  # slices of the exam in a mm
    heights = np.unique(np.round([place.corner @ normal * own for _, place in frames], 1))
    if first.distance:
        step = float(first.distance * own)
    elif first.thickness and len(heights) > 1:  # slices may overlap, and those without tumour are missing
        step = min(float(first.thickness * own), float(np.diff(heights).min()))
    else:
        return
    if not 1 / _COARSE < step < _COARSE:
        raise DataError(
            f"{name}: has a slice every {step / own:.3g} mm, but the exam every {1 / own:.3g} mm; make the "
            "segmentation on the series that is predicted, or resample it"
        )


def _on_lattice(voxels: np.ndarray, place: _Place, geometry: Geometry, name: str) -> tuple[np.ndarray, float]:
    """Return the exam's indices (n, 3) of pixels (n, 2) of a frame, and by how many voxels they were off at most."""
    index = geometry.to_index(place.corner + voxels @ np.stack([place.row, place.column]))
    nearest = index.round().astype(int)
    off = float(np.abs(index - nearest).max(initial=0))
    steps = geometry.to_index(np.stack([place.row, place.column])) - geometry.to_index(np.zeros(3))
    same = off < ON_GRID and _one_voxel(steps)
    if not same or (nearest < 0).any() or (nearest >= geometry.size).any():
        raise DataError(
            f"{name}: the segmentation must lie on the voxels of the exam, {geometry}, {_why(off, steps)}, so that it "
            "may be of a different exam; make it on the series that is predicted, or resample it"
        )
    return nearest, off


def _one_voxel(steps: np.ndarray) -> bool:
    """Return True if each step (2, 3) leads to a neighbouring voxel, as far as one step can tell."""
    lengths = np.sort(np.abs(steps), axis=1)
    return bool((np.abs(lengths - [0, 0, 1]) < 0.25).all())


def _why(off: float, steps: np.ndarray) -> str:
    if not _one_voxel(steps):
        lengths = " x ".join(f"{step:.3g}" for step in np.linalg.norm(steps, axis=1)[::-1])
        return f"but a pixel of it is {lengths} voxels"
    if off >= ON_GRID:
        return f"but lies up to {off:.2g} voxels beside them"
    return "but reaches beyond them"
