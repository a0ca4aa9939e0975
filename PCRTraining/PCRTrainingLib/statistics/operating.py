"""Calibration and operating points, fixed on out-of-fold predictions of the training side.

`cross_fitted`, `held_out_parts`, `parts_are_folds` and `describe_parts` are ours.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.prediction import OperatingPoint
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_curve
from sklearn.model_selection import StratifiedKFold

_PARTS = 5  # of patients that are held out together


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


class CrossFitted(NamedTuple):
    """What is said of N patients without their own labels.

    Args:
        probability: (N,), calibrated.
        decision: (N,) of bool, at the balanced point.
        order: (N,), by which they are ranked: the probability, or where the parts are not the folds, sigmoid(logit).
            One network's order needs no calibration, and one for each part would mix it up.
    """

    probability: np.ndarray
    decision: np.ndarray
    order: np.ndarray


def cross_fitted(logit: np.ndarray, label: np.ndarray, fold: np.ndarray) -> CrossFitted:
    """Calibrated probabilities and decisions at the balanced point, each part's fixed on the other parts.

    Args:
        logit: (N,), out of fold.
        label: (N,), 0 or 1.
        fold: (N,), which fold each patient was held out in.

    Raises:
        DataError: see `held_out_parts`.
    """
    probability, decision = np.zeros(len(logit)), np.zeros(len(logit), bool)
    part = held_out_parts(label, fold)
    for k in np.unique(part):
        here, others = part == k, part != k
        calibration = fit_calibration(logit[others], label[others])
        threshold = choose_operating_points(calibrate(logit[others], calibration), label[others])[0].threshold
        probability[here] = calibrate(logit[here], calibration)
        decision[here] = probability[here] >= threshold
    return CrossFitted(probability, decision, probability if parts_are_folds(label, fold) else expit(logit))


def held_out_parts(label: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """The parts, (N,), of which each is calibrated on the others, so that no patient's label decides about itself.

    They are the folds; of patients that were held out together, or whose other folds lack a class, stratified parts.

    Args:
        label: (N,), 0 or 1.
        fold: (N,), which fold each patient was held out in.

    Raises:
        DataError: if a class has fewer than two patients.
    """
    if parts_are_folds(label, fold):
        return fold
    fewest = int(min(label.sum(), (1 - label).sum()))
    if fewest < 2:
        raise DataError(
            f"two patients of each class or more must be held out, got {fewest} of one; hold out more patients"
        )
    splitter = StratifiedKFold(min(_PARTS, fewest), shuffle=True, random_state=0)
    parts = np.zeros(len(label), int)
    for k, (_, here) in enumerate(splitter.split(label, label)):
        parts[here] = k
    return parts


def parts_are_folds(label: np.ndarray, fold: np.ndarray) -> bool:
    """Whether the patients outside of every fold, (N,) both, are with and without pCR."""
    return all(len(set(label[fold != k].tolist())) == 2 for k in np.unique(fold))


def describe_parts(label: np.ndarray, fold: np.ndarray) -> str:
    """What the operating point of `cross_fitted` is called in reports; both (N,)."""
    return "balanced, by fold" if parts_are_folds(label, fold) else "balanced, cross-fitted within the held-out part"


def calibrate(logit: np.ndarray, calibration: tuple[float, float]) -> np.ndarray:
    """Calibrated probabilities, (N,) as the logits: sigmoid(slope * logit + offset). Source: as `fit_calibration`."""
    return expit(calibration[0] * logit + calibration[1])
