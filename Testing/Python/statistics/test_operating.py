import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRTrainingLib.statistics.metrics import auc
from PCRTrainingLib.statistics.operating import choose_operating_points, cross_fitted, fit_calibration

RNG = np.random.default_rng(0)
LABEL = (RNG.random(400) < 0.35).astype(int)
LOGIT = 1.5 * LABEL + RNG.normal(size=400) - 1


def test_calibration_makes_the_mean_probability_the_prevalence():
    slope, offset = fit_calibration(5 * LOGIT + 3, LABEL)
    probability = 1 / (1 + np.exp(-(slope * (5 * LOGIT + 3) + offset)))
    assert probability.mean() == pytest.approx(LABEL.mean(), abs=1e-3)


def test_operating_points_reach_the_rates_in_their_names():
    probability = 1 / (1 + np.exp(-LOGIT))
    balanced, sensitive, specific = choose_operating_points(probability, LABEL)
    assert sensitive.sensitivity >= 0.9
    assert specific.specificity >= 0.9
    assert sensitive.threshold < specific.threshold
    decided = probability >= balanced.threshold
    assert decided[LABEL == 1].mean() == pytest.approx(balanced.sensitivity)
    assert 1 - decided[LABEL == 0].mean() == pytest.approx(balanced.specificity)


def test_probability_and_decision_do_not_depend_on_labels_of_the_same_fold():
    fold = np.arange(400) % 4
    flipped = np.where(fold == 0, 1 - LABEL, LABEL)
    first, second = (cross_fitted("m", LOGIT, label, fold) for label in (LABEL, flipped))
    np.testing.assert_allclose(first.probability[fold == 0], second.probability[fold == 0])
    assert (first.decision == second.decision)[fold == 0].all()
    assert np.abs(first.probability[fold != 0] - second.probability[fold != 0]).max() > 0.01


def test_decision_uses_the_balanced_point_of_the_other_folds():
    fold = np.arange(400) % 2
    found = cross_fitted("m", LOGIT, LABEL, fold)
    slope, offset = fit_calibration(LOGIT[fold == 1], LABEL[fold == 1])
    other = 1 / (1 + np.exp(-(slope * LOGIT + offset)))
    point = choose_operating_points(other[fold == 1], LABEL[fold == 1])[0]
    np.testing.assert_allclose(found.probability[fold == 0], other[fold == 0])
    np.testing.assert_array_equal(found.order, found.probability)
    assert (found.decision == (other >= point.threshold))[fold == 0].all()


def test_noise_in_a_part_held_out_once_is_at_chance_level():
    found = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        label, logit = (np.arange(40) % 3 == 0).astype(int), rng.normal(size=40)
        decision = cross_fitted("m", logit, label, np.zeros(40, int)).decision
        found.append((decision[label == 1].mean() + 1 - decision[label == 0].mean()) / 2)
    assert np.mean(found) < 0.53  # 0.59 if the threshold is fixed on the same patients


def test_patients_held_out_together_keep_the_order_of_their_logits():
    rng = np.random.default_rng(3)
    label, logit = np.arange(60) % 2, rng.normal(size=60)
    found = cross_fitted("m", logit, label, np.zeros(60, int))
    assert auc(found.order, label) == auc(logit, label)
    assert auc(found.probability, label) < auc(logit, label)  # offsets that lean away from each part's labels


def test_folds_of_one_class_each_are_divided_again_and_a_single_patient_is_refused():
    apart = LABEL  # fold 0 without pCR, fold 1 with
    found = cross_fitted("m", LOGIT, LABEL, apart)
    assert found.probability.mean() == pytest.approx(LABEL.mean(), abs=0.02)
    assert found.point == "balanced, cross-fitted within the held-out part"
    assert cross_fitted("m", LOGIT, LABEL, np.arange(400) % 4).point == "balanced, by fold"
    with pytest.raises(DataError, match="two patients of each class or more must be held out, got 1"):
        cross_fitted("m", LOGIT[:5], np.array([1, 0, 0, 0, 0]), np.zeros(5, int))
