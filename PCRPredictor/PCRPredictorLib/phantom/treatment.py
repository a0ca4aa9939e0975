"""What treatment does to a phantom tumour: how much of it is left at each visit, and how it takes up contrast.

Volumes fall about as in the I-SPY 2 trial (Li et al., npj Breast Cancer 2020), more in responders than in others, with
much overlap: after three weeks to 0.4 and 0.65 of the volume (medians), between the regimens to 0.1 and 0.25, before
surgery to 0.04 and 0.1. By then 65 and 20 % of the tumours are gone. The enhancement of what is left, and that of the
normal tissue, fall as well. The shapes are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..exam import VISITS
from .frame import Frame

Shrinkage = Literal["concentric", "pieces"]
SHRINKAGES: tuple[Shrinkage, ...] = ("concentric", "pieces")
_DAYS = {"T0": (0, 0), "T1": (21, 3), "T2": (84, 6), "T3": (150, 8)}  # mean and spread, never in another order
_LEFT = {"T1": (-0.45, -0.9), "T2": (-1.4, -2.4), "T3": (-2.2, -3.2)}  # mean log of the volume left: others, responders
_GONE = {"T1": (0.0, 0.04), "T2": (0.07, 0.4), "T3": (0.2, 0.65)}  # share of tumours that are gone
_BACKGROUND = {"T1": 0.83, "T2": 0.74, "T3": 0.68}  # of the normal tissue's uptake
_SPREAD, _OF_VISIT = 0.6, 0.3  # of the log volume, between patients and between visits
_LEAST = 0.005  # of the volume
_FADING = 0.25  # log of the enhancement per log of the volume
_MOVED_MM, _TURNED_DEGREES = 4.0, 2.0
_PIECE, _LEAST_PIECE_MM = 0.4, 2.5  # distance of the knots of pieces, of the radius


@dataclass(frozen=True)
class State:
    """A patient's state at a visit.

    Args:
        visit: its name, of `VISITS`.
        day: after the first visit.
        left: share of the tumour's volume that is left, 0 if it is gone.
        fade: factor on the tumour's uptake of contrast agent.
        background: factor on that of normal fibroglandular tissue.
        moved: mm by which the body lies elsewhere than at the first visit, LPS.
        turned: degrees by which it is turned about x, y and z.
    """

    visit: str
    day: int
    left: float = 1.0
    fade: float = 1.0
    background: float = 1.0
    moved: tuple[float, float, float] = (0.0, 0.0, 0.0)
    turned: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Remains:
    """What is left of a tumour.

    Args:
        left: share of its volume, 0 if it is gone.
        fade: factor on its uptake.
        shrinkage: "concentric", or "pieces" that stay behind throughout the former tumour.
        rng: draws the pieces.
    """

    left: float
    fade: float
    shrinkage: Shrinkage
    rng: np.random.Generator

    def recede(self, frame: Frame, distance: np.ndarray, radius: float) -> np.ndarray:
        """Return the signed distance in mm to what is left, (k, j, i), negative inside.

        Args:
            frame: around the tumour.
            distance: signed distance in mm to the tumour before treatment, (k, j, i).
            radius: of the tumour before treatment, mm.
        """
        inside = distance < 0
        if self.left == 1:
            return distance
        if self.shrinkage == "concentric":
            return distance - np.float32(np.quantile(distance[inside], self.left))
        scale = max(_PIECE * radius, _LEAST_PIECE_MM)
        field = frame.field(self.rng, scale)
        return np.maximum(distance, np.float32(scale) * (field - np.quantile(field[inside], self.left)))


def draw_states(rng: np.random.Generator, pcr: int, visits: int) -> tuple[State, ...]:
    """Return a patient's state at the first visits, T0 first.

    Args:
        pcr: 1 for a responder, else 0.
        visits: number of visits, 1 to 4.
    """
    patient, fate = _SPREAD * rng.standard_normal(), rng.random()
    states, left = [State("T0", 0)], 1.0
    for visit in VISITS[1:]:  # all are drawn: the first ones do not depend on the number
        mean, spread = _DAYS[visit]
        day = mean + int(np.clip(np.rint(spread * rng.standard_normal()), -2 * spread, 2 * spread))
        drawn = float(np.exp(_LEFT[visit][pcr] + patient + _OF_VISIT * rng.standard_normal()))
        left = 0.0 if fate < _GONE[visit][pcr] else min(max(drawn, _LEAST), left)
        states.append(
            State(
                visit,
                day,
                left,
                fade=float(max(left, _LEAST) ** _FADING),
                background=_BACKGROUND[visit] * float(np.exp(0.15 * rng.standard_normal())),
                moved=_three(_MOVED_MM * rng.standard_normal(3)),
                turned=_three(_TURNED_DEGREES * rng.standard_normal(3)),
            )
        )
    return tuple(states[:visits])


def _three(values: np.ndarray) -> tuple[float, float, float]:
    x, y, z = (round(float(value), 2) for value in values)
    return x, y, z
