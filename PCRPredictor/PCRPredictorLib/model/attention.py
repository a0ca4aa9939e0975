"""Attention on the exam's lattice: where the model looked, in numbers. Plain arrays, no network.

`to_attention_map`, `scale_to_peak` and `mass_inside` are ours.
"""

import numpy as np

from ..exam import Geometry
from ..prediction import AttentionSummary
from .grid import Window, to_exam_space


def to_attention_map(values: np.ndarray, window: Window) -> np.ndarray:
    """Return the map that is shown: attention on the exam's lattice, as a share of its peak.

    Args:
        values: (slices, rows, columns) on the model grid, as of `to_exam_space`.
        window: from `place_window`.

    Returns:
        float32 (k, j, i), 1 at the peak, 0 outside the window.
    """
    attention = to_exam_space(values, window)
    attention[window.region] = scale_to_peak(attention[window.region])
    return attention


def scale_to_peak(attention: np.ndarray) -> np.ndarray:
    """Return attention / max(attention), in [0, 1], any shape; all zeros stay zeros."""
    peak = attention.max()
    return attention / peak if peak > 0 else attention


def mass_inside(attention: np.ndarray, mask: np.ndarray) -> float:
    """Return the share of the attention that lies inside the mask, in [0, 1]; 0 if there is no attention.

    Args:
        attention: non-negative, any shape.
        mask: the same shape, non-zero or a fraction in [0, 1] inside.
    """
    total = float(attention.sum())
    return float((attention * mask).sum()) / total if total > 0 else 0.0


def summarise_attention(
    attention: np.ndarray, mask: np.ndarray, geometry: Geometry, region: tuple[slice, slice, slice]
) -> AttentionSummary:
    """Measure mass inside the tumour, peak and pointing game (Zhang et al., ECCV 2016) of a map on the exam's lattice.

    Args:
        attention: (k, j, i), non-negative, 0 outside `region`.
        mask: (k, j, i), non-zero inside the tumour.
        geometry: of both.
        region: the voxels of the model's window, `Window.region`.
    """
    seen, tumour = attention[region], mask[region] != 0
    peak = np.unravel_index(int(seen.argmax()), seen.shape)
    index = [int(p) + span.start for p, span in zip(peak, region, strict=True)]
    position = geometry.to_physical(np.array(index[::-1]))
    return AttentionSummary(
        in_tumour=mass_inside(seen, tumour),
        peak=tuple(float(p) for p in position),  # type: ignore[arg-type]
        peak_in_tumour=bool(tumour[peak]),
    )
