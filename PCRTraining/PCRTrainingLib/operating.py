"""Calibration and operating points, fixed on out-of-fold predictions of the training side. `cross_fitted` is ours."""

from __future__ import annotations

import numpy as np
from PCRPredictorLib.prediction import OperatingPoint
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_curve


def fit_calibration(logit: np.ndarray, label: np.ndarray) -> tuple[float, float]:
    """Platt scaling: (slope, offset) that make sigmoid(slope * logit + offset) a probability.

    Args:
        logit: (N,), out of fold.
        label: (N,), 0 or 1.

    Source: Platt, Advances in Large Margin Classifiers, 1999.
    """
    model = LogisticRegression(C=np.inf).fit(logit[:, None], label)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def choose_operating_points(
    probability: np.ndarray, label: np.ndarray, target: float = 0.9
) -> tuple[OperatingPoint, OperatingPoint, OperatingPoint]:
    """Balanced (highest Youden index), high sensitivity and high specificity (at least `target`).

    Args:
        probability: (N,), out of fold, calibrated.
        label: (N,), 0 or 1.

    Source: Youden, Cancer 1950.
    """
    false_rate, sensitivity, threshold = roc_curve(label, probability, drop_intermediate=False)
    specificity = 1 - false_rate
    chosen = {
        "balanced": int(np.argmax(sensitivity + specificity)),
        "high sensitivity": int(np.argmax(sensitivity >= target)),
        "high specificity": int(np.flatnonzero(specificity >= target)[-1]),
    }
    balanced, sensitive, specific = (
        OperatingPoint(name, float(min(threshold[k], 1.0)), float(sensitivity[k]), float(specificity[k]))
        for name, k in chosen.items()
    )
    return balanced, sensitive, specific


def cross_fitted(logit: np.ndarray, label: np.ndarray, fold: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated probabilities and decisions at the balanced point, each fold's fixed on the other folds.

    With a single fold they are fixed on that fold itself.

    Args:
        logit: (N,), out of fold.
        label: (N,), 0 or 1.
        fold: (N,), which fold each patient was held out in.

    Returns:
        Probability (N,) and decision (N,) of bool.
    """
    probability, decision = np.zeros(len(logit)), np.zeros(len(logit), bool)
    for k in np.unique(fold):
        here, others = fold == k, fold != k
        if len(set(label[others])) < 2:
            others = here
        calibration = fit_calibration(logit[others], label[others])
        threshold = choose_operating_points(calibrate(logit[others], calibration), label[others])[0].threshold
        probability[here] = calibrate(logit[here], calibration)
        decision[here] = probability[here] >= threshold
    return probability, decision


def calibrate(logit: np.ndarray, calibration: tuple[float, float]) -> np.ndarray:
    """Calibrated probabilities, (N,) as the logits: sigmoid(slope * logit + offset). Source: as `fit_calibration`."""
    return expit(calibration[0] * logit + calibration[1])
