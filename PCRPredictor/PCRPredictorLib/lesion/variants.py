"""Masks as another reader might have drawn them: smaller, larger, moved by a voxel or two."""

import numpy as np
from scipy import ndimage

from ..exam import Exam, Geometry, bounding_box

MARGIN = 6  # voxels that stay around the mask and the window
_THICK = 2.05  # times the smallest spacing; slices further apart are not eroded through
_IN_PLANE, _THROUGH_PLANE = 2, 1  # voxels that a mask is moved by
_DIRECTIONS = ((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1))  # corners of a tetrahedron: every axis, both ways


def vary_mask(mask: np.ndarray, geometry: Geometry) -> list[np.ndarray]:
    """Return six variants: eroded and dilated by a voxel, and moved four times.

    It is eroded and dilated within its slices, and through them only if they are at most twice as far apart as pixels.
    Each move is by two voxels along both axes in plane and by one slice, so that together they go both ways along every
    axis. At the end of the field the tumour is taken to go on. A variant without a voxel is left out.

    Args:
        mask: (k, j, i) bool, not empty, with a margin of `MARGIN` except at the end of the field.
        geometry: of the exam.

    Returns:
        Masks of the same shape, bool.
    """
    box = tuple(
        slice(max(axis.start - MARGIN, 0), axis.stop + MARGIN) for axis in bounding_box(mask)
    )  # what is further away does not change
    part = mask[box]
    steps = np.where(np.arange(3) == geometry.slice_axis, _THROUGH_PLANE, _IN_PLANE)
    near = _neighbours(geometry.spacing[::-1])
    moved = [_move(part, steps * direction) for direction in _DIRECTIONS]
    changed = [ndimage.binary_erosion(part, near, border_value=1), ndimage.binary_dilation(part, near), *moved]
    return [_paste(each, box, mask.shape) for each in changed if each.any()]


def _neighbours(spacing: tuple[float, ...]) -> np.ndarray:
    """Return the cross, (3, 3, 3), of a voxel and its neighbours that are at most twice as far as the nearest."""
    cross = np.zeros((3, 3, 3), bool)
    for axis, step in enumerate(spacing):
        if step <= _THICK * min(spacing):
            cross[tuple(slice(None) if a == axis else 1 for a in range(3))] = True
    return cross


def _move(mask: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Return the mask moved along each axis; what comes in is the edge of the field repeated."""
    at = [np.clip(np.arange(n) - step, 0, n - 1) for n, step in zip(mask.shape, steps, strict=True)]
    return mask[np.ix_(*at)]


def _paste(part: np.ndarray, box: tuple[slice, ...], shape: tuple[int, ...]) -> np.ndarray:
    whole = np.zeros(shape, bool)
    whole[box] = part
    return whole


def crop_exam(exam: Exam, reach_mm: float) -> Exam:
    """Return the part of an exam around its tumour, without a copy, in which a window reads as it does in the exam.

    Args:
        exam: with a mask that is not empty.
        reach_mm: half the edge of the largest window.
    """
    spans = []
    for axis, count, spacing in zip(
        bounding_box(np.asarray(exam.mask)), exam.geometry.shape, exam.geometry.spacing[::-1], strict=True
    ):
        half = int(np.ceil(max((axis.stop - axis.start) / 2, reach_mm / spacing))) + MARGIN
        middle = (axis.start + axis.stop) // 2
        start = min(max(middle - half, 0), max(count - 2 * half, 0))  # a window is moved inside the field, too
        spans.append(slice(start, min(max(middle + half, 2 * half), count)))
    return _part(exam, (spans[0], spans[1], spans[2]))


def _part(exam: Exam, part: tuple[slice, slice, slice]) -> Exam:
    k, j, i = part
    pre, early, late = (phase[part] for phase in exam.phases)
    origin = exam.geometry.to_physical(np.array([i.start, j.start, k.start]))
    geometry = Geometry(
        (i.stop - i.start, j.stop - j.start, k.stop - k.start),
        exam.geometry.spacing,
        (float(origin[0]), float(origin[1]), float(origin[2])),
        exam.geometry.direction,
    )
    return Exam(pre, early, late, geometry, np.asarray(exam.mask)[part] != 0)
