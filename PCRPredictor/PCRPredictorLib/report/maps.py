"""What can be shown in colour over a phase: attention, evidence, early enhancement, curve types, SER.

One definition for all pictures.

Maps are (k, j, i) on the exam's lattice. `attention` and `early enhancement` have the same colours, from faint to
strong, so that everybody can compare them; `evidence` has two colours, towards and against response, on one scale that
is the same to both sides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..curves.kinetic_map import KineticMap, map_kinetics
from ..curves.types import CurveType
from ..curves.words import name_type
from ..enhancement import enhancement_map
from ..exam import Exam, bounding_box
from ..prediction import Prediction
from .display import ATTENTION_RGB, FAINT

OverlayKind = Literal["attention", "evidence", "enhancement", "curve_type", "ser"]
KINETIC: tuple[OverlayKind, ...] = ("curve_type", "ser")  # of the exam and its tumour; they need no prediction
OVERLAYS: tuple[OverlayKind, ...] = ("attention", "evidence", "enhancement")
# Orange (against) over dark grey to blue (towards response): distinct with any colour vision, and bright on both sides.
EVIDENCE_RGB = (
    (1.00, 0.66, 0.10),
    (0.90, 0.45, 0.02),
    (0.62, 0.28, 0.03),
    (0.20, 0.20, 0.22),
    (0.03, 0.28, 0.66),
    (0.05, 0.46, 0.92),
    (0.25, 0.70, 1.00),
)
# Persistent, plateau, washout: blue, yellow and red, as readers know them; what is too close to call is grey.
TYPE_RGB = ((0.20, 0.50, 0.95), (0.98, 0.80, 0.15), (0.90, 0.15, 0.15), (0.55, 0.55, 0.58))
# From blue (the signal goes on rising) over yellow (1: plateau) to red (washout).
SER_RGB = ((0.20, 0.35, 0.90), (0.25, 0.70, 0.85), (0.98, 0.80, 0.15), (0.95, 0.45, 0.10), (0.80, 0.05, 0.10))
_SER_END = 2.0
_LEAST_TOTAL = 0.4  # log-odds of a whole tumour in the full colour, about 10 points: a map that adds less looks faint
_STEPS = np.array([1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10])
_PERCENT = 100.0
_ANY = 1e-3  # of a kinetic map, which is 0 where it has no value


@dataclass(frozen=True, eq=False)
class MapOverlay:
    """A map and how it is shown.

    Args:
        kind: of the map.
        values: (k, j, i) float32, in `unit`.
        low, high: values that get the first and last colour; -high and high if the map has two signs.
        unit: of the values, "" for a share of the peak.
        names: of classes, if the values are numbers of classes from 1; then each has one colour.
    """

    kind: OverlayKind
    values: np.ndarray
    low: float
    high: float
    unit: str
    names: tuple[str, ...] = ()

    @property
    def is_kinetic(self) -> bool:
        """Return True if the map is one of `KINETIC`: shown wherever it is not 0, whatever is hidden of the others."""
        return self.kind in KINETIC

    @property
    def is_signed(self) -> bool:
        """Return True if the map has two signs and no colour at 0."""
        return self.low < 0

    @property
    def colours(self) -> tuple[tuple[float, float, float], ...]:
        """Return the colours from `low` to `high`, evenly spaced."""
        own = {"curve_type": TYPE_RGB, "ser": SER_RGB}.get(self.kind)
        return own or (EVIDENCE_RGB if self.is_signed else ATTENTION_RGB)

    @property
    def faint(self) -> float:
        """Return the size below which a value has no colour."""
        return _ANY if self.is_kinetic else FAINT * self.high

    def share(self, values: np.ndarray) -> np.ndarray:
        """Return the size of values of any shape as a share of the scale's end, in [0, 1]."""
        return np.clip(np.abs(values) / self.high, 0, 1)


def colour_table(overlay: MapOverlay, count: int = 255) -> np.ndarray:
    """Return colours and opacity from `low` to `high`, (N, 4) in [0, 1]; what is faint is transparent.

    Args:
        count: N, odd, so that a signed map has 0 in the middle.
    """
    levels, anchors = np.linspace(0, 1, count), np.linspace(0, 1, len(overlay.colours))
    rgb = [np.interp(levels, anchors, channel) for channel in zip(*overlay.colours, strict=True)]
    values = overlay.low + levels * (overlay.high - overlay.low)
    return np.stack([*rgb, (np.abs(values) >= overlay.faint).astype(float)], -1)


def make_overlay(kind: OverlayKind, exam: Exam, prediction: Prediction) -> MapOverlay | None:
    """Return a map as it is shown, None if the prediction does not have it.

    Early enhancement is shown where the model looked, as the other maps are; kinetic maps are those of the tumour.

    Args:
        exam: of the prediction.
    """
    if kind in KINETIC:
        return kinetic_overlay(kind, map_kinetics(exam, np.asarray(exam.mask)))
    return _MAKERS[kind](exam, prediction)


def kinetic_overlay(kind: str, kinetics: KineticMap, _: Callable[[str], str] = str) -> MapOverlay:
    """Return the map of curve types or of SER.

    Args:
        kind: one of `KINETIC`.
    """
    if kind == "ser":
        return MapOverlay("ser", kinetics.ser, 0.0, _SER_END, "")
    names = (*(name_type(each, _) for each in CurveType), _("too close to call"))
    return MapOverlay("curve_type", kinetics.types.astype(np.float32), 0.5, len(names) + 0.5, "", names)


def _attention(exam: Exam, prediction: Prediction) -> MapOverlay:
    return MapOverlay("attention", prediction.attention, 0.0, 1.0, "")


def _evidence(exam: Exam, prediction: Prediction) -> MapOverlay | None:
    if prediction.evidence_map is None:
        return None
    density = prediction.evidence_map * np.float32(1000 / exam.geometry.voxel_volume)
    end = _round_up(max(float(np.abs(density).max()), _LEAST_TOTAL / prediction.tumour.volume_ml))
    return MapOverlay("evidence", density, -end, end, "log-odds per ml")


def _enhancement(exam: Exam, prediction: Prediction) -> MapOverlay:
    seen = prediction.attention > 0
    region = bounding_box(seen) if seen.any() else (slice(None),) * 3
    found = enhancement_map(exam.pre, exam.early, region)
    found *= _PERCENT
    end = _round_up(max(float(np.percentile(found[region], 99.5)), 1.0))
    return MapOverlay("enhancement", found, 0.0, end, "%")


_MAKERS: dict[str, Callable[[Exam, Prediction], MapOverlay | None]] = {
    "attention": _attention,
    "evidence": _evidence,
    "enhancement": _enhancement,
}


def _round_up(value: float) -> float:
    """Return the next number of one or two digits, for the end of a scale."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(_STEPS[np.searchsorted(_STEPS, value / power - 1e-6)] * power)
