"""The rates that a bundle's operating points promise: of patients whose labels did not choose the threshold.

A threshold that is measured on the patients who chose it looks better than it is. So calibration and thresholds are
chosen again without each part of the patients, and the part is decided by them; this is repeated with other parts.

Source: Stone, Cross-validatory choice and assessment of statistical predictions, 1974. Arrays are (N,) of the patients.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from PCRPredictorLib.model.calibration import Calibration, calibrate
from PCRPredictorLib.prediction import OperatingPoint

from .metrics import Interval, finite, wilson
from .operating import fit_points, held_out_parts, parts_are_folds

_REPEATS = 10


def promise(
    logit: np.ndarray, label: np.ndarray, site: np.ndarray | None = None
) -> tuple[Calibration, tuple[OperatingPoint, ...]]:
    """Return calibration and operating points of all patients, the points with cross-fitted rates and intervals.

    The intervals are over patients, Wilson's.

    Args:
        logit: (N,), out of fold.
        label: (N,), 0 or 1.
        site: (N,); each site is then decided by the others. None for random parts.

    Raises:
        DataError: see `operating.held_out_parts`.
    """
    calibration, points = fit_points(logit, label)
    above = decide_by_others(logit, label, site)
    return calibration, tuple(with_rates(point, above[point.name], label) for point in points)


def decide_by_others(logit: np.ndarray, label: np.ndarray, site: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """Return for each operating point how often each patient was above it, (N,) in [0, 1]; arguments as of `promise`.

    Raises:
        DataError: see `operating.held_out_parts`.
    """
    shares: dict[str, list[np.ndarray]] = {}
    for part in _divisions(label, site):
        above: dict[str, np.ndarray] = {}
        for k in np.unique(part):
            here, others = part == k, part != k
            calibration, points = fit_points(logit[others], label[others])
            for point in points:
                decided = above.setdefault(point.name, np.zeros(len(label)))
                decided[here] = calibrate(logit[here], calibration) >= point.threshold
        for name, decided in above.items():
            shares.setdefault(name, []).append(decided)
    return {name: np.mean(found, 0) for name, found in shares.items()}


def _divisions(label: np.ndarray, site: np.ndarray | None) -> Iterator[np.ndarray]:
    """Yield divisions of the patients: the sites once, or random parts several times."""
    if site is not None and parts_are_folds(label, site):
        yield site
        return
    for repeat in range(_REPEATS):
        yield held_out_parts(label, np.zeros(len(label), int), repeat)


def with_rates(point: OperatingPoint, above: np.ndarray, label: np.ndarray) -> OperatingPoint:
    """Return the point with rates, for the share of repeats in which each patient was above it, (N,)."""
    positive = label == 1

    def share(values: np.ndarray, weights: np.ndarray) -> Interval:
        total = float(weights.sum())
        return wilson(float((values * weights).sum()) / total if total > 0 else np.nan, total)

    found = {
        "sensitivity": share(above, 1.0 * positive),
        "specificity": share(1 - above, 1.0 * ~positive),
        "ppv": share(1.0 * positive, above),
        "npv": share(1.0 * ~positive, 1 - above),
    }
    values = {name: finite(interval.value) for name, interval in found.items()}
    bounds = {f"{name}_interval": _bounds(interval) for name, interval in found.items()}
    return replace(point, **values, **bounds, share_above=float(above.mean()), patients=len(label))  # type: ignore[arg-type]


def _bounds(interval: Interval) -> tuple[float, float] | None:
    return (interval.low, interval.high) if np.isfinite(interval.low) and np.isfinite(interval.high) else None
