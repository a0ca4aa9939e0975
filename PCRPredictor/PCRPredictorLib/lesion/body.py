"""The outline of the body in a whole exam: air, skin, the cleft between the breasts, nipples.

It is found on a coarse lattice (about 3 mm), without a network, from the signal of the pre-contrast and early phase:
air is the dark space that reaches the front of the field. What cannot be told is None: slabs and small windows around
a tumour show no outline, and a field without air in front of the breasts hides the skin. Source: ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import permutations
from typing import Literal

import numpy as np
import SimpleITK as sitk
from scipy import ndimage
from scipy.spatial import KDTree

from ..exam import Exam, Geometry

_VOXEL_MM = 3.0
_WHOLE_MM = 120.0  # a field that is smaller along its second longest side shows no outline
_BOTH_BREASTS_MM = 220.0  # width of a body with two breasts
_CLEFT_MM = 15.0  # least depth of the cleft between two breasts
_CENTRAL = 0.2  # of the width, on each side of the middle: where the cleft is looked for
_LEAST_AIR = 0.2  # of the front of the field
_WALL_MM = 22.0  # from the skin of the cleft to the front of the chest wall
_CHEST_RADII = (150.0, 105.0)  # mm, of the chest wall from side to side and from front to back
_TIP_MM = 2.5  # depth of the breast's tip that counts as the nipple

Side = Literal["left", "right"]


@dataclass(frozen=True, eq=False)
class Body:
    """The outline of a body on a coarse lattice whose axes run to superior, posterior and left, as far as they can.

    Args:
        inside: (k, j, i) bool.
        geometry: of this lattice.
    """

    inside: np.ndarray
    geometry: Geometry

    def contains(self, points: np.ndarray) -> np.ndarray:
        """Return True for each LPS point, (n, 3) mm, inside the body."""
        index = np.rint(self.geometry.to_index(points)).astype(int)[:, ::-1]
        return self.inside[tuple(np.clip(index, 0, np.array(self.inside.shape) - 1).T)]

    def in_skin(self, points: np.ndarray) -> np.ndarray:
        """Return True for each LPS point, (n, 3) mm, in the outermost 3 mm or so of the body."""
        return self.contains(points) & ~Body(self._core, self.geometry).contains(points)

    @cached_property
    def _core(self) -> np.ndarray:
        return ndimage.binary_erosion(self.inside, border_value=1)

    def in_chest(self, points: np.ndarray) -> np.ndarray:
        """Return True for each LPS point, (n, 3) mm, behind the front of the chest wall; all False without two breasts.

        The wall is an ellipse through a point 22 mm behind the cleft, 300 mm wide and 210 mm deep.
        """
        if self.cleft is None:
            return np.zeros(len(points), bool)
        aside = np.minimum(np.abs(points[:, 0] - self.cleft[0]) / _CHEST_RADII[0], 1)
        return points[:, 1] > self.cleft[1] + _WALL_MM + _CHEST_RADII[1] * (1 - np.sqrt(1 - aside**2))

    def distance_to_skin(self, points: np.ndarray) -> np.ndarray:
        """Return the distance in mm of LPS points, (n, 3), to the nearest air outside the body."""
        distances, _ = self._air_at_skin.query(points)
        return np.maximum(distances - min(self.geometry.spacing) / 2, 0.0)

    @cached_property
    def _air_at_skin(self) -> KDTree:
        edge = ~self.inside & ndimage.binary_dilation(self.inside)
        return KDTree(self.geometry.to_physical(np.argwhere(edge)[:, ::-1]))

    @cached_property
    def _front(self) -> np.ndarray:
        """LPS mm of the most anterior voxel of each column, (slices, columns, 3); nan if the column is empty."""
        k, i = np.indices((self.inside.shape[0], self.inside.shape[2]))
        front = self.geometry.to_physical(np.stack([i, self.inside.argmax(1), k], -1))
        front[~self.inside.any(1)] = np.nan
        return front

    @cached_property
    def cleft(self) -> tuple[float, float] | None:
        """LPS x and y in mm of the skin between the breasts, their deepest front near the middle; None without two."""
        seen = ~np.isnan(self._front).all((0, 2))
        left, front = (np.nanmedian(self._front[:, seen, axis], 0) for axis in (0, 1))
        if not seen.any() or np.ptp(left) < _BOTH_BREASTS_MM:
            return None
        central = np.abs(left - (left[0] + left[-1]) / 2) < _CENTRAL * np.ptp(left)
        deepest = front[central].max()
        x = float(left[central & (front > deepest - 3)].mean())
        peaks = front[left < x].min(), front[left > x].min()
        return (x, float(deepest)) if deepest - max(peaks) >= _CLEFT_MM else None

    def side_of(self, point: np.ndarray) -> Side | None:
        """Return on which side of the cleft an LPS point, (3,) mm, is; None without two breasts."""
        if self.cleft is None:
            return None
        return "left" if point[0] > self.cleft[0] else "right"

    def nipple_near(self, point: np.ndarray) -> np.ndarray | None:
        """Return the tip of the breast on the side of an LPS point, (3,) mm: roughly the nipple.

        None if the side cannot be told in a wide field, or if the tip reaches the end of the field: the nipple may
        be outside.
        """
        front = self._front[~np.isnan(self._front).any(-1)]
        if self.cleft is not None:
            front = front[(front[:, 0] > self.cleft[0]) == (self.side_of(point) == "left")]
        elif np.ptp(front[:, 0]) >= _BOTH_BREASTS_MM:
            return None
        tip = front[front[:, 1] <= front[:, 1].min() + _TIP_MM]
        index = np.rint(self.geometry.to_index(tip))[:, [0, 2]]
        ends = np.array(self.geometry.size)[[0, 2]] - 1
        return None if ((index <= 0) | (index >= ends)).any() else tip.mean(0)


def outline_body(exam: Exam) -> Body | None:
    """Return the outline of the body, or None if the exam does not show it."""
    geometry = exam.geometry
    extent = sorted(n * s for n, s in zip(geometry.size, geometry.spacing, strict=True))
    if extent[1] < _WHOLE_MM:
        return None
    steps = tuple(max(1, round(_VOXEL_MM / s)) for s in geometry.spacing[::-1])
    signal, coarse = _upright(_coarse(exam.pre, steps) + _coarse(exam.early, steps), _coarse_geometry(geometry, steps))
    dark = _is_dark(signal)
    if dark[:, 0].mean() < _LEAST_AIR:
        return None
    air, _ = ndimage.label(dark)
    air = np.isin(air, np.setdiff1d(air[:, 0], 0))  # connected to the front of the field
    tissue, count = ndimage.label(~air)
    if not count:
        return None
    largest = tissue == 1 + int(np.bincount(tissue.ravel())[1:].argmax())  # specks of noise in the air are left out
    body = Body(np.logical_or.accumulate(largest, axis=1), coarse)  # lungs, too, are behind tissue
    if body.cleft is None:
        return body
    rows = coarse.to_index(np.array([*body.cleft, coarse.origin[2]]))[1]
    hanging = ~largest & (np.arange(air.shape[1])[:, None] < rows)  # air behind the curve of a breast
    return Body(body.inside & ~hanging, coarse)


def _coarse(phase: np.ndarray, steps: tuple[int, ...]) -> np.ndarray:
    """Return the mean of up to four voxels of each block, float32."""
    whole = phase[tuple(slice(n // s * s) for n, s in zip(phase.shape, steps, strict=True))]
    rows, columns = ((0,) if s == 1 else (0, s // 2) for s in steps[1:])
    parts = [whole[steps[0] // 2 :: steps[0], j :: steps[1], i :: steps[2]] for j in rows for i in columns]
    total = parts[0].astype(np.float32)
    for part in parts[1:]:
        total += part
    return total / len(parts)


def _coarse_geometry(geometry: Geometry, steps: tuple[int, ...]) -> Geometry:
    step = np.array(steps[::-1])
    size = tuple(int(n) for n in geometry.size // step)
    spacing = tuple(float(s) for s in step * geometry.spacing)
    return Geometry(size, spacing, tuple(geometry.to_physical((step - 1) / 2)), geometry.direction)  # type: ignore[arg-type]


def _upright(array: np.ndarray, geometry: Geometry) -> tuple[np.ndarray, Geometry]:
    """Return a view whose axes run to superior, posterior and left, as far as the lattice allows, and its geometry."""
    order = max(permutations(range(3)), key=lambda p: sum(abs(geometry.direction[w, a]) for w, a in enumerate(p)))
    signs = [1 if geometry.direction[world, axis] >= 0 else -1 for world, axis in enumerate(order)]
    view = array.transpose([2 - axis for axis in order[::-1]])[tuple(slice(None, None, s) for s in signs[::-1])]
    first = np.zeros(3)
    for axis, sign in zip(order, signs, strict=True):
        first[axis] = 0 if sign > 0 else geometry.size[axis] - 1
    turned = Geometry(
        view.shape[::-1],
        tuple(geometry.spacing[axis] for axis in order),  # type: ignore[arg-type]
        tuple(geometry.to_physical(first)),
        geometry.direction[:, list(order)] * signs,
    )
    return np.ascontiguousarray(view), turned


def _is_dark(signal: np.ndarray) -> np.ndarray:
    """Return the voxels that are as dark as air, by Otsu's threshold on the logarithm."""
    grey = np.log1p(np.maximum(signal, 0))
    otsu = sitk.OtsuThresholdImageFilter()
    otsu.Execute(sitk.GetImageFromArray(grey[::2, ::2, ::2].copy()))
    return grey <= otsu.GetThreshold()
