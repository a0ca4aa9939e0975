import numpy as np
import pytest
from PCRTrainingLib.operating import auc_interval, choose_operating_points, fit_calibration

RNG = np.random.default_rng(0)
LABEL = (RNG.random(400) < 0.35).astype(int)
LOGIT = 1.5 * LABEL + RNG.normal(size=400) - 1


def test_calibration_makes_the_mean_probability_the_prevalence():
    slope, offset = fit_calibration(5 * LOGIT + 3, LABEL)
    probability = 1 / (1 + np.exp(-(slope * (5 * LOGIT + 3) + offset)))
    assert probability.mean() == pytest.approx(LABEL.mean(), abs=1e-3)


def test_operating_points_reach_what_their_names_say():
    probability = 1 / (1 + np.exp(-LOGIT))
    balanced, sensitive, specific = choose_operating_points(probability, LABEL)
    assert sensitive.sensitivity >= 0.9
    assert specific.specificity >= 0.9
    assert sensitive.threshold < specific.threshold
    decided = probability >= balanced.threshold
    assert decided[LABEL == 1].mean() == pytest.approx(balanced.sensitivity)
    assert 1 - decided[LABEL == 0].mean() == pytest.approx(balanced.specificity)


def test_interval_holds_the_value_and_narrows_with_patients():
    few, many = auc_interval(LOGIT[:60], LABEL[:60]), auc_interval(LOGIT, LABEL)
    assert many["low"] < many["value"] < many["high"]
    assert many["high"] - many["low"] < few["high"] - few["low"]
