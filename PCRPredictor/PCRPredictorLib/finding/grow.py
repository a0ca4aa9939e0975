"""One-click tumour: the enhancing tissue that is connected to a click.

Sources: the threshold is that of Hylton et al., Radiology 2012; cutting thin bridges is ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import ndimage

from ..enhancement import FUNCTIONAL_ENHANCEMENT, relative_enhancement, signal_floor
from ..errors import DataError
from ..exam import Geometry, bounding_box

_REACH_MM = 4.0  # largest distance between the click and the lesion
_NECK_MM = 1.5  # half the width of the thinnest bridge, such as a vessel, that is followed
_DARK = 0.15  # of the brightest early tissue nearby; darker voxels are air or noise, even if they enhance

Verdict = Literal["mass", "vessel", "skin", "parenchyma", "heart", "noise"]


@dataclass(frozen=True, eq=False)
class Grown:
    """Describe what a click has grown. Check `question` before the mask is used.

    Args:
        mask: uint8 (k, j, i), 1 in the tumour, with the tumour that was extended, if any.
        verdict: what the click stands on.
        volume_ml: of the mask.
        extent_mm: sides of the box around the mask along the exam's axes, longest first.
        message: what was done, such as "4.6 ml, 24 x 22 x 20 mm".
        question: asks whether to keep the mask although the click does not stand on a mass; empty if it does, or if
            the user insisted.
    """

    mask: np.ndarray
    verdict: Verdict
    volume_ml: float
    extent_mm: tuple[float, float, float]
    message: str
    question: str = ""


def grow_tumour(
    pre: np.ndarray,
    early: np.ndarray,
    geometry: Geometry,
    position: Sequence[float] | np.ndarray,
    *,
    late: np.ndarray | None = None,
    box: bool = False,
    base: np.ndarray | None = None,
    enhancement: float = FUNCTIONAL_ENHANCEMENT,
    radius_mm: float = 50.0,
    force: bool = False,
) -> Grown:
    """Grow the enhancing tissue that is connected to a click, to a scribble, or that is inside a box.

    Args:
        pre, early: (k, j, i) phases.
        geometry: of both.
        position: LPS mm of a click, (3,), or of the points of a scribble, (n, 3), or of two corners of a box, (2, 3).
        late: (k, j, i) late phase, if there is one.
        box: True if `position` holds two corners of a box.
        base: (k, j, i) tumour to extend; all of it is kept. None to begin anew.
        enhancement: lowest (early - pre) / pre; 0.7 is that of the functional tumour volume.
        radius_mm: tissue further away from the click is left out.
        force: do not ask if the click stands on something else than a mass.

    Raises:
        DataError: if the click is outside the exam or nothing near it enhances as much.
    """
    points = np.atleast_2d(np.asarray(position, float))
    grown = _grow(pre, early, geometry, points.mean(0), enhancement, radius_mm)
    if base is not None:
        grown |= (base != 0).astype(np.uint8)
    volume, extent = _measure(grown, geometry)
    return Grown(grown, "mass", volume, extent, describe(volume, extent))


def describe(volume_ml: float, extent_mm: Sequence[float]) -> str:
    """Return volume and extent in words: "4.6 ml, 24 x 22 x 20 mm"."""
    return f"{volume_ml:.{1 if volume_ml >= 1 else 2}f} ml, {' x '.join(f'{side:.0f}' for side in extent_mm)} mm"


def _measure(mask: np.ndarray, geometry: Geometry) -> tuple[float, tuple[float, float, float]]:
    """Return the volume in ml and the sides in mm of the box around a mask that is not empty, longest first."""
    box = bounding_box(mask)
    sides = sorted(((b.stop - b.start) * s for b, s in zip(box, geometry.spacing[::-1], strict=True)), reverse=True)
    return int(np.count_nonzero(mask[box])) * geometry.voxel_volume / 1000, (sides[0], sides[1], sides[2])


def _grow(
    pre: np.ndarray,
    early: np.ndarray,
    geometry: Geometry,
    position: np.ndarray,
    enhancement: float,
    radius_mm: float,
) -> np.ndarray:
    """Return uint8 (k, j, i), 1 in the tissue that enhances by `enhancement` and is connected to a click."""
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
