"""The logistic regressions that a network has to beat."""

import warnings

import numpy as np
import pytest
from PCRTrainingLib.evaluation.baselines import fit_logistic

RNG = np.random.default_rng(0)
FEATURES = RNG.normal(size=(120, 4)) * (1, 10, 100, 1000)
LABEL = (FEATURES[:, 2] / 100 + RNG.normal(size=120) > 0.3).astype(int)


def test_regression_finds_the_informative_feature_in_any_unit():
    model = fit_logistic(FEATURES, LABEL)
    weights = np.abs(model[-1].best_estimator_.coef_[0])
    assert weights.argmax() == 2
    np.testing.assert_allclose(
        fit_logistic(FEATURES * 7, LABEL).decision_function(FEATURES * 7), model.decision_function(FEATURES), rtol=1e-4
    )


def test_penalty_is_strong_for_noise_and_weak_for_a_clear_signal():
    clear = fit_logistic(FEATURES, (FEATURES[:, 2] > 0).astype(int))
    noise = fit_logistic(FEATURES, np.arange(120) % 2)
    assert noise[-1].best_params_["C"] <= 0.01 < 1 <= clear[-1].best_params_["C"]


@pytest.mark.parametrize("positives", [1, 2])
def test_one_or_two_patients_of_a_class_are_fitted_without_a_warning(positives):
    label = (np.arange(120) < positives).astype(int)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(fit_logistic(FEATURES, label).decision_function(FEATURES)).all()
