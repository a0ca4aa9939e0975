"""From logits to probabilities: one definition for prediction and training."""

import numpy as np
from scipy.special import expit

Calibration = tuple[float, float]  # slope and offset


def calibrate(logit: np.ndarray, calibration: Calibration) -> np.ndarray:
    """Return calibrated probabilities, (N,) as the logits: sigmoid(slope * logit + offset).

    Source: Platt, Advances in Large Margin Classifiers, 1999.
    """
    slope, offset = calibration
    return expit(slope * logit + offset)
