"""Scale-invariant channels, the input of the network. Source: ours, see the method page."""

import numpy as np

from ..errors import DataError
from ..exam import Exam
from .grid import Window, sample

CHANNELS = ("pre-contrast / s", "2 (early - pre) / s", "2 (late - early) / s")
SCALE_PERCENTILE = 99.0


def to_channels(exam: Exam, window: Window) -> np.ndarray:
    """Return the image that the network reads: the phases of an exam, sampled in the window and scaled.

    Args:
        exam: that the window was placed in.
        window: from `place_window`.

    Returns:
        float32 (3, slices, rows, columns), see `scale_phases`.

    Raises:
        DataError: as `scale_phases`.
    """
    return scale_phases(*(sample(phase, window) for phase in exam.phases))


def scale_phases(pre: np.ndarray, early: np.ndarray, late: np.ndarray) -> np.ndarray:
    """Divide by the exam's own scale s, the 99th percentile of the early phase in the window.

    Scanners differ in gain, so absolute values mean nothing; ratios survive. Wash-in and wash-out are doubled, which
    gives them the same order of magnitude as the pre-contrast channel.

    Args:
        pre, early, late: phases on the model grid, (slices, rows, columns), arbitrary units.

    Returns:
        float32 (3, slices, rows, columns), without unit, in the order of `CHANNELS`.

    Raises:
        DataError: if the early phase is nowhere positive in the window.
    """
    scale = float(np.percentile(early, SCALE_PERCENTILE))
    if not scale > 0:
        raise DataError(
            "the early phase must have signal around the tumour, got none; check the phases and the mask's position"
        )
    return np.stack([pre / scale, 2 * (early - pre) / scale, 2 * (late - early) / scale]).astype(np.float32)
