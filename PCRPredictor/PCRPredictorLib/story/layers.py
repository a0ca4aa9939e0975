"""Pictures of the story as PNG: the exam in grey, and the tumour's outline and the heat to lay over it.

Arrays are (rows, columns) unless stated otherwise.
"""

from __future__ import annotations

import io

import numpy as np
from matplotlib.image import imsave
from scipy import ndimage

from ..report.display import OUTLINE_RGB
from ..report.overlay import COLOURS

_FINER = 6  # pixels per pixel of the exam
_FAINT = 0.12  # heat below this share of its peak is not drawn


def grey_pixels(grey: np.ndarray) -> np.ndarray:
    """Return an image, 0 black to 1 white, in finer pixels: RGB, (rows, columns, 3)."""
    fine = ndimage.zoom(grey, _FINER, order=3, grid_mode=True, mode="nearest").clip(0, 1)
    return np.repeat(fine[..., None], 3, axis=2)


def heat_pixels(heat: np.ndarray) -> np.ndarray:
    """Return heat in finer pixels, the more opaque the stronger: RGBA, (rows, columns, 4)."""
    fine = ndimage.zoom(heat, _FINER, order=1, grid_mode=True, mode="nearest").clip(0, 1)
    coloured = COLOURS(fine)
    coloured[..., 3] = np.where(fine < _FAINT, 0, 0.25 + 0.5 * fine)
    return coloured


def outline_pixels(mask: np.ndarray) -> np.ndarray:
    """Return the edge of a mask in finer pixels, transparent elsewhere: RGBA, (rows, columns, 4)."""
    smooth = ndimage.zoom(
        ndimage.gaussian_filter(mask.astype(float), 0.6), _FINER, order=1, grid_mode=True, mode="nearest"
    )
    inside = smooth > 0.5
    edge = ndimage.binary_dilation(inside, iterations=3) & ~inside
    return np.concatenate([np.full((*edge.shape, 3), OUTLINE_RGB), edge[..., None]], axis=2)


def to_png(pixels: np.ndarray) -> bytes:
    """Return pixels in [0, 1], (rows, columns, 3 or 4), as a PNG file."""
    buffer = io.BytesIO()
    imsave(buffer, pixels, format="png")
    return buffer.getvalue()
