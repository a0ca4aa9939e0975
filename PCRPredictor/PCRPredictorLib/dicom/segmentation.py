"""A tumour mask from a DICOM Segmentation, as a PACS, Slicer or `pcr predict --dicom-results` writes it.

Source: DICOM PS3.3 A.51.
"""

import warnings
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..exam import Geometry

_TOLERANCE = 0.1  # of a voxel: positions in DICOM are rounded


def is_dicom(path: Path) -> bool:
    """Return True if a file starts like a DICOM file, whatever its name is."""
    try:
        with path.open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False


def read_segmentation(path: Path, geometry: Geometry, segment: int | None = None) -> np.ndarray:
    """Read the mask on the exam's voxels, uint8 (k, j, i). Frames without tumour may be missing in the file.

    Args:
        path: DICOM file of the modality SEG.
        geometry: of the exam.
        segment: number of the tumour's segment; None for all segments together.

    Raises:
        DataError: if it is not a segmentation, is on a different lattice than the exam or has no such segment, or if
            highdicom is missing.
    """
    try:
        from highdicom.seg import segread
    except ImportError:
        raise DataError("a mask in DICOM needs the package highdicom; install it by: pip install highdicom") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            found = segread(path)
            numbers = list(found.segment_numbers)
            if segment is not None and segment not in numbers:
                raise DataError(f"{path.name}: must have segment {segment}, got {numbers}; choose one of them")
            volume = found.get_volume(segment_numbers=[segment] if segment else None, combine_segments=True)
    except DataError:  # a ValueError, too
        raise
    except (OSError, ValueError, RuntimeError, AttributeError, KeyError) as error:
        raise DataError(
            f"{path.name}: must be a DICOM Segmentation that is one volume ({error}); export it again"
        ) from None
    return _on_lattice(np.argwhere(volume.array > 0), volume.affine, geometry, path.name)


def _on_lattice(voxels: np.ndarray, affine: np.ndarray, geometry: Geometry, name: str) -> np.ndarray:
    """Return voxels (n, 3) of a lattice, whose affine gives LPS mm, as a mask on the exam's lattice."""
    index = geometry.to_index(voxels @ affine[:3, :3].T + affine[:3, 3])
    nearest = index.round().astype(int)
    ratio = abs(float(np.linalg.det(affine[:3, :3]))) / geometry.voxel_volume
    same = abs(ratio - 1) < _TOLERANCE and np.abs(index - nearest).max(initial=0) < _TOLERANCE
    if not same or (nearest < 0).any() or (nearest >= geometry.size).any():
        raise DataError(
            f"{name}: the segmentation must lie on the voxels of the exam, {geometry}; make it on the series that is "
            "predicted, or resample it"
        )
    mask = np.zeros(geometry.shape, np.uint8)
    mask[tuple(nearest.T[::-1])] = 1
    return mask
