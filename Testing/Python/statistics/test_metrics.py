import math

import numpy as np
import pytest
from PCRTrainingLib.statistics import metrics
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score, roc_curve

RNG = np.random.default_rng(5)
LABEL = RNG.integers(0, 2, 120)
SCORE = np.round(LABEL + RNG.normal(0, 1.2, 120), 1)  # rounded: with ties


def test_auc_equals_scikit_learns_with_ties():
    assert metrics.auc(SCORE, LABEL) == pytest.approx(roc_auc_score(LABEL, SCORE), abs=1e-12)
    assert math.isnan(metrics.auc(SCORE, np.ones(120, int)))
    assert math.isnan(metrics.auc(SCORE[:0], LABEL[:0]))


def test_rates_of_a_known_table():
    found = metrics.rates(np.array([True, True, False, True, False]), np.array([1, 1, 1, 0, 0]))
    assert (found.sensitivity, found.specificity) == (pytest.approx(2 / 3), 0.5)
    assert found.balanced_accuracy == pytest.approx(7 / 12)
    assert math.isnan(metrics.rates(np.array([True]), np.array([1])).specificity)


def test_sensitivity_at_a_specificity():
    score, label = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4]), np.array([1, 0, 1, 0, 1, 0])
    assert metrics.sensitivity_at(score, label, 1.0) == pytest.approx(1 / 3)
    assert metrics.sensitivity_at(score, label, 2 / 3) == pytest.approx(2 / 3)
    assert metrics.sensitivity_at(np.full(6, 0.5), label, 0.5) == 0  # equal scores go together


@pytest.mark.parametrize("specificity", [0, 0.5, 0.8, 0.95, 1])
def test_sensitivity_is_that_of_scikit_learns_curve_with_ties(specificity):
    false_rate, sensitivity, _ = roc_curve(LABEL, SCORE, drop_intermediate=False)
    expected = sensitivity[1 - false_rate >= specificity - 1e-9].max()
    assert metrics.sensitivity_at(SCORE, LABEL, specificity) == expected


def test_roc_rises_from_0_to_1():
    false_rate, sensitivity = metrics.roc_points(SCORE, LABEL)
    assert (false_rate[0], sensitivity[0], false_rate[-1], sensitivity[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(sensitivity, false_rate) == pytest.approx(metrics.auc(SCORE, LABEL))


def test_brier_is_the_mean_squared_error_of_any_classes():
    probability = 1 / (1 + np.exp(-SCORE))
    assert metrics.brier(probability, LABEL) == pytest.approx(((probability - LABEL) ** 2).mean(), abs=1e-12)
    assert metrics.brier(np.full(4, 0.3), np.ones(4, int)) == pytest.approx(0.49)
    assert metrics.brier(np.full(4, 0.3, np.float32), np.zeros(4, int)) == pytest.approx(
        np.float64(np.float32(0.3)) ** 2
    )
    assert math.isnan(metrics.brier(np.zeros(0), np.zeros(0, int)))


def test_calibration_bins_hold_each_patient_once_and_follow_the_truth():
    probability = RNG.random(5000)
    label = (RNG.random(5000) < probability).astype(int)
    curve = metrics.calibration_curve(probability, label)
    assert len(curve) == 10 and sum(point["patients"] for point in curve) == 5000
    assert all(abs(point["predicted"] - point["observed"]) < 0.07 for point in curve)
    assert len(metrics.calibration_curve(np.full(9, 0.3), np.arange(9) % 2)) == 1


def test_calibration_has_wilsons_interval():
    (half,) = metrics.calibration_curve(np.full(10, 0.3), np.arange(10) % 2)
    (nobody,) = metrics.calibration_curve(np.full(10, 0.3), np.zeros(10, int))
    assert (half["low"], half["high"]) == (pytest.approx(0.2366, abs=1e-4), pytest.approx(0.7634, abs=1e-4))
    assert (nobody["low"], nobody["observed"]) == (0, 0)


@pytest.mark.parametrize(("positives", "patients"), [(0, 8), (3, 3), (16, 16), (7, 20)])
def test_a_proportion_has_wilsons_interval(positives, patients):
    found = metrics.wilson(positives / patients, patients)
    low, high = binomtest(positives, patients).proportion_ci(method="wilson")
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))
    assert math.isnan(metrics.wilson(math.nan, 0).low)


def test_resamples_that_are_all_the_same_are_no_interval():
    found = metrics.bootstrap(lambda _: 1.0, LABEL)
    assert found.to_json() == {"value": 1.0, "low": None, "high": None}


@pytest.mark.parametrize(("patients", "bins"), [(9, 1), (30, 3), (99, 9), (500, 10)])
def test_calibration_bins_have_ten_patients_or_more(patients, bins):
    curve = metrics.calibration_curve(RNG.random(patients), np.arange(patients) % 2)
    assert len(curve) == bins
    assert min(point["patients"] for point in curve) >= min(patients, 10)


def test_bootstrap_interval_has_the_expected_width():
    values = RNG.normal(3, 2, 400)
    interval = metrics.bootstrap(lambda index: values[index].mean(), np.zeros(400, int), resamples=2000)
    assert interval.value == pytest.approx(values.mean())
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * 2 / 20, rel=0.15)


def test_bootstrap_resamples_within_classes_and_is_repeatable():
    share = metrics.bootstrap(lambda index: LABEL[index].mean() + 1e-3 * index[0], LABEL)
    assert share.high - share.low < 0.121  # of the first patient alone: the share with pCR is the same in all
    first, second = (metrics.bootstrap(lambda index: metrics.auc(SCORE[index], LABEL[index]), LABEL) for _ in range(2))
    assert first == second


def test_delong_interval_agrees_with_the_paired_bootstrap():
    other = LABEL + RNG.normal(0, 2.5, 120)
    found = metrics.delong(SCORE, other, LABEL)
    again = metrics.bootstrap(
        lambda i: metrics.auc(SCORE[i], LABEL[i]) - metrics.auc(other[i], LABEL[i]), LABEL, resamples=4000
    )
    assert found.difference == pytest.approx(metrics.auc(SCORE, LABEL) - metrics.auc(other, LABEL))
    assert (found.low, found.high) == (pytest.approx(again.low, abs=0.02), pytest.approx(again.high, abs=0.02))


def test_delong_is_significant_by_chance_in_5_percent_of_trials():
    """Two equally good scores: p is below 0.05 in about 5 % of trials."""
    low = 0
    for _ in range(400):
        label = RNG.permutation(np.arange(80) % 2)
        scores = [label + RNG.normal(0, 1, 80) for _ in range(2)]
        low += metrics.delong(*scores, label).p < 0.05
    assert 0.02 < low / 400 < 0.09


def test_delong_has_no_p_without_variance():
    single = metrics.delong(np.arange(20.0), -np.arange(20.0), np.arange(20) // 19)  # one patient with pCR
    apart = metrics.delong(np.array([1.0, 2, 3, 4]), np.array([4.0, 3, 2, 1]), np.array([0, 0, 1, 1]))
    for found in (single, apart):
        assert found.difference == 1
        assert found.to_json() == {"difference": 1.0, "low": None, "high": None, "p": None}


def test_delong_of_a_score_with_itself_is_no_difference():
    assert metrics.delong(SCORE, SCORE, LABEL).p == 1


def test_matched_sensitivity_lets_as_many_false_alarms_pass_as_the_reference():
    order = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    label = np.array([1, 0, 1, 0, 1, 0])
    for alarms, expected in ((0, 1 / 3), (1, 2 / 3), (2, 1.0), (3, 1.0)):
        reference = (np.cumsum(label == 0) <= alarms) & (label == 0)
        assert metrics.matched_sensitivity(order, reference, label) == pytest.approx(expected)


def test_matched_sensitivity_has_a_threshold_in_each_part_and_skips_parts_without_negatives():
    order = np.array([0.9, 0.8, 0.2, 0.1, 0.5])
    label, part = np.array([1, 0, 1, 0, 1]), np.array([0, 0, 1, 1, 2])
    nobody = np.zeros(5, bool)
    assert metrics.matched_sensitivity(order, nobody, label, part) == 1
    assert metrics.matched_sensitivity(order, nobody, label) == pytest.approx(1 / 3)
    assert math.isnan(metrics.matched_sensitivity(order, nobody, np.ones(5, int)))


def test_bootstrap_of_all_patients_varies_the_share_with_pcr():
    share = metrics.bootstrap(lambda index: LABEL[index].mean(), LABEL, within_class=False)
    assert share.high - share.low == pytest.approx(2 * 1.96 * math.sqrt(0.25 / 120), rel=0.15)


def test_challenge_score_is_lower_if_groups_differ():
    label = np.array([0, 1, 0, 1])
    group = np.array(["a", "a", "b", "b"])
    fair = metrics.challenge_score(label == 1, label, {"age": group})
    unfair = metrics.challenge_score(np.array([False, True, True, True]), label, {"age": group})
    assert fair == 1
    assert unfair == pytest.approx(0.5 * 0.75 + 0.5 * (1 - 1))  # TPR + FPR is 1 in a, 2 in b
    assert math.isnan(metrics.challenge_score(label == 1, label, {"age": np.full(4, "")}))


def test_age_bins():
    ages = (31, 40, 41, 70, 71, math.nan)
    assert [metrics.age_bin(age) for age in ages] == ["up to 40", "up to 40", "41 to 50", "61 to 70", "over 70", ""]
