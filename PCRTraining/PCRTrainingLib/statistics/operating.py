"""Calibration and operating points, fixed on out-of-fold predictions of the training side.

`cross_fitted`, `held_out_parts`, `parts_are_folds`, `fit_points` and `at_point` are ours.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.calibration import Calibration, calibrate
from PCRPredictorLib.prediction import OperatingPoint
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_curve
from sklearn.model_selection import StratifiedKFold

from .outcome import Outcome

_PARTS = 5  # of patients that are held out together


def fit_calibration(logit: np.ndarray, label: np.ndarray) -> Calibration:
    """Return the Platt scaling that makes probabilities of logits, see `calibrate`.

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
    """Return the points balanced (highest Youden index), high sensitivity and high specificity (at least `target`).

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


def fit_points(logit: np.ndarray, label: np.ndarray) -> tuple[Calibration, tuple[OperatingPoint, ...]]:
    """Return calibration and operating points of the same patients, (N,) both; arguments as of `fit_calibration`."""
    calibration = fit_calibration(logit, label)
    return calibration, choose_operating_points(calibrate(logit, calibration), label)


def at_point(name: str, logits: Sequence[np.ndarray], calibration: Calibration, point: OperatingPoint) -> Outcome:
    """Return the outcome of an ensemble: the mean of its calibrated probabilities, decided at one point.

    Args:
        logits: (N,) of each member.
    """
    probability = np.mean([calibrate(logit, calibration) for logit in logits], 0)
    decision = probability >= point.threshold
    return Outcome(name, np.mean(logits, 0), probability, decision, probability, point.name, point.threshold)


def cross_fitted(name: str, logit: np.ndarray, label: np.ndarray, fold: np.ndarray) -> Outcome:
    """Return the out-of-fold outcome of a model: each part's calibration and balanced point are fixed on the others.

    Patients are ranked by the probability, or by the logit if the parts are not the folds: the order of one network
    needs no calibration, and a calibration per part would mix it up.

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
        calibration, (balanced, *_) = fit_points(logit[others], label[others])
        probability[here] = calibrate(logit[here], calibration)
        decision[here] = probability[here] >= balanced.threshold
    if parts_are_folds(label, fold):
        return Outcome(name, logit, probability, decision, probability, "balanced, by fold")
    return Outcome(name, logit, probability, decision, expit(logit), "balanced, cross-fitted within the held-out part")


def held_out_parts(label: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Return the parts, (N,). Each is calibrated on the others, and no label decides about its own patient.

    They are the folds. If patients were held out together, or the other folds lack a class, they are stratified parts.

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
    """Return whether both classes are present outside every fold; arrays are (N,)."""
    return all(len(set(label[fold != k].tolist())) == 2 for k in np.unique(fold))
