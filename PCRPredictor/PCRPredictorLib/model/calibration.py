"""From logits to probabilities: one definition for prediction and training."""

from typing import Literal

import numpy as np
from scipy.special import expit, logsumexp

Calibration = tuple[float, float]  # slope and offset
Averaging = Literal["logit", "probability"]


def calibrate(logit: np.ndarray, calibration: Calibration) -> np.ndarray:
    """Return calibrated probabilities, (N,) as the logits: sigmoid(slope * logit + offset).

    Source: Platt, Advances in Large Margin Classifiers, 1999.
    """
    slope, offset = calibration
    return expit(slope * logit + offset)


def average(logits: np.ndarray, calibration: Calibration, averaging: Averaging) -> np.ndarray:
    """Return the probabilities of an ensemble, (N,).

    "logit" averages the calibrated logits of the folds: the probability is then the sigmoid of a sum that can be shown
    term by term. "probability" averages their probabilities, as models before 2.0 do. Source: ours.

    Args:
        logits: (F, N) of F folds, not calibrated.
        calibration: of every fold.
        averaging: of the folds.
    """
    if averaging == "logit":
        return calibrate(np.mean(logits, 0), calibration)
    return calibrate(np.asarray(logits), calibration).mean(0)


def average_logit(logits: np.ndarray, calibration: Calibration, averaging: Averaging) -> np.ndarray:
    """Return the logits of the probabilities of `average`, (N,); finite even if these round to 0 or 1. Source: ours.

    Args:
        logits: (F, N) of F folds, not calibrated.
        calibration: of every fold.
        averaging: of the folds.
    """
    slope, offset = calibration
    calibrated = slope * np.asarray(logits, float) + offset
    if averaging == "logit":
        return calibrated.mean(0)
    # the mean probability over the mean of its opposite, as logarithms
    return logsumexp(-np.logaddexp(0, -calibrated), axis=0) - logsumexp(-np.logaddexp(0, calibrated), axis=0)


def compose(calibration: Calibration, change: Calibration) -> Calibration:
    """Return the calibration whose log-odds are those of `calibration`, then changed by a slope and an offset.

    Source: as `calibrate`.
    """
    (slope, offset), (more, beyond) = calibration, change
    return more * slope, more * offset + beyond
