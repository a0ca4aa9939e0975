"""The mean of several seeds."""

import numpy as np
import pytest
from PCRTrainingLib.statistics.calibration import calibration_slope
from PCRTrainingLib.statistics.metrics import rates
from PCRTrainingLib.statistics.operating import at_point, cross_fitted, fit_points
from PCRTrainingLib.statistics.seeds import mean_elsewhere, mean_out_of_fold

RNG = np.random.default_rng(1)
LABEL = (RNG.random(240) < 0.35).astype(int)


def seeds(count, label=LABEL, *, folds=None, scale=1.0):
    found = []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        logit = scale * (LABEL + rng.normal(size=240))
        found.append(cross_fitted("m", logit, label, rng.permutation(240) % 5 if folds is None else folds))
    return found


def test_two_seeds_need_not_agree():
    found = seeds(2)
    mean = mean_out_of_fold(found, LABEL)
    both = found[0].decision & found[1].decision
    assert (mean.decision & ~both).any()
    decided = rates(mean.decision, LABEL)
    voted = rates(both, LABEL)
    assert decided.sensitivity > voted.sensitivity
    assert decided.balanced_accuracy > voted.balanced_accuracy


def test_two_equal_seeds_decide_as_one():
    one = seeds(1, folds=np.arange(240) % 5)
    twice = mean_out_of_fold(one * 2, LABEL)
    np.testing.assert_array_equal(twice.decision, one[0].decision)
    np.testing.assert_allclose(twice.probability, one[0].probability, atol=1e-3)


def test_own_label_decides_nothing():
    part = mean_out_of_fold(seeds(3), LABEL).part
    for k in np.unique(part):
        flipped = np.where(part == k, 1 - LABEL, LABEL)
        changed = mean_out_of_fold(seeds(3), flipped)
        if not np.array_equal(changed.part, part):
            continue  # parts are stratified by label
        before = mean_out_of_fold(seeds(3), LABEL)
        np.testing.assert_array_equal(before.decision[part == k], changed.decision[part == k])


def test_own_label_decides_nothing_if_the_folds_are_sites():
    site = np.arange(240) % 3
    flipped = np.where(site == 1, 1 - LABEL, LABEL)
    before, after = (mean_out_of_fold(seeds(3, label, folds=site), label) for label in (LABEL, flipped))
    np.testing.assert_array_equal(before.part, site)
    np.testing.assert_array_equal(before.decision[site == 1], after.decision[site == 1])
    np.testing.assert_allclose(before.probability[site == 1], after.probability[site == 1])
    assert (before.probability != after.probability)[site != 1].any()


def test_one_seed_is_itself():
    (one,) = seeds(1)
    assert mean_out_of_fold([one], LABEL) is one


@pytest.mark.parametrize("count", [2, 3])
def test_mean_elsewhere_is_decided_at_the_point_of_the_mean_out_of_fold(count):
    inside = seeds(count)
    found = []
    for seed in range(count):
        calibration, (balanced, *_) = fit_points(inside[seed].logit, LABEL)
        rng = np.random.default_rng(100 + seed)
        found.append(at_point("m", [LABEL + rng.normal(size=240) for _ in range(5)], calibration, balanced))
    mean = mean_elsewhere(found, inside, LABEL)
    np.testing.assert_array_equal(mean.decision, mean.probability >= mean.threshold)
    np.testing.assert_array_equal(mean.probability.argsort(), np.mean([o.probability for o in found], 0).argsort())
    assert (mean.drawn, len(mean.draws)) == ("seeds", count)


def test_noise_decided_by_several_seeds_is_at_chance_level():
    found = []
    for trial in range(30):
        rng = np.random.default_rng(trial)
        label = (np.arange(60) % 3 == 0).astype(int)
        members = [cross_fitted("m", rng.normal(size=60), label, rng.permutation(60) % 5) for _ in range(2)]
        found.append(rates(mean_out_of_fold(members, label).decision, label).balanced_accuracy)
    assert np.mean(found) < 0.54


def test_mean_of_seeds_is_calibrated_although_a_mean_is_too_moderate():
    mean = mean_out_of_fold(seeds(6), LABEL)
    assert calibration_slope(mean.probability, LABEL).value == pytest.approx(1, abs=0.15)
    plain = np.mean([outcome.probability for outcome in mean.draws], 0)
    assert calibration_slope(plain, LABEL).value > 1.3
