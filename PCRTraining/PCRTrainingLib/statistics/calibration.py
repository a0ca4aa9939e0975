"""Calibration: do as many patients respond as the probabilities say? Arrays are (N,) of the patients.

Source: Van Calster et al., Journal of Clinical Epidemiology 2016 and BMC Medicine 2019.
"""

import math

import numpy as np
from scipy.special import expit, logit

from .metrics import Estimate

_CLIP = 1e-6  # probabilities of 0 and 1 have no logit
_STEPS = 50
_LARGEST = 1e3  # a coefficient beyond it does not converge: the classes are separated


_UNKNOWN = Estimate(math.nan, math.nan)


def calibration_slope(probability: np.ndarray, label: np.ndarray) -> Estimate:
    """Return the slope b of the logistic recalibration logit P(pCR) = a + b logit(p).

    1 is right, under 1 the probabilities are too extreme, over 1 they are too moderate, and 0 tells nothing.
    """
    return _recalibrate(probability, label)[1]


def calibration_intercept(probability: np.ndarray, label: np.ndarray) -> Estimate:
    """Return the intercept a of the logistic recalibration; 0 is right if the slope is 1."""
    return _recalibrate(probability, label)[0]


def calibration_in_the_large(probability: np.ndarray, label: np.ndarray) -> Estimate:
    """Return a of logit P(pCR) = a + logit(p): under 0, the probabilities are too high on average."""
    given = logit(np.clip(probability, _CLIP, 1 - _CLIP))
    coefficients, covariance = _fit(np.ones((len(label), 1)), given, label)
    return _UNKNOWN if covariance is None else Estimate(float(coefficients[0]), float(covariance[0, 0]))


def integrated_calibration_index(probability: np.ndarray, label: np.ndarray) -> float:
    """Return the mean absolute difference of the probability and its logistic recalibration; 0 is right.

    Source: Austin and Steyerberg, Statistics in Medicine 2019, with a logistic instead of a smoothed curve, which few
    patients would bend.
    """
    intercept, slope = _recalibrate(probability, label)
    given = logit(np.clip(probability, _CLIP, 1 - _CLIP))
    return float(np.abs(expit(intercept.value + slope.value * given) - probability).mean())


def _recalibrate(probability: np.ndarray, label: np.ndarray) -> tuple[Estimate, Estimate]:
    """Return intercept and slope."""
    given = logit(np.clip(probability, _CLIP, 1 - _CLIP))
    features = np.stack([np.ones(len(label)), given], 1)
    coefficients, covariance = _fit(features, np.zeros(len(label)), label)
    if covariance is None:
        return _UNKNOWN, _UNKNOWN
    intercept, slope = (Estimate(float(coefficients[k]), float(covariance[k, k])) for k in (0, 1))
    return intercept, slope


def _fit(features: np.ndarray, given: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Fit a logistic regression without penalty by Newton's method; the covariance is None if there is no solution.

    Args:
        features: (N, n).
        given: (N,), a part of the logit that is not fitted.
    """
    coefficients = np.zeros(features.shape[1])
    if len(set(label.tolist())) < 2:
        return coefficients, None
    for _ in range(_STEPS):
        expected = expit(given + features @ coefficients)
        information = features.T @ (features * (expected * (1 - expected))[:, None])
        if not np.linalg.cond(information) < 1e12:
            return coefficients, None
        step = np.linalg.solve(information, features.T @ (label - expected))
        coefficients = coefficients + step
        if np.abs(coefficients).max() > _LARGEST:
            return coefficients, None
        if np.abs(step).max() < 1e-9:
            return coefficients, np.linalg.inv(information)
    return coefficients, None
