"""The kinetic map of a lesion: curve type and SER of each voxel that enhances above the noise.

Each voxel has the mean of its 3 x 3 neighbours in the slice that belong to the lesion, as a reader's smallest region
has. The noise is measured around the lesion, in the differences of the phases, where anatomy cancels, by the second
differences along both axes of the slice, which smooth enhancement and edges hardly reach, and their median absolute
value (after Immerkaer, Comput Vis Image Underst 1996;64:300).

Voxels whose change from early to late lies nearer to a threshold than the noise tells apart (`_SURE`) have no type:
they are "undecided", counted and not coloured. Definitions: `types`; what is noise and what is undecided: ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage

from ..exam import Exam, bounding_box
from .types import THRESHOLD, CurveType, curve_types, relative_change

SER_LIMITS = 0.0, 3.0
UNDECIDED = 4  # value in the map of types
_AROUND_MM = 20.0
_BEYOND = 3.0  # standard deviations: of noise alone, 0.1 % of voxels exceed it
_SURE = 1.645  # standard deviations from a threshold: at most 5 % are on the wrong side
_MAD = 1.4826  # of a normal distribution: standard deviation over median absolute deviation
_INTERPOLATED = 0.5  # of the noise at twice the distance: white noise has all of it
_FEW = 100  # voxels, below which there is no estimate around the lesion


@dataclass(frozen=True, eq=False)
class KineticMap:
    """Types and SER of a lesion.

    Args:
        types: (k, j, i) uint8 of the exam: a `CurveType`, `UNDECIDED`, or 0 outside and for what does not enhance.
        ser: (k, j, i) float32 of the exam, clipped to `SER_LIMITS`; 0 where the type is 0.
        voxels: of the lesion.
        noise: standard deviation of a difference of two smoothed phases, in the units of the images.
    """

    types: np.ndarray
    ser: np.ndarray
    voxels: int
    noise: float

    @cached_property
    def enhancing(self) -> int:
        """Return the number of voxels that enhance above the noise."""
        return int(np.count_nonzero(self.types))

    @cached_property
    def shares(self) -> Mapping[CurveType, float]:
        """Return the share of each type among the voxels that have one; all 0 if none has."""
        counts = {kind: int(np.count_nonzero(self.types == kind)) for kind in CurveType}
        total = max(sum(counts.values()), 1)
        return {kind: number / total for kind, number in counts.items()}

    @cached_property
    def undecided(self) -> float:
        """Return the share of the enhancing voxels whose type the noise leaves open."""
        return np.count_nonzero(self.types == UNDECIDED) / max(self.enhancing, 1)


def map_kinetics(exam: Exam, mask: np.ndarray) -> KineticMap:
    """Return the kinetic map of a lesion, or of several together.

    Args:
        mask: (k, j, i), non-zero inside; an empty one gives an empty map.
    """
    types, ser = np.zeros(exam.geometry.shape, np.uint8), np.zeros(exam.geometry.shape, np.float32)
    if not np.any(mask):
        return KineticMap(types, ser, 0, 0.0)
    inner = bounding_box(mask)
    box = _widened(inner, exam)
    plane = through_plane(exam)
    inside = np.asarray(mask[box]) != 0
    pre, early, late = (np.asarray(phase[box], np.float32) for phase in exam.phases)
    noise = [_noise(after - before, before, inside, plane) for before, after in ((pre, early), (early, late))]
    pre, early, late = (_smoothed(phase, inside, plane) for phase in (pre, early, late))
    fewer = np.sqrt(9 / np.maximum(_neighbours(inside, plane), 1))  # neighbours, more noise
    enhancing = inside & (np.maximum(early, late) - pre > _BEYOND * noise[0] * fewer)
    change = relative_change(early, late)
    found = curve_types(change)
    doubt = _SURE * noise[1] * fewer / np.maximum(early, 1e-6)
    found[np.abs(np.abs(change) - THRESHOLD) < doubt] = UNDECIDED
    types[box] = np.where(enhancing, found, 0)
    ratio = np.clip((early - pre) / np.maximum(late - pre, 1e-6), *SER_LIMITS)
    ser[box] = np.where(enhancing, ratio, 0)
    return KineticMap(types, ser, int(inside.sum()), noise[1])


def through_plane(exam: Exam) -> int:
    """Return the axis (of k, j, i) at right angles to the slices: the one with the largest spacing."""
    return int(np.argmax(exam.geometry.spacing[::-1]))


def _widened(box: tuple[slice, slice, slice], exam: Exam) -> tuple[slice, slice, slice]:
    margins = [round(_AROUND_MM / spacing) for spacing in exam.geometry.spacing[::-1]]
    return tuple(  # type: ignore[return-value]
        slice(max(axis.start - margin, 0), min(axis.stop + margin, size))
        for axis, margin, size in zip(box, margins, exam.geometry.shape, strict=True)
    )


def _window(plane: int) -> tuple[int, int, int]:
    return tuple(1 if axis == plane else 3 for axis in range(3))  # type: ignore[return-value]


def _neighbours(inside: np.ndarray, plane: int) -> np.ndarray:
    """Return how many voxels of the square around each voxel are inside."""
    return 9 * ndimage.uniform_filter(inside.astype(np.float32), _window(plane), mode="constant")


def _smoothed(phase: np.ndarray, inside: np.ndarray, plane: int) -> np.ndarray:
    """Return the mean of the neighbours of each voxel that are inside."""
    total = 9 * ndimage.uniform_filter(np.where(inside, phase, 0), _window(plane), mode="constant")
    return total / np.maximum(_neighbours(inside, plane), 1)


def _noise(difference: np.ndarray, before: np.ndarray, inside: np.ndarray, plane: int) -> float:
    """Return the standard deviation of a mean of 3 x 3 voxels of a difference image, in the tissue around the lesion.

    Voxels that interpolation has made of fewer samples share their noise: it is then seen only at twice the distance,
    and the mean of 3 x 3 has a quarter of the samples.
    """
    tissue = ~inside & (before > np.median(before) / 2)
    near, far = (_detail(difference, tissue, plane, lag) for lag in (1, 2))
    return far / np.sqrt(9 / 4) if near < _INTERPOLATED * far else near / np.sqrt(9)


def _detail(difference: np.ndarray, tissue: np.ndarray, plane: int, lag: int) -> float:
    """Return the robust standard deviation of the second differences along both axes of the plane."""
    for axis in (a for a in range(3) if a != plane):
        count = difference.shape[axis] - 2 * lag
        if count < 1:
            return 0.0
        before, middle, after = (np.arange(shift, count + shift) for shift in (0, lag, 2 * lag))
        ends = np.take(difference, before, axis) + np.take(difference, after, axis)
        difference, tissue = np.take(difference, middle, axis) - ends / 2, np.take(tissue, middle, axis)
    values = difference[tissue] if np.count_nonzero(tissue) >= _FEW else difference.ravel()
    return float(_MAD * np.median(np.abs(values)) / 1.5)
