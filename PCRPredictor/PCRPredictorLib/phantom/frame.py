"""Frames of phantom anatomy: the voxel centres of an exam in mm, and smooth random fields on them.

Arrays are (k, j, i), or broadcast to it, unless said otherwise. A full-size one takes 96 MB, and fresh memory for it
more time than the arithmetic: steps overwrite their own intermediate values. Sources: cubic B-splines as of Unser, IEEE
Signal Processing Magazine 1999; the rest is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..exam import Geometry

_SPLINE_VARIANCE = 0.479  # mean over a knot interval of the sum of squared cubic B-spline weights
Window = tuple[slice, slice, slice]


@dataclass(frozen=True, eq=False)
class Frame:
    """The voxel centres of a lattice whose axes follow the patient's.

    Args:
        geometry: the lattice; each direction column is plus or minus one of the LPS axes.
        window: part of its (k, j, i) array that this frame covers.
    """

    geometry: Geometry
    window: Window = (slice(None), slice(None), slice(None))

    @cached_property
    def axes(self) -> tuple[tuple[int, np.ndarray], ...]:
        """For each array axis (k, j, i): the LPS axis that it follows, and positions along that axis in mm."""
        found = []
        for index in (2, 1, 0):
            column = self.geometry.direction[:, index]
            world = int(np.argmax(np.abs(column)))
            steps = np.arange(self.geometry.size[index]) * self.geometry.spacing[index]
            positions = self.geometry.origin[world] + column[world] * steps
            found.append((world, positions[self.window[2 - index]].astype(np.float32)))
        return tuple(found)

    @cached_property
    def coordinates(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """x (left), y (posterior), z (superior) in mm, each shaped to broadcast against the (k, j, i) array."""
        arrays: dict[int, np.ndarray] = {}
        for axis, (world, positions) in enumerate(self.axes):
            arrays[world] = positions.reshape([-1 if a == axis else 1 for a in range(3)])
        return arrays[0], arrays[1], arrays[2]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of an array on this frame, (k, j, i)."""
        return tuple(len(positions) for _, positions in self.axes)

    @property
    def spacing(self) -> np.ndarray:
        """(3,) mm along k, j, i."""
        return np.asarray(self.geometry.spacing[::-1])

    @property
    def pixel(self) -> float:
        """The finest spacing, mm: the width over which a boundary between tissues is blurred."""
        return float(min(self.geometry.spacing))

    def around(self, centre: np.ndarray, radius: float) -> Frame:
        """Return the part of a whole frame within `radius` mm of an LPS point (3,) along each axis: a voxel or more."""
        window = []
        for world, positions in self.axes:
            near = np.flatnonzero(np.abs(positions - centre[world]) <= radius)
            nearest = int(np.argmin(np.abs(positions - centre[world])))
            window.append(slice(int(near[0]), int(near[-1]) + 1) if len(near) else slice(nearest, nearest + 1))
        return Frame(self.geometry, (window[0], window[1], window[2]))

    def field(self, rng: np.random.Generator, scale: float | tuple[float, float, float]) -> np.ndarray:
        """Return a smooth Gaussian random field with mean 0 and deviation 1: cubic B-splines with random weights.

        Args:
            scale: knot distance in mm, one number or one for each of x, y, z; structures are about twice as large.
        """
        scales = (scale,) * 3 if isinstance(scale, int | float) else scale
        splines = [_spline_weights(positions, scales[world], rng) for world, positions in self.axes]
        field = rng.standard_normal([int(knots.max()) + 1 for knots, _ in splines], dtype=np.float32)
        field /= np.float32(_SPLINE_VARIANCE**1.5)
        for axis in (2, 1, 0):  # the largest arrays last, along the axis that is fastest to gather
            field = _interpolate(field, axis, *splines[axis])
        return field


def ramp(distance: np.ndarray, width: float) -> np.ndarray:
    """Return the share of a voxel inside a surface, in [0, 1]; signed distance (negative inside) and blur are in mm."""
    share = distance / np.float32(width)
    np.subtract(0.5, share, out=share)
    return np.clip(share, 0, 1, out=share)


def smooth_minimum(a: np.ndarray, b: np.ndarray, width: float) -> np.ndarray:
    """Return the union of two signed distances, with a fillet if they are within `width` mm of each other."""
    blend = a - b
    np.abs(blend, out=blend)
    np.subtract(width, blend, out=blend)
    np.clip(blend, 0, None, out=blend)
    blend *= blend
    blend /= np.float32(4 * width)
    return np.subtract(np.minimum(a, b), blend, out=blend)


def ellipsoid_distance(frame: Frame, centre: tuple[float | np.ndarray, ...], radii: tuple[float, ...]) -> np.ndarray:
    """Return the first-order signed distance in mm to an ellipsoid; an infinite radius makes it a cylinder.

    Args:
        centre: LPS mm; a coordinate may itself vary along the frame's axes, which bends the shape.
        radii: along x, y, z in mm.
    """
    widths = [np.float32(r) for r in radii]
    ratios = [(a - np.float32(c)) / r for a, c, r in zip(frame.coordinates, centre, widths, strict=True)]
    level = np.asarray(sum(ratio * ratio for ratio in ratios))
    level -= 1
    slope = np.asarray(sum((ratio / r) ** 2 for ratio, r in zip(ratios, widths, strict=True)))
    np.sqrt(slope, out=slope)
    slope *= 2
    slope += np.float32(1e-3)
    level /= slope
    return level


def _spline_weights(positions: np.ndarray, scale: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the four knots, `scale` mm apart, around each position, and their cubic B-spline weights: (4, N)."""
    units = (positions - positions.min()) / scale + rng.random()
    first = np.floor(units).astype(int)
    t = units - first
    weights = np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3]) / 6
    return first + np.arange(4)[:, None], weights.astype(np.float32)


def _interpolate(lattice: np.ndarray, axis: int, knots: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Replace knots by positions along one axis."""
    shape = [-1 if a == axis else 1 for a in range(3)]
    taken = np.take(lattice, knots[0], axis)
    taken *= weights[0].reshape(shape)
    part = np.empty_like(taken)
    for knot, weight in zip(knots[1:], weights[1:], strict=True):
        np.take(lattice, knot, axis, out=part, mode="clip")
        part *= weight.reshape(shape)
        taken += part
    return taken
