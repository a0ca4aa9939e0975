"""The tumours of a mask, and how much of them the model's window holds.

The window is placed around the whole mask. With a tumour in each breast it lies between the two and may show neither.
"""

from dataclasses import replace

import numpy as np
from PCRPredictorLib.errors import DataError, Notice
from PCRPredictorLib.exam import Exam, bounding_box
from PCRPredictorLib.lesion.parts import APART_MM, separate
from PCRPredictorLib.model.grid import GridSpec, place_window, sample, share_inside
from PCRPredictorLib.model.notices import LEAST_SHARE_IN_WINDOW

LEAST_SHARE = 0.5  # of a single tumour inside the window, to train on it


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
    inside = f"the model's window of {grid.window:.0f} mm holds {100 * share:.0f} % of the mask"
    if tumours > 1:
        raise DataError(
            f"{inside}, which has {tumours} tumours at least {APART_MM:.0f} mm apart; "
            f'train on each with "lesions": "each" in cohort.json, or keep one in the mask'
        )
    if share < LEAST_SHARE:
        spans = zip(bounding_box(mask), exam.geometry.spacing[::-1], strict=True)
        width = max((span.stop - span.start) * spacing for span, spacing in spans)
        raise DataError(f"{inside}, which is {width:.0f} mm wide; check the mask, or set grid.window larger")
    return (Notice("mask_outside_window", f"{inside[:1].upper()}{inside[1:]}; the rest was not trained on."),)


def other_lesions(exam: Exam, grid: GridSpec) -> tuple[list[Exam], list[Notice]]:
    """Return the exam once for each of its lesions but the largest, as its mask; and warnings about those left out."""
    found, notices = [], []
    for lesion in exam.lesions[1:]:
        alone = replace(exam, mask=lesion.mask, lesions=())
        try:
            check_window(alone, grid)
            found.append(alone)
        except DataError as error:
            notices.append(
                Notice("lesion_left_out", f"{lesion.name[:1].upper()}{lesion.name[1:]} was left out: {error}.")
            )
    return found, notices
