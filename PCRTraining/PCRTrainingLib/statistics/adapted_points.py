"""Operating points on the patients of another hospital: each keeps what it promises, or all are chosen anew.

Arrays are (N,) of the patients, labels 0 or 1. The methods are ours.
"""

import math
from collections.abc import Sequence

import numpy as np
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.prediction import OperatingPoint

from .operating import choose_operating_points
from .recalibration import CrossFitted, recalibrated

PROMISED, RECHOSEN = "promised", "rechosen"


def adapt_points(
    points: Sequence[OperatingPoint], probability: np.ndarray, label: np.ndarray, how: str
) -> tuple[OperatingPoint, ...]:
    """Return points whose thresholds are chosen on these patients; their rates are those of the same patients.

    Args:
        points: of the model as it is.
        how: `PROMISED`: a point keeps the higher of the rates that it promises, its sensitivity or its specificity;
            `RECHOSEN`: as training chooses them.

    Raises:
        DataError: if a point promises nothing.
    """
    if how == RECHOSEN:
        return choose_operating_points(probability, label)
    return tuple(_keep(point, probability, label) for point in points)


def describe_kept(point: OperatingPoint) -> str:
    """Return which rate a point keeps, in words.

    Raises:
        DataError: if it promises nothing.
    """
    kept, rate = _promise(point)
    return f"{point.name}: {kept} {100 * rate:.0f} %"


def decide_adapted(
    points: Sequence[OperatingPoint], log_odds: np.ndarray, label: np.ndarray, fitted: CrossFitted, how: str
) -> dict[str, np.ndarray]:
    """Return how often each patient is above each adapted point, (N,) in [0, 1], if the others chose change and point.

    Args:
        log_odds: (F, N) as of `recalibration`.
        fitted: of the same patients.

    Raises:
        DataError: see `adapt_points`.
    """
    above: dict[str, np.ndarray] = {}
    for (repeat, k), change in fitted.changes.items():
        here = fitted.parts[repeat] == k
        chosen = adapt_points(points, recalibrated(log_odds[:, ~here], change), label[~here], how)
        for point in chosen:
            times = above.setdefault(point.name, np.zeros(len(label)))
            times[here] += (fitted.after[repeat][here] >= point.threshold) / len(fitted.after)
    return above


def _promise(point: OperatingPoint) -> tuple[str, float]:
    """Return which rate a point keeps, and its value."""
    rates = {"sensitivity": point.sensitivity, "specificity": point.specificity}
    known = {name: rate for name, rate in rates.items() if rate is not None}
    if not known:
        raise DataError(
            f"the operating point {point.name!r} of this model promises neither sensitivity nor specificity; choose "
            "its points anew with --points rechosen"
        )
    kept = max(known, key=lambda name: known[name])
    return kept, known[kept]


def _keep(point: OperatingPoint, probability: np.ndarray, label: np.ndarray) -> OperatingPoint:
    kept, rate = _promise(point)
    if kept == "sensitivity":
        ranked = np.sort(probability[label == 1])[::-1]
        lowest = ranked[_needed(rate, len(ranked)) - 1]  # that must be at or above the threshold
        below = probability[probability < lowest]
        threshold = (lowest + below.max()) / 2 if len(below) else lowest
    else:
        ranked = np.sort(probability[label == 0])
        highest = ranked[_needed(rate, len(ranked)) - 1]  # that must be below it
        above = probability[probability > highest]
        threshold = (highest + above.min()) / 2 if len(above) else min(np.nextafter(highest, 2), 1.0)
    decided = probability >= threshold
    return OperatingPoint(
        point.name, float(threshold), float(decided[label == 1].mean()), float(1 - decided[label == 0].mean())
    )


def _needed(rate: float, of: int) -> int:
    """Return how many patients make at least a rate, and at least one."""
    return min(max(math.ceil(rate * of - 1e-9), 1), of)
