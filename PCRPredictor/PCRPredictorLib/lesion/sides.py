"""A mask that reaches into both breasts holds two tumours, one per breast."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ..exam import Exam, Lesion, bounding_box
from .body import Side, outline_body

_LEAST_ML = 0.1  # on either side; less is a stray voxel rather than a tumour
_APART_MM = 60.0  # least width of a mask that reaches into both breasts
_CONNECTED = np.ones((3, 3, 3))
_NAMES: dict[Side, str] = {"left": "left breast", "right": "right breast"}


def separate_sides(exam: Exam) -> Exam:
    """Return the exam with a lesion per breast if its only mask has pieces of 0.1 ml or more in both.

    It is returned as it is if there are several lesions already, or if a side cannot be told.

    Args:
        exam: with or without a mask.
    """
    if exam.lesions or not exam.has_tumour:
        return exam
    mask = np.asarray(exam.mask)
    box = bounding_box(mask)
    corners = exam.geometry.to_physical(np.array([[b.start for b in box[::-1]], [b.stop for b in box[::-1]]]))
    if np.linalg.norm(np.ptp(corners, 0)) < _APART_MM:  # of the diagonal: oblique lattices, too
        return exam
    pieces, count = ndimage.label(mask[box] != 0, _CONNECTED)
    if count < 2 or (body := outline_body(exam)) is None:
        return exam
    start = np.array([b.start for b in box])
    middles = np.array(ndimage.center_of_mass(pieces > 0, pieces, np.arange(1, count + 1))) + start
    sides = [body.side_of(point) for point in exam.geometry.to_physical(middles[:, ::-1])]
    if None in sides:
        return exam
    parts = {side: np.isin(pieces, [n for n, of in enumerate(sides, 1) if of == side]) for side in _NAMES}
    least = _LEAST_ML * 1000 / exam.geometry.voxel_volume
    if min(int(part.sum()) for part in parts.values()) < least:
        return exam
    return exam.with_lesions([Lesion(_NAMES[side], _whole(part, box, mask.shape)) for side, part in parts.items()])


def _whole(part: np.ndarray, box: tuple[slice, ...], shape: tuple[int, ...]) -> np.ndarray:
    mask = np.zeros(shape, np.uint8)
    mask[box] = part
    return mask
