"""The kinetics of a lesion: its curve, that of its most enhancing part, and the map; in numbers and in words."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from ..exam import Exam, bounding_box
from .chart import draw_chart, line_of
from .curve import Curve, curve_around, curve_of
from .kinetic_map import KineticMap, map_kinetics, through_plane
from .phases import Phases, load_phases
from .words import Translate, describe_curve, describe_shares

LESION_COLOUR, HOT_SPOT_COLOUR, CURSOR_COLOUR = "#4e9de0", "#e5484d", "#f5b642"


@dataclass(frozen=True, eq=False)
class LesionKinetics:
    """The kinetics of a lesion.

    Args:
        phases: in the box around it.
        lesion: curve of the whole mask.
        hot_spot: curve of the 3 x 3 voxels of a slice that enhance most early, around a voxel of the mask.
        map: of its voxels.
    """

    phases: Phases
    lesion: Curve
    hot_spot: Curve
    map: KineticMap

    def chart(self, _: Translate = str, ink: str = "currentColor") -> str:
        """Return both curves as SVG."""
        names = (self.lesion, _("Lesion"), LESION_COLOUR), (self.hot_spot, _("Most enhancing 3 × 3"), HOT_SPOT_COLOUR)
        lines = [line for name in names if (line := line_of(*name)) is not None]
        return draw_chart(self.phases, lines, _, ink)

    def describe(self, _: Translate = str) -> dict[str, str]:
        """Return sentences by what they are about."""
        return {
            _("Curve of the lesion"): describe_curve(self.lesion, _),
            _("Most enhancing 3 × 3 voxels"): describe_curve(self.hot_spot, _),
            _("Curve types"): describe_shares(self.map, _),
        }

    def to_json(self) -> dict[str, object]:
        """Return the block `kinetics` of a prediction's JSON."""
        phases, kinetics = self.phases, self.map
        return {
            "seconds": None if phases.seconds is None else [round(value, 1) for value in phases.seconds],
            "since": None
            if phases.seconds is None
            else "injection"
            if phases.since_injection
            else "pre-contrast phase",
            "pre_early_late": list(phases.picked),
            "lesion": _curve_to_json(self.lesion),
            "most_enhancing": _curve_to_json(self.hot_spot),
            "curve_types": {kind.name.lower(): round(share, 4) for kind, share in kinetics.shares.items()},
            "enhancing_share": round(kinetics.enhancing / kinetics.voxels, 4),
            "undecided_share": round(kinetics.undecided, 4),
            "notices": [{"code": notice.code, "message": notice.message} for notice in phases.notices],
        }


def measure_kinetics(exam: Exam) -> LesionKinetics | None:
    """Return the kinetics of an exam's tumour, None without one; the other phases are read in a box around it."""
    if not exam.has_tumour:
        return None
    mask = np.asarray(exam.mask) != 0
    box = bounding_box(mask)
    return kinetics_in(load_phases(exam, box), exam, mask, box)


def kinetics_in(phases: Phases, exam: Exam, mask: np.ndarray, box: tuple[slice, slice, slice]) -> LesionKinetics | None:
    """Return the kinetics of a lesion, None if it is empty.

    Args:
        phases: in the box, (k, j, i) each.
        mask: (k, j, i) of the exam.
        box: around the mask.
    """
    inside, plane = mask[box], through_plane(exam)
    pre, early = (np.asarray(phases.arrays[k], np.float32) for k in phases.picked[:2])
    best = np.unravel_index(np.argmax(np.where(inside, early - pre, -np.inf)), inside.shape)
    voxel = tuple(int(index) for index in best)
    lesion, hot_spot = curve_of(phases, inside), curve_around(phases, voxel, 1, plane)  # type: ignore[arg-type]
    if lesion is None or hot_spot is None:
        return None
    return LesionKinetics(phases, lesion, hot_spot, map_kinetics(exam, mask))


def _curve_to_json(curve: Curve) -> dict[str, object]:
    found, enhancement = curve.kinetics, curve.enhancement
    numbers = {
        name: _rounded(value) for name, value in asdict(found).items() if name not in ("type", "peak", "is_bound")
    }
    return {
        "voxels": curve.voxels,
        "signal": [_rounded(value) for value in curve.signal],
        "enhancement_percent": None if enhancement is None else [_rounded(value) for value in enhancement],
        **numbers,
        "wash_in_per_minute_is_lower_bound": found.is_bound and found.wash_in_per_minute is not None,
        "peak_phase": found.peak,
        "curve_type": found.type.name.lower() if found.type else None,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
