"""Curve types I, II and III: what the signal does after the early phase.

Sources: Kuhl et al., Radiology 1999;211:101 (types I to III); ACR BI-RADS Atlas, 5th edition, MRI (2013): persistent
if the signal rises by more than 10 % after the initial phase, washout if it falls by more than 10 %, else plateau.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

THRESHOLD = 0.10  # share of the early signal


class CurveType(IntEnum):
    """A curve type; the values are those of the voxels of a kinetic map, in which 0 is no type."""

    PERSISTENT = 1
    PLATEAU = 2
    WASHOUT = 3

    @property
    def numeral(self) -> str:
        """Return "I", "II" or "III"."""
        return "I" * self.value


def relative_change(early: np.ndarray, late: np.ndarray) -> np.ndarray:
    """Return (late - early) / early, 0.1 for +10 %, float32 of the same shape; 0 without early signal."""
    before = np.asarray(early, np.float32)
    change = np.asarray(late, np.float32) - before
    return np.divide(change, before, out=np.zeros_like(change), where=before > 0)


def curve_types(change: np.ndarray) -> np.ndarray:
    """Return the `CurveType` of each relative change, uint8 of the same shape."""
    types = np.full(np.shape(change), CurveType.PLATEAU, np.uint8)
    types[np.asarray(change) > THRESHOLD] = CurveType.PERSISTENT
    types[np.asarray(change) < -THRESHOLD] = CurveType.WASHOUT
    return types
