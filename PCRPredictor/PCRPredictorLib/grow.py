"""One-click tumour: the enhancing tissue that is connected to a click.

Sources: the threshold is that of Hylton et al., Radiology 2012; cutting thin bridges is ours.
"""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from .enhancement import FUNCTIONAL_ENHANCEMENT, relative_enhancement, signal_floor
from .errors import DataError
from .exam import Geometry

_REACH_MM = 4.0  # largest distance between the click and the lesion
_NECK_MM = 1.5  # half the width of the thinnest bridge, such as a vessel, that is followed
_DARK = 0.15  # of the brightest early tissue nearby; darker voxels are air or noise, even if they enhance


def grow_tumour(
    pre: np.ndarray,
    early: np.ndarray,
    geometry: Geometry,
    position: Sequence[float],
    *,
    enhancement: float = FUNCTIONAL_ENHANCEMENT,
    radius_mm: float = 50.0,
) -> np.ndarray:
    """Return the tissue around a click that enhances early by at least `enhancement` and is connected to it.

    Args:
        pre, early: (k, j, i) phases.
        geometry: of both.
        position: of the click, LPS mm.
        enhancement: lowest (early - pre) / pre; 0.7 is that of the functional tumour volume.
        radius_mm: tissue further away from the click is left out.

    Returns:
        uint8 (k, j, i), 1 in the tumour, holes filled.

    Raises:
        DataError: if the click is outside the exam or nothing near it enhances as much.
    """
    click = geometry.to_index(np.asarray(position, float))[::-1]
    if not all(-0.5 <= c <= n - 0.5 for c, n in zip(click, geometry.shape, strict=True)):
        raise DataError("the click must be inside the exam; click on the lesion in a slice view")
    spacing = np.array(geometry.spacing[::-1])
    box = tuple(
        slice(max(int(c - radius_mm / s), 0), min(int(c + radius_mm / s) + 2, n))
        for c, s, n in zip(click, spacing, geometry.shape, strict=True)
    )
    distance = _distances(box, click, spacing)
    before, after = pre[box], early[box]
    bright = after >= _DARK * float(np.percentile(after, 99.5))
    ratio = relative_enhancement(before, after, signal_floor(before[bright], after[bright]))
    enhancing = (ratio >= enhancement) & bright & (distance <= radius_mm)
    near = enhancing & (distance <= _REACH_MM)
    if not near.any():
        here = float(ratio[distance <= max(_REACH_MM, float(spacing.max()))].max(initial=0))
        raise DataError(
            f"nothing within {_REACH_MM:.0f} mm of the click enhances by {enhancement:.0%} (at most {here:.0%}); "
            "click on the bright part of the lesion, lower the threshold, or paint it"
        )
    grown = np.zeros(geometry.shape, np.uint8)
    grown[box] = _connected(enhancing, near, distance, spacing)
    return grown


def _distances(box: tuple[slice, ...], click: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """Return the distance in mm of the box's voxels from the click."""
    axes = [(np.arange(b.start, b.stop) - c) * s for b, c, s in zip(box, click, spacing, strict=True)]
    return np.sqrt(sum(part**2 for part in np.ix_(*axes)))


def _connected(enhancing: np.ndarray, near: np.ndarray, distance: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """Return the voxels that are connected to those near the click by more than a thin bridge, holes filled.

    Voxels deeper than `_NECK_MM` are connected first; then the rim around them is added. A lesion that is too small to
    have such a core is connected as it is.
    """
    depth = ndimage.distance_transform_edt(np.pad(enhancing, 1), sampling=spacing)[1:-1, 1:-1, 1:-1]
    core = depth > _NECK_MM
    labels, _ = ndimage.label(core if (core & near).any() else enhancing, np.ones((3, 3, 3)))
    start = np.where((labels > 0) & near, distance, np.inf)
    part = labels == labels.flat[int(start.argmin())]
    rim = ndimage.distance_transform_edt(~part, sampling=spacing) <= _NECK_MM + float(spacing.min())
    return ndimage.binary_fill_holes(enhancing & rim)
