"""Tumour masks from files: images in any axis order, and DICOM Segmentations."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np

from ..dicom.segmentation import is_dicom, read_segmentation
from ..errors import DataError
from ..exam import Exam, Geometry
from .images import read_volume

_LABELLED = 100_000  # voxels of a mask whose values are counted
_MOST_SEGMENTS = 64  # an image has more grey values than that


def add_mask(exam: Exam, path: Path, label: int | None = None) -> Exam:
    """Return the exam with the tumour mask of a file; arguments as of `read_mask`.

    Raises:
        DataError: as `read_mask`.
    """
    return replace(exam, mask=read_mask(path, exam.geometry, label))


def read_mask(path: Path, geometry: Geometry, label: int | None = None) -> np.ndarray:
    """Read a tumour mask and put it in the exam's axis order, uint8 (k, j, i).

    Args:
        path: image, or DICOM Segmentation with any name.
        geometry: the exam's.
        label: value of the tumour in a mask of several segments; by default every voxel that is not 0 is tumour.

    Raises:
        DataError: if the file cannot be used, is on a different lattice than the exam, or has no voxel of the label.
    """
    if is_dicom(Path(path)):
        return read_segmentation(Path(path), geometry, label)
    return _to_grid(*read_volume(path), geometry, Path(path), label)


def _to_grid(mask: np.ndarray, own: Geometry, geometry: Geometry, path: Path, label: int | None) -> np.ndarray:
    """Return a mask that is stored in a different axis order, or mirrored, in the exam's order: (k, j, i).

    Lossless: voxels are only reordered. DICOM and the NIfTI made from it usually differ like this.
    """
    if mask.dtype.kind == "f" and not np.isfinite([mask.min(), mask.max()]).all():
        raise DataError(f"{path.name}: has voxels that are not finite numbers; save the mask again as whole numbers")
    labels = np.unique(mask[mask != 0][:_LABELLED]).tolist()
    if len(labels) > _MOST_SEGMENTS:
        raise DataError(f"{path.name}: must be a mask of whole numbers, got many grey values; give the segmentation")
    if label is not None:
        if label == 0 or not (found := mask == label).any():
            raise DataError(f"{path.name}: must have label {label}, got {labels[:20]}; choose one of them")
        mask = found
    for order in permutations(range(3)):
        seen, reordered = _reorder(mask, own, order, geometry)
        if reordered.matches(geometry):
            return np.ascontiguousarray(seen != 0).view(np.uint8)
    raise DataError(
        f"{path.name}: the mask must lie on the exam's grid of {geometry}, got {own}; "
        "resample it onto the exam with nearest neighbour and save it again"
    )


def _reorder(array: np.ndarray, own: Geometry, order: Sequence[int], target: Geometry) -> tuple[np.ndarray, Geometry]:
    """Return a view with index axes in `order`, mirrored to run like the target's, and its geometry."""
    order = list(order)
    direction = own.direction[:, order]
    mirror = np.einsum("wa,wa->a", direction, target.direction) < 0
    size, spacing = np.array(own.size)[order], np.array(own.spacing)[order]
    corner = np.zeros(3)
    corner[order] = np.where(mirror, size - 1, 0)
    geometry = Geometry(
        tuple(int(n) for n in size),  # type: ignore[arg-type]
        tuple(float(s) for s in spacing),  # type: ignore[arg-type]
        tuple(float(x) for x in own.to_physical(corner)),  # type: ignore[arg-type]
        direction * np.where(mirror, -1, 1),
    )
    array_order = [2 - order[2 - axis] for axis in range(3)]
    steps = tuple(slice(None, None, -1 if mirror[2 - axis] else 1) for axis in range(3))
    return array.transpose(array_order)[steps], geometry
