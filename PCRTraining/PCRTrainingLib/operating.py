"""Calibration and operating points, fixed on out-of-fold predictions of the training side."""

from __future__ import annotations

import numpy as np
from PCRPredictorLib.prediction import OperatingPoint
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score, roc_curve


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


def auc_interval(score: np.ndarray, label: np.ndarray, *, resamples: int = 1000, seed: int = 0) -> dict[str, float]:
    """AUC with a 95 % bootstrap interval over patients: {"value", "low", "high"}."""
    generator = np.random.default_rng(seed)
    drawn = generator.integers(0, len(label), (resamples, len(label)))
    values = [roc_auc_score(label[index], score[index]) for index in drawn if 0 < label[index].sum() < len(label)]
    low, high = np.percentile(values, [2.5, 97.5])
    return {"value": float(roc_auc_score(label, score)), "low": float(low), "high": float(high)}
