"""Adapt probabilities and operating points of a model to a number of patients, as far as the number allows.

Arrays are (N,) of the patients; log-odds are (F, N) of F folds. The least numbers are ours, after Steyerberg, 2019.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PCRPredictorLib.formatting import count
from PCRPredictorLib.prediction import OperatingPoint

from .adapted_points import adapt_points, decide_adapted
from .recalibration import FORMS, Change, CrossFitted, choose_form, cross_fit, fit_change, recalibrated

LEAST, LEAST_FOR_SLOPE = 20, 30  # patients
LEAST_OF_A_CLASS, LEAST_OF_A_CLASS_FOR_SLOPE = 3, 5


@dataclass(frozen=True, eq=False)
class Adaptation:
    """What recalibration found on N patients.

    Args:
        form: see `recalibration.FORMS`.
        change: slope and offset on the model's calibrated log-odds.
        points: with the new thresholds.
        above: name of a point to how often each patient is above it, (N,) in [0, 1], cross-fitted.
        fitted: cross-fitted probabilities.
        limited: why fewer forms were tried, as a sentence; "" if all were.
    """

    form: str
    change: Change
    points: tuple[OperatingPoint, ...]
    above: dict[str, np.ndarray]
    fitted: CrossFitted
    limited: str = ""


def possible_forms(label: np.ndarray) -> tuple[tuple[str, ...], str]:
    """Return the forms that so many patients, (N,), allow, and why not more, as a sentence."""
    fewest = int(min(label.sum(), (1 - label).sum()))
    if len(label) >= LEAST_FOR_SLOPE and fewest >= LEAST_OF_A_CLASS_FOR_SLOPE:
        return FORMS, ""
    return FORMS[:2], (
        f"{count(len(label), 'patient')}, {fewest} of the rarer kind, are too few for a slope: an offset alone was "
        f"tried; a slope needs {LEAST_FOR_SLOPE} patients, {LEAST_OF_A_CLASS_FOR_SLOPE} of each kind."
    )


def adapt(
    log_odds: np.ndarray, label: np.ndarray, points: Sequence[OperatingPoint], how: str, repeats: int = 10
) -> Adaptation:
    """Choose form, change and operating points, and cross-fit what they do.

    Args:
        log_odds: (F, N), of the model, calibrated as it is.
        label: (N,), 0 or 1.
        points: of the model.
        how: see `adapted_points.adapt_points`.
        repeats: of the cross-fitting.

    Raises:
        DataError: if a point promises nothing to keep.
    """
    forms, limited = possible_forms(label)
    form = choose_form(log_odds, label, forms)
    change = fit_change(form, log_odds, label)
    chosen = adapt_points(points, recalibrated(log_odds, change), label, how)
    fitted = cross_fit(log_odds, label, forms, repeats)
    return Adaptation(form, change, chosen, decide_adapted(points, log_odds, label, fitted, how), fitted, limited)
