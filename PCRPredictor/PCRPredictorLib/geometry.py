"""A voxel lattice in space: LPS, mm. Comparing lattices, and refusing those that no exam can have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

ON_GRID = 0.1  # of a voxel: spacing and position rounded in a header differ by less; it moves no tumour
EXACT = 0.01  # of a voxel: what is off by more is on the grid, but is reported
SMALLEST_MM, LARGEST_MM = 0.05, 20.0  # spacing of breast MRI, with room on both sides
_FARTHEST_MM = 1e5  # of an origin; tables of scanners move by metres, and rounding spoils what is farther
_NOTICEABLE = 0.005  # voxels by which a corner moves
Join = Callable[[Iterable[str]], str]


@dataclass(frozen=True, eq=False)
class Geometry:
    """A voxel lattice in space.

    Args:
        size: voxels along i, j, k (columns, rows, slices).
        spacing: mm along i, j, k.
        origin: LPS position in mm of the centre of voxel (0, 0, 0).
        direction: (3, 3), column n is the LPS unit vector of index axis n.
    """

    size: tuple[int, int, int]
    spacing: tuple[float, float, float]
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)
    direction: np.ndarray = field(default_factory=lambda: np.eye(3))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return the shape of an array on this lattice: (k, j, i)."""
        return self.size[::-1]

    @property
    def voxel_volume(self) -> float:
        """Return the volume of a voxel in mm^3."""
        return float(np.prod(self.spacing))

    @property
    def slice_axis(self) -> int:
        """Return the array axis through the slices: the one whose spacing differs from the two equal ones.

        Without two equal spacings it is the widest one; if all are equal, axis 0, as volumes are stored.
        """
        spacing = np.array(self.spacing[::-1])
        if np.ptp(spacing) < 0.01 * spacing.max():
            return 0
        for axis in range(3):
            first, second = np.delete(spacing, axis)
            if abs(first - second) < 0.01 * max(first, second):
                return axis
        return int(spacing.argmax())

    def to_physical(self, index: np.ndarray) -> np.ndarray:
        """Return LPS mm of continuous indices, (..., 3) in the order i, j, k."""
        return np.asarray(index, float) * self.spacing @ self.direction.T + self.origin

    def to_index(self, point: np.ndarray) -> np.ndarray:
        """Return continuous indices, (..., 3) in the order i, j, k, of LPS points in mm."""
        return (np.asarray(point, float) - self.origin) @ np.linalg.inv(self.direction).T / self.spacing

    def matches(self, other: Geometry) -> bool:
        """Return True if both have the same size, and corners that differ by less than a tenth of a voxel."""
        return self.offset(other) < ON_GRID

    def offset(self, other: Geometry) -> float:
        """Return by how many voxels corresponding corners differ at most along an axis; infinity if the sizes do."""
        if tuple(self.size) != tuple(other.size):
            return np.inf
        corners = np.stack(np.meshgrid(*[(0, n - 1) for n in self.size], indexing="ij"), -1).reshape(-1, 3)
        return float(np.abs(other.to_index(self.to_physical(corners)) - corners).max())

    def problem(self) -> str | None:
        """Return why no exam can have this lattice, as in "its spacing must be ..., got ...", or None."""
        if len(self.size) != 3 or min(self.size) < 1:
            return f"it must have at least one voxel along each of three axes, got {self.size}"
        if not all(SMALLEST_MM <= spacing <= LARGEST_MM for spacing in self.spacing):  # False for nan, too
            got = " x ".join(f"{spacing:.4g}" for spacing in self.spacing)
            return f"its voxels must be {SMALLEST_MM:g} to {LARGEST_MM:g} mm wide along each axis, got {got} mm"
        if not np.isfinite(self.origin).all() or np.abs(self.origin).max() > _FARTHEST_MM:
            return (
                f"its origin must be three numbers in mm, at most {_FARTHEST_MM / 1000:g} m from 0, got {self.origin}"
            )
        if not np.isfinite(self.direction).all():
            return "the directions of its axes must be numbers, got some that are not finite"
        if self.offset(self.upright()) >= ON_GRID:
            lengths = np.linalg.norm(self.direction, axis=0)
            if not lengths.all():
                return "its axes must be at right angles and of unit length, got one of length 0"
            cosine = np.abs(np.triu(self.direction.T @ self.direction / np.outer(lengths, lengths), 1)).max()
            return (
                "its axes must be at right angles and of unit length, got an angle of "
                f"{np.degrees(np.arccos(cosine)):.4g} degrees and lengths {' x '.join(f'{n:.4g}' for n in lengths)}"
            )
        return None

    def upright(self) -> Geometry:
        """Return the lattice with the nearest axes that are exactly orthonormal (Higham, 1986: the polar factor)."""
        left, _, right = np.linalg.svd(self.direction)
        return replace(self, direction=left @ right)

    def __str__(self) -> str:
        size = " x ".join(str(n) for n in self.size)
        spacing = " x ".join(f"{s:.3g}" for s in self.spacing)
        origin = ", ".join(f"{o:.1f}" for o in self.origin)
        return f"{size} voxels of {spacing} mm at ({origin})"


def describe_difference(one: Geometry, other: Geometry) -> str:
    """Return what differs between two lattices, in digits that differ, and how far apart that puts their voxels.

    Args:
        one: named first in each pair, as in "spacing (0.7031 x 0.7031 x 3 against 0.7034 x 0.7034 x 3 mm)".
        other: named second.
    """
    if tuple(one.size) != tuple(other.size):
        return f"size ({_times(one.size)} against {_times(other.size)} voxels)"
    kinds: dict[str, tuple[str, Join]] = {
        "spacing": ("mm", _times),
        "origin": ("mm", ", ".join),
        "direction": ("", ", ".join),
    }
    found = [
        _pair(name, _numbers(one, name), _numbers(other, name), *how)
        for name, how in kinds.items()
        if replace(other, **{name: getattr(one, name)}).offset(other) >= _NOTICEABLE
    ]
    mm = float(np.linalg.norm(_corners(one) - _corners(other), axis=1).max())
    parts = " and ".join(filter(None, found)) or "rounding"
    return f"{parts}, which puts corners up to {one.offset(other):.2g} voxels ({mm:.2g} mm) apart"


def _numbers(geometry: Geometry, name: str) -> Sequence[float]:
    return np.transpose(getattr(geometry, name)).ravel().tolist()


def _corners(geometry: Geometry) -> np.ndarray:
    ends = np.meshgrid(*[(0, n - 1) for n in geometry.size], indexing="ij")
    return geometry.to_physical(np.stack(ends, -1).reshape(-1, 3))


def _times(values: Iterable[object]) -> str:
    return " x ".join(str(value) for value in values)


def _pair(name: str, one: Sequence[float], other: Sequence[float], unit: str, join: Join) -> str:
    """Return both in as many digits as they need to differ, "" if they differ by rounding alone."""
    for digits in range(3, 8):
        texts = [join([f"{value + 0.0:.{digits}g}" for value in values]) for values in (one, other)]
        if texts[0] != texts[1]:
            return f"{name} ({' against '.join(texts)}{f' {unit}' if unit else ''})"
    return ""
