"""The logistic regressions that a network has to beat."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from PCRTrainingLib.config import read_config
from PCRTrainingLib.evaluation.baselines import BASELINES, baseline_outcomes, fit_logistic, read_features
from PCRTrainingLib.runs.preparation import prepare
from support.training_cohort import quiet_job

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


def test_baselines_have_the_rows_of_patients_without_images(training_cohort, quick_config, tmp_path):
    config = read_config(quick_config)
    table = tmp_path / "more.csv"
    rows = [f"R{k},{k % 2},{40 + k},{5 + k},{k % 2}" for k in range(12)] + ["P0,0,40,3,0", "N1,1,,,"]
    table.write_text("patient_id,pcr,age,tumour_volume_ml,hr\n" + "\n".join(rows))
    data = prepare(quiet_job(training_cohort, tmp_path / "run"), config, [str(table)]).data
    found = {baseline.name: read_features(baseline, data) for baseline in BASELINES}
    assert {name: len(features.more[1]) for name, features in found.items()} == dict.fromkeys(found, 12)
    kinetics, volume = found["kinetics"], found["clinical + volume"]
    assert not kinetics.more[0][:, 2:].any()
    assert [variable.name for variable in volume.schema.variables] == ["age", "hr", "her2", "log_whole_volume"]
    elsewhere = replace(data, rows=[row._replace(site="elsewhere") for row in data.rows])
    *_, weights = read_features(BASELINES[0], elsewhere).of_fold(elsewhere, 0)
    assert weights.mean() == pytest.approx(1, abs=1e-6)
    assert len(set(weights.round(6).tolist())) == 2  # cohort and table are two sites of different size
    assert baseline_outcomes(BASELINES[1], data, [])[0].logit.shape == (16,)
