"""The tumours of a mask, and how much of them the model's window holds.

The window is placed around the whole mask. With a tumour in each breast it lies between the two and may show neither.
"""

import numpy as np
from PCRPredictorLib.errors import DataError, Notice
from PCRPredictorLib.exam import Exam, Geometry, bounding_box
from PCRPredictorLib.model.grid import GridSpec, place_window, sample, share_inside
from PCRPredictorLib.model.notices import LEAST_SHARE_IN_WINDOW
from scipy.ndimage import find_objects, label
from scipy.sparse.csgraph import connected_components

APART_MM = 20.0  # parts of a mask farther from each other than that are different tumours
LEAST_SHARE = 0.5  # of a single tumour inside the window, to train on it
EACH = "each"


def check_window(exam: Exam, grid: GridSpec) -> tuple[Notice, ...]:
    """Return a warning if part of the tumour lies outside the model's window.

    Raises:
        DataError: if most of a tumour lies outside, or several tumours do not fit in one window.
    """
    mask = np.asarray(exam.mask) != 0
    window = place_window(mask, exam.geometry, grid)
    share = share_inside(mask, window) if np.any(sample(mask, window)) else 0.0
    if share >= LEAST_SHARE_IN_WINDOW:
        return ()
    tumours = len(separate(mask, exam.geometry))
    inside = f"the model's window of {grid.window:.0f} mm holds {share:.0%} of the mask"
    if tumours > 1:
        raise DataError(
            f"{inside}, which has {tumours} tumours at least {APART_MM:.0f} mm apart; "
            f'train on each with "lesions": "{EACH}" in cohort.json, or keep one in the mask'
        )
    if share < LEAST_SHARE:
        spans = zip(bounding_box(mask), exam.geometry.spacing[::-1], strict=True)
        width = max((span.stop - span.start) * spacing for span, spacing in spans)
        raise DataError(f"{inside}, which is {width:.0f} mm wide; check the mask, or set grid.window larger")
    return (Notice("mask_outside_window", f"{inside[:1].upper()}{inside[1:]}; the rest was not trained on."),)


def separate(mask: np.ndarray, geometry: Geometry) -> list[np.ndarray]:
    """Return the tumours of a mask, each bool (k, j, i), the largest first.

    Connected parts whose boxes are less than `APART_MM` apart belong to one tumour, such as one with satellites.
    """
    parts, _ = label(mask)
    boxes = [box for box in find_objects(parts) if box is not None]
    if len(boxes) < 2:
        return [mask]
    spacing = np.array(geometry.spacing[::-1])
    low = np.array([[span.start for span in box] for box in boxes]) * spacing
    high = np.array([[span.stop for span in box] for box in boxes]) * spacing
    gap = np.maximum(np.maximum(low[:, None] - high[None], low[None] - high[:, None]), 0)
    _, group = connected_components(np.linalg.norm(gap, axis=-1) < APART_MM)
    tumour = np.concatenate([[-1], group])[parts]
    found = [tumour == number for number in range(group.max() + 1)]
    return sorted(found, key=np.count_nonzero, reverse=True)
