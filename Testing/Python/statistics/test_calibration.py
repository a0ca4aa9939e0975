"""Calibration of probabilities."""

import math

import numpy as np
import pytest
from PCRTrainingLib.statistics.calibration import (
    calibration_in_the_large,
    calibration_intercept,
    calibration_slope,
    integrated_calibration_index,
)
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

RNG = np.random.default_rng(2)
TRUTH = expit(RNG.normal(-0.8, 1.2, 20000))
LABEL = (RNG.random(20000) < TRUTH).astype(int)
TOO_EXTREME = expit(2 * logit(TRUTH) + 0.6)  # so slope 1/2 and intercept -0.3 make it right


def test_true_probabilities_have_slope_1_and_intercept_0():
    assert calibration_slope(TRUTH, LABEL).value == pytest.approx(1, abs=0.06)
    assert calibration_intercept(TRUTH, LABEL).value == pytest.approx(0, abs=0.06)
    assert calibration_in_the_large(TRUTH, LABEL).value == pytest.approx(0, abs=0.04)
    assert integrated_calibration_index(TRUTH, LABEL) < 0.01


def test_slope_and_intercept_are_what_makes_them_right():
    assert calibration_slope(TOO_EXTREME, LABEL).value == pytest.approx(0.5, abs=0.03)
    assert calibration_intercept(TOO_EXTREME, LABEL).value == pytest.approx(-0.3, abs=0.05)
    assert integrated_calibration_index(TOO_EXTREME, LABEL) == pytest.approx(
        np.abs(TOO_EXTREME - TRUTH).mean(), abs=0.01
    )


def test_probabilities_that_are_too_high_are_so_in_the_large():
    assert calibration_in_the_large(expit(logit(TRUTH) + 0.7), LABEL).value == pytest.approx(-0.7, abs=0.05)


def test_coefficients_are_scikit_learns():
    given = logit(TOO_EXTREME[:200])[:, None]
    fitted = LogisticRegression(C=np.inf, tol=1e-8).fit(given, LABEL[:200])
    assert calibration_slope(TOO_EXTREME[:200], LABEL[:200]).value == pytest.approx(fitted.coef_[0, 0], abs=1e-4)
    assert calibration_intercept(TOO_EXTREME[:200], LABEL[:200]).value == pytest.approx(fitted.intercept_[0], abs=1e-4)


def test_interval_covers_the_truth_in_95_percent_of_cohorts():
    parts = [slice(k, k + 100) for k in range(0, 20000, 100)]
    found = [calibration_slope(TRUTH[part], LABEL[part]).interval for part in parts]
    assert 0.9 < np.mean([interval.low <= 1 <= interval.high for interval in found]) < 0.99


@pytest.mark.parametrize(
    ("probability", "label"),
    [([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1]), ([0.3] * 4, [0, 1, 0, 1]), ([0.1, 0.2, 0.4, 0.9], [0, 0, 0, 0])],
)
def test_separated_classes_equal_probabilities_and_one_class_have_no_slope(probability, label):
    found = calibration_slope(np.array(probability), np.array(label))
    assert math.isnan(found.value) and math.isnan(found.interval.low)


def test_certain_probabilities_can_be_used():
    probability = np.where(TRUTH[:500] > 0.9, 1.0, np.where(TRUTH[:500] < 0.1, 0.0, TRUTH[:500]))
    assert 0 < calibration_slope(probability, LABEL[:500]).value < 1
