"""A time-intensity curve and what is read from it: wash-in, wash-out, SER, curve type.

Early and late are the phases that were picked as such, as for every other number of an exam; the phases between them
are drawn and decide nothing, except when the peak is. Signal enhancement ratio: Hylton et al., Radiology 2012.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .phases import Phases
from .types import THRESHOLD, CurveType

_PERCENT, _MINUTE = 100.0, 60.0


@dataclass(frozen=True)
class Kinetics:
    """What is read from a curve; None if it is unknown or has no meaning.

    Args:
        wash_in_percent: (early - pre) / pre.
        wash_in_per_minute: the same per minute from the injection, or from the pre-contrast phase if `is_bound`.
        is_bound: True if the time of the injection is unknown: wash-in was at least as fast.
        wash_out_percent: (late - early) / early; positive if the signal goes on rising.
        wash_out_per_minute: the same per minute between early and late.
        ser: (early - pre) / (late - pre).
        peak: position of the phase with the highest signal.
        type: by `wash_out_percent`, None if the curve does not enhance.
    """

    wash_in_percent: float | None
    wash_in_per_minute: float | None
    is_bound: bool
    wash_out_percent: float | None
    wash_out_per_minute: float | None
    ser: float | None
    peak: int
    type: CurveType | None


@dataclass(frozen=True)
class Curve:
    """The mean signal of some voxels in each phase.

    Args:
        signal: in the order of time, in the units of the images.
        picked: positions of pre, early and late.
        seconds, since_injection: see `Phases`.
        voxels: number of voxels.
    """

    signal: tuple[float, ...]
    picked: tuple[int, int, int]
    seconds: tuple[float, ...] | None
    since_injection: bool
    voxels: int

    @property
    def enhancement(self) -> tuple[float, ...] | None:
        """Return the enhancement of each phase over the pre-contrast one in percent, None without signal before."""
        pre = self.signal[self.picked[0]]
        return tuple(_PERCENT * (value - pre) / pre for value in self.signal) if pre > 0 else None

    @property
    def kinetics(self) -> Kinetics:
        """Return what is read from the curve."""
        pre, early, late = (self.signal[k] for k in self.picked)
        wash_in = _PERCENT * (early - pre) / pre if pre > 0 else None
        wash_out = _PERCENT * (late - early) / early if early > 0 else None
        enhances = max(early, late) > pre
        rise, fall = self._minutes()
        return Kinetics(
            wash_in_percent=wash_in,
            wash_in_per_minute=wash_in / rise if wash_in is not None and rise else None,
            is_bound=not self.since_injection,
            wash_out_percent=wash_out,
            wash_out_per_minute=wash_out / fall if wash_out is not None and fall else None,
            ser=(early - pre) / (late - pre) if late > pre else None,
            peak=int(np.argmax(self.signal)),
            type=type_of(wash_out) if enhances and wash_out is not None else None,
        )

    def _minutes(self) -> tuple[float | None, float | None]:
        """Return the minutes of wash-in and of wash-out, None if unknown or not above 0."""
        if self.seconds is None:
            return None, None
        pre, early, late = (self.seconds[k] for k in self.picked)
        rise = early if self.since_injection else early - pre
        return tuple(span / _MINUTE if span > 0 else None for span in (rise, late - early))  # type: ignore[return-value]


def type_of(wash_out_percent: float) -> CurveType:
    """Return the curve type of a change from the early to the late signal, in percent of the early one."""
    if abs(wash_out_percent) <= _PERCENT * THRESHOLD:
        return CurveType.PLATEAU
    return CurveType.PERSISTENT if wash_out_percent > 0 else CurveType.WASHOUT


def curve_of(phases: Phases, mask: np.ndarray) -> Curve | None:
    """Return the curve of the voxels of a mask, (k, j, i) of the phases' shape; None if it is empty."""
    where = np.nonzero(mask)
    return _curve(phases, where) if len(where[0]) else None


def curve_around(phases: Phases, voxel: tuple[int, int, int], radius: int = 0, plane: int = 0) -> Curve | None:
    """Return the curve of a voxel, or of the square around it; None outside the image.

    Args:
        voxel: index along k, j, i.
        radius: voxels to each side in the plane; 0 for the voxel alone, 1 for 3 x 3.
        plane: axis at right angles to the plane.
    """
    shape = phases.arrays[0].shape
    if not all(0 <= index < size for index, size in zip(voxel, shape, strict=True)):
        return None
    spans = [
        np.arange(max(index - reach, 0), min(index + reach + 1, size))
        for index, size, reach in zip(voxel, shape, (0 if a == plane else radius for a in range(3)), strict=True)
    ]
    return _curve(phases, tuple(axis.ravel() for axis in np.meshgrid(*spans, indexing="ij")))


def _curve(phases: Phases, where: tuple[np.ndarray, ...]) -> Curve:
    signal = tuple(phases.means(where).tolist())
    return Curve(signal, phases.picked, phases.seconds, phases.since_injection, len(where[0]))
