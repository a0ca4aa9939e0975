import numpy as np
import pytest
from PCRTrainingLib.operating import choose_operating_points, cross_fitted, fit_calibration

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


def test_probability_of_a_patient_does_not_depend_on_the_own_fold_s_labels():
    fold = np.arange(400) % 4
    flipped = np.where(fold == 0, 1 - LABEL, LABEL)
    first, _ = cross_fitted(LOGIT, LABEL, fold)
    second, _ = cross_fitted(LOGIT, flipped, fold)
    np.testing.assert_allclose(first[fold == 0], second[fold == 0])
    assert np.abs(first[fold != 0] - second[fold != 0]).max() > 0.01
