"""The body in a breast exam, coarsely: the air around it, and the chest behind the breasts.

A prone or supine patient's front is where LPS y is lowest. Thresholds and margins are ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..exam import Geometry

Box = tuple[slice, ...]

_PIXEL_MM, _SLICE_MM = 2.2, 3.0  # of the coarse grid, about
_AIR = 0.12  # of the 90th percentile of the early phase; darker and connected to the border of the field is air
_LEAST_AIR = 0.01  # of a slice; smaller dark regions at its border are tissue
_WHOLE_MM = 120.0  # least width and depth of a field that shows a whole breast, with the chest behind it
_BOTH_MM = 240.0  # least width of a field that shows both breasts
_WALL_MM = 22.0  # from the skin over the breastbone to the inside of the chest
_CHEST_RADII_MM = (140.0, 100.0)  # of the chest as an ellipse, to the side and to the back


@dataclass(frozen=True, eq=False)
class Body:
    """The outlines of a body on a coarse grid.

    Args:
        geometry: of the exam.
        factors: voxels of the exam per voxel of the coarse grid along k, j, i.
        air: coarse (k, j, i) bool.
        chest: coarse (k, j, i) bool, the inside of the chest with heart, great vessels and liver; nowhere if the field
            is too small to tell.
        middle: LPS x in mm of the breastbone; None if the field does not show both breasts.
    """

    geometry: Geometry
    factors: tuple[int, int, int]
    air: np.ndarray
    chest: np.ndarray
    middle: float | None

    def depth(self, box: Box) -> np.ndarray:
        """Return the distance in mm to the nearest air in a box of the exam, (k, j, i); infinite if there is no air."""
        margin = [int(np.ceil(20 / s)) for s in self.spacing]
        around = tuple(
            slice(max(b.start // f - m, 0), (b.stop - 1) // f + 1 + m)
            for b, f, m in zip(box, self.factors, margin, strict=True)
        )
        air = self.air[around]
        if not air.any():
            return np.full([b.stop - b.start for b in box], np.inf, np.float32)
        distance = ndimage.distance_transform_edt(~air, sampling=self.spacing).astype(np.float32)
        return distance[np.ix_(*(i - a.start for i, a in zip(self._coarse(box), around, strict=True)))]

    def in_chest(self, box: Box) -> np.ndarray:
        """Return where a box of the exam is inside the chest, (k, j, i) bool."""
        return self.chest[np.ix_(*self._coarse(box))]

    @property
    def spacing(self) -> np.ndarray:
        """(3,) mm along k, j, i of the coarse grid."""
        return np.array(self.geometry.spacing[::-1]) * self.factors

    def _coarse(self, box: Box) -> list[np.ndarray]:
        """Return the coarse indices of a box's voxels along each axis."""
        return [
            np.minimum(np.arange(b.start, b.stop) // f, n - 1)
            for b, f, n in zip(box, self.factors, self.air.shape, strict=True)
        ]


def coarse_factors(geometry: Geometry) -> tuple[int, int, int]:
    """Return voxels of the exam per voxel of the coarse grid along k, j, i."""
    wanted = (_PIXEL_MM, _PIXEL_MM, _PIXEL_MM)
    thick = max(geometry.spacing)
    k, j, i = (
        max(1, round((_SLICE_MM if s == thick else w) / s)) for w, s in zip(wanted, geometry.spacing[::-1], strict=True)
    )
    return k, j, i


def coarsen(array: np.ndarray, factors: tuple[int, int, int]) -> np.ndarray:
    """Return block means of an array (k, j, i), float32; the last incomplete block along an axis is left out."""
    size = [max(n // f, 1) for n, f in zip(array.shape, factors, strict=True)]
    total = np.zeros(size, np.float32)
    steps = [range(min(f, n)) for f, n in zip(factors, array.shape, strict=True)]
    for k in steps[0]:
        for j in steps[1]:
            for i in steps[2]:
                total += array[k :: factors[0], j :: factors[1], i :: factors[2]][: size[0], : size[1], : size[2]]
    return total / np.float32(np.prod([len(step) for step in steps]))


def outline_body(early: np.ndarray, geometry: Geometry) -> Body:
    """Return the outlines of the body in an exam.

    Args:
        early: (k, j, i) early phase.
        geometry: of it.
    """
    factors = coarse_factors(geometry)
    coarse = coarsen(early, factors)
    air = _find_air(coarse, int(np.argmax(np.array(geometry.spacing[::-1]))))
    spacing = np.array(geometry.spacing[::-1]) * factors
    order, flips = _to_patient(geometry)
    turned = np.flip(air.transpose(order), tuple(axis for axis, flip in enumerate(flips) if flip))
    chest, middle = _find_chest(turned, spacing[list(order)])
    back = np.flip(chest, tuple(axis for axis, flip in enumerate(flips) if flip)).transpose(np.argsort(order))
    x = None
    if middle is not None:
        lowest = geometry.to_physical(np.array([[0, 0, 0], [n - 1 for n in geometry.size]]))[:, 0].min()
        x = float(lowest + middle)
    return Body(geometry, factors, air, np.ascontiguousarray(back), x)


def _find_air(coarse: np.ndarray, slice_axis: int) -> np.ndarray:
    """Return the dark regions that touch the border of their slice and are large; bool like `coarse`."""
    size = [1 if axis == slice_axis else 3 for axis in range(3)]
    smooth = ndimage.uniform_filter(coarse, size, mode="nearest")
    dark = smooth < _AIR * float(np.percentile(coarse, 90))
    flat = np.zeros((3, 3, 3), bool)  # neighbours within a slice
    flat[tuple(1 if axis == slice_axis else slice(None) for axis in range(3))] = True
    labels, count = ndimage.label(dark, flat)
    if not count:
        return dark
    counts = np.bincount(labels.ravel(), minlength=count + 1)
    border = np.zeros(count + 1, bool)
    for axis in range(3):
        if axis != slice_axis:
            for end in (0, -1):
                border[np.unique(labels.take(end, axis))] = True
    large = counts > _LEAST_AIR * coarse[(slice(None),) * slice_axis + (0,)].size
    keep = border & large
    keep[0] = False
    return keep[labels]


def _to_patient(geometry: Geometry) -> tuple[tuple[int, int, int], tuple[bool, bool, bool]]:
    """Return the array axes (k, j, i) that follow z, y, x of the patient, and True where they run against them."""
    axes, flips = [], []
    for world in (2, 1, 0):
        free = [index for index in range(3) if index not in axes]
        index = max(free, key=lambda i: abs(geometry.direction[world, i]))
        axes.append(index)
        flips.append(bool(geometry.direction[world, index] < 0))
    z, y, x = (2 - index for index in axes)
    return (z, y, x), (flips[0], flips[1], flips[2])


def _find_chest(air: np.ndarray, spacing: np.ndarray) -> tuple[np.ndarray, float | None]:
    """Return the inside of the chest, bool, and the position of the breastbone in mm from the first x.

    Args:
        air: (z, y, x) bool; y runs to the back.
        spacing: mm along z, y, x.
    """
    extent = np.array(air.shape) * spacing
    nothing = np.zeros(air.shape, bool)
    if extent[1] < _WHOLE_MM or max(extent[0], extent[2]) < _WHOLE_MM or not air.any():
        return nothing, None
    body = ~air
    front = np.where(body.any(1), body.argmax(1), np.nan) * spacing[1]  # (z, x) mm of the skin
    y = (np.arange(air.shape[1]) * spacing[1])[None, :, None]
    if extent[2] < _BOTH_MM:
        level = float(np.nanpercentile(front, 95))
        return np.broadcast_to(y > level + _WALL_MM, air.shape).copy(), None
    profile = ndimage.gaussian_filter1d(np.median(np.nan_to_num(front, nan=extent[1]), 0), 8 / spacing[2])
    x = np.arange(air.shape[2]) * spacing[2]
    central = np.abs(x - extent[2] / 2) < 0.2 * extent[2]
    at = int(np.flatnonzero(central)[np.argmax(profile[central])])
    level = float(np.nanmedian(front[:, max(at - 3, 0) : at + 4]))
    side = np.clip(np.abs(x - x[at]) / _CHEST_RADII_MM[0], 0, 0.98)
    wall = level + _WALL_MM + _CHEST_RADII_MM[1] * (1 - np.sqrt(1 - side**2))
    return np.broadcast_to(y > wall[None, None, :], air.shape).copy(), float(x[at])
