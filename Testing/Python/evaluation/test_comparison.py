"""Two models on the same patients."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PCRTrainingLib.evaluation.comparison import adjust, compare, matched_sensitivities
from PCRTrainingLib.statistics.operating import Outcome, at_point, cross_fitted, fit_points
from PCRTrainingLib.statistics.seeds import mean_out_of_fold

RNG = np.random.default_rng(0)
LABEL = (np.arange(80) % 2).astype(int)
GOOD = 1 / (1 + np.exp(-(2.0 * LABEL - 1 + RNG.normal(size=80))))
POOR = RNG.random(80)
MANY = (RNG.random(150) < 0.35).astype(int)


def outcome(name, probability):
    return Outcome(name, probability, probability, probability >= 0.5, probability)


def seeds(strength, count, *, folds=5):
    """Return the mean of seeds with folds of their own, whose logits have ties."""
    found = []
    for seed in range(count):
        rng = np.random.default_rng([seed, folds])
        logit = np.round(strength * MANY + rng.normal(size=150), 1)
        found.append(cross_fitted("m", logit, MANY, rng.permutation(150) % folds))
    return mean_out_of_fold(found, MANY)


def test_better_model_wins_the_paired_comparison():
    pair = compare(outcome("good", GOOD), outcome("poor", POOR), LABEL)
    assert pair["auc_difference"]["low"] > 0
    assert pair["p"] < 0.001
    assert pair["sensitivity"] > pair["other_sensitivity"]


def test_comparison_without_variance_is_written_as_unknown():
    pair = compare(outcome("good", GOOD), outcome("poor", POOR), (np.arange(80) == 3).astype(int))
    assert (pair["p"], pair["auc_difference"]["low"]) == (None, None)
    json.dumps(pair, allow_nan=False)


def one_seed():
    return seeds(0.8, 1)


def several_seeds():
    return seeds(0.8, 3)


def held_out_once():
    return seeds(0.8, 1, folds=1)


def elsewhere():
    logits = [np.round(0.8 * MANY + np.random.default_rng(k).normal(size=150), 1) for k in range(4)]
    calibration, (balanced, *_) = fit_points(logits[0], MANY)
    return at_point("m", logits, calibration, balanced)


@pytest.mark.parametrize("make", [one_seed, several_seeds, held_out_once, elsewhere])
def test_model_compared_with_itself_is_exactly_0_in_every_difference(make):
    pair = compare(make(), replace(make(), name="again"), MANY)
    for name in ("auc_difference", "sensitivity_difference"):
        assert pair[name] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert (pair["p"], pair["sensitivity_p"]) == (1.0, 1.0)
    assert pair["sensitivity"] == pair["other_sensitivity"]


def test_equal_models_win_as_often_as_they_lose_at_matched_specificity():
    gains = []
    for k in range(60):
        rng = np.random.default_rng(k)
        pair = [cross_fitted("m", 0.8 * MANY + rng.normal(size=150), MANY, np.arange(150) % 5) for _ in range(2)]
        ours, theirs = matched_sensitivities(*pair, MANY, np.arange(150))
        again = matched_sensitivities(*reversed(pair), MANY, np.arange(150))
        assert again == (theirs, ours)
        gains.append(ours - theirs)
    assert abs(np.mean(gains)) < 0.03


def test_seeds_that_disagree_widen_the_interval_of_the_difference():
    one, other = several_seeds(), seeds(0.3, 3)
    single = compare(replace(one, draws=()), replace(other, draws=()), MANY)
    both = compare(one, other, MANY)
    for name in ("auc_difference", "sensitivity_difference"):
        widths = [pair[name]["high"] - pair[name]["low"] for pair in (single, both)]
        assert widths[1] > widths[0]
    assert both["auc_difference"]["value"] == single["auc_difference"]["value"]


def test_models_of_different_numbers_of_networks_are_compared():
    few = elsewhere()
    pair = compare(replace(few, draws=few.draws[:3]), seeds(0.8, 1), MANY)
    assert pair["auc_difference"]["low"] < pair["auc_difference"]["value"] < pair["auc_difference"]["high"]


def test_each_kind_of_p_is_adjusted_for_its_number_which_is_stated():
    pairs = [compare(outcome("good", GOOD), outcome("poor", POOR), LABEL)] * 3
    found = adjust(pairs)
    assert found[0]["p_adjusted"] == pytest.approx(min(3 * pairs[0]["p"], 1))
    assert found[0]["sensitivity_p_adjusted"] == pytest.approx(min(3 * pairs[0]["sensitivity_p"], 1))
    assert [pair["comparisons"] for pair in found] == [3, 3, 3]
