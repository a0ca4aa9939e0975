"""The region that enhances like the place that was clicked, in one piece and without the thin things that touch it.

Sources: half-way thresholds between lesion and background are common in segmentation by enhancement; the numbers were
chosen on half of the I-SPY2 slabs; cutting thin bridges is ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..enhancement import relative_enhancement, signal_floor
from ..exam import Geometry, bounding_box
from .body import Box

_SAME_MM = 1e-3  # distances that differ by less are the same: all points of a scribble that lie on voxels
REACH_MM = 3.0  # largest distance between the click and the lesion
LEAST_ENHANCEMENT = 0.3  # of anything that is grown
_DARK = 0.15  # of the brightest early tissue nearby; darker voxels are air or noise, even if they enhance
_SMOOTH_MM = 0.6
_THICK_MM = 2.5  # slices that are further apart are not smoothed together
_FIRST_LEVEL, _LEVEL = 98, 60  # percentiles of the rise, around the click and in the region
_BACKGROUND = 25  # percentile of the rise around
_SHARE = 0.4  # of the way from the background to the lesion's rise
_ROUNDS = 3
_NOISE = 4.0  # least rise in standard deviations
_MOST_NOISE = 0.7  # of the lesion's rise: more is not asked for, however noisy the exam is
_NECK = 0.15  # of the region's greatest depth: half the width of the bridges that are cut
_NECK_MM = (0.5, 4.0)  # least and most
_RIM = np.ones((3, 3, 3))


@dataclass(frozen=True, eq=False)
class Window:
    """The part of an exam around a click.

    Args:
        box: voxels of the exam, (k, j, i).
        spacing: (3,) mm along k, j, i.
        rise: early - pre, (k, j, i) float32, slightly smoothed.
        ratio: relative enhancement, (k, j, i).
        tissue: (k, j, i) bool, False in air.
        distance: (k, j, i) mm from the click or the nearest point of a scribble.
        radius: mm; nothing further away is grown.
        noise: standard deviation of the rise.
    """

    box: Box
    spacing: np.ndarray
    rise: np.ndarray
    ratio: np.ndarray
    tissue: np.ndarray
    distance: np.ndarray
    radius: float
    noise: float


@dataclass(frozen=True, eq=False)
class Region:
    """What was grown in a window.

    Args:
        mask: (k, j, i) bool in the window, one piece, holes filled.
        level: typical rise in it.
        threshold: least rise in it.
        cut: True if it reaches the radius of the window.
    """

    mask: np.ndarray
    level: float
    threshold: float
    cut: bool


def open_window(pre: np.ndarray, early: np.ndarray, geometry: Geometry, points: np.ndarray, radius: float) -> Window:
    """Return the part of an exam within a radius of some points.

    Args:
        pre, early: (k, j, i) phases.
        geometry: of both.
        points: (n, 3) LPS mm.
        radius: mm.
    """
    spacing = np.array(geometry.spacing[::-1])
    places = geometry.to_index(points)[:, ::-1]
    box = tuple(
        slice(max(int(low - radius / s), 0), min(int(high + radius / s) + 2, n))
        for low, high, s, n in zip(places.min(0), places.max(0), spacing, geometry.shape, strict=True)
    )
    before, after = pre[box].astype(np.float32), early[box].astype(np.float32)
    tissue = after >= _DARK * float(np.percentile(after, 99.5))
    ratio = relative_enhancement(before, after, signal_floor(before[tissue], after[tissue]))
    sigma = [_SMOOTH_MM / s if s < _THICK_MM else 0 for s in spacing]
    rise = ndimage.gaussian_filter(after - before, sigma)
    steps = np.diff(rise, axis=2)[tissue[:, :, 1:]]
    noise = float(np.median(np.abs(steps))) / 0.954 if steps.size else 0.0  # of a difference of two normal numbers
    offset = places - [b.start for b in box]
    return Window(box, spacing, rise, ratio, tissue, _distances(rise.shape, offset, spacing), radius, noise)


def grow_region(
    window: Window, seed: np.ndarray, enhancement: float, within: np.ndarray | None = None
) -> Region | None:
    """Return the region around a seed; None if the seed does not enhance.

    Args:
        window: around the click.
        seed: (k, j, i) bool, voxels near the click.
        enhancement: relative enhancement of what is grown is at least this, or half of the seed's if that is less.
        within: (k, j, i) bool, a box that nothing may leave; None for the whole window.
    """
    allowed = window.tissue & (window.distance <= window.radius)
    if within is not None:
        allowed &= within
    start = seed & allowed & (window.ratio >= min(enhancement, LEAST_ENHANCEMENT))
    if not start.any():
        return None
    own = float(np.percentile(window.ratio[start], 90))
    allowed &= window.ratio >= min(enhancement, max(0.5 * own, LEAST_ENHANCEMENT))
    background = float(np.percentile(window.rise[window.tissue], _BACKGROUND))
    level = float(np.percentile(window.rise[start], _FIRST_LEVEL))
    mask, threshold = start, 0.0
    for _ in range(_ROUNDS):
        threshold = max(background + _SHARE * (level - background), min(_NOISE * window.noise, _MOST_NOISE * level))
        enhancing = allowed & (window.rise >= threshold)
        if not (enhancing & start).any():
            enhancing = start & (window.rise >= np.median(window.rise[start]))
        mask = _connected(enhancing, start, window)
        level = float(np.percentile(window.rise[mask], _LEVEL))
    cut = bool((window.distance[mask] > window.radius - 2 * window.spacing.min()).any())
    return Region(fill(mask), level, threshold, cut and within is None)


def depth_inside(mask: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """Return the distance in mm of a mask's voxels from what is outside, (k, j, i).

    Args:
        mask: (k, j, i) bool; it goes on beyond the array's border.
        spacing: (3,) mm along k, j, i.
    """
    return ndimage.distance_transform_edt(np.pad(mask, 1, mode="edge"), sampling=spacing)[1:-1, 1:-1, 1:-1]


def fill(mask: np.ndarray) -> np.ndarray:
    """Return a mask (k, j, i) with its holes filled, in space and in each slice, of the same shape."""
    filled = mask.copy()
    if mask.any():
        box = bounding_box(mask)
        part = ndimage.binary_fill_holes(mask[box])
        filled[box] = [ndimage.binary_fill_holes(plane) for plane in part]
    return filled


def _distances(shape: tuple[int, ...], points: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """Return the distance in mm of an array's voxels from the nearest of some points (n, 3), in continuous indices."""
    nearest = np.full(shape, np.inf, np.float32)
    for point in points:
        axes = [((np.arange(n) - p) * s).astype(np.float32) ** 2 for n, p, s in zip(shape, point, spacing, strict=True)]
        np.minimum(nearest, sum(np.ix_(*axes)), out=nearest)
    return np.sqrt(nearest, out=nearest)


def _connected(enhancing: np.ndarray, start: np.ndarray, window: Window) -> np.ndarray:
    """Return the voxels that are connected to the click by more than a thin bridge.

    What is deeper than the necks that are cut is connected first; then the rim around it is added.
    """
    labels, _ = ndimage.label(enhancing, _RIM)
    nearest = np.where(enhancing & start, window.distance, np.inf)
    piece = labels == _most_touched(labels, nearest)
    box: Box = tuple(slice(max(b.start - 1, 0), b.stop + 1) for b in bounding_box(piece))
    part, distance = piece[box], window.distance[box]
    depth = depth_inside(fill(part), window.spacing) * part
    inner = depth[distance <= 10]
    neck = float(np.clip(_NECK * inner.max(initial=0), *_NECK_MM))
    core = depth > neck
    if not core.any():
        return piece
    labels, _ = ndimage.label(core, _RIM)
    closest = np.where(core, distance, np.inf)
    kept = labels == _most_touched(labels, closest)
    rim = ndimage.distance_transform_edt(~kept, sampling=window.spacing) <= neck + window.spacing.min()
    if not (rim & start[box]).any():
        return piece
    connected = np.zeros_like(piece)
    connected[box] = part & rim
    return connected


def _most_touched(labels: np.ndarray, distance: np.ndarray) -> int:
    """Return the label that is nearest to a click, or that most points of a scribble lie in; distance in mm."""
    touched = labels[distance <= distance.min() + _SAME_MM]
    return int(np.bincount(touched).argmax())
