"""Intervals over patients and draws."""

import math

import numpy as np
import pytest
from PCRTrainingLib.statistics.metrics import Interval, auc
from PCRTrainingLib.statistics.operating import Outcome
from PCRTrainingLib.statistics.variability import FromDraws, adjust_p, infer, measure, widen

LABEL = (np.arange(200) % 2).astype(int)


def outcome(order, draws=()):
    return Outcome("m", order, order, order > 0.5, order, draws=tuple(draws))


def area(found, index):
    return auc(found.order[index], LABEL[index])


def test_variance_of_draws_is_that_of_their_mean():
    found = FromDraws.of([0.6, 0.7, 0.8])
    assert (found.variance, found.degrees) == (pytest.approx(0.01 / 3), 2)
    assert FromDraws.of([0.6]) == FromDraws.of([0.7, 0.7]) == FromDraws()


def test_independent_draws_add_up():
    one = FromDraws.of([0.6, 0.7, 0.8])
    both = one + one
    assert (both.variance, both.degrees) == (pytest.approx(2 * one.variance), pytest.approx(4))
    assert one + FromDraws() == one


def test_interval_of_one_draw_is_that_of_the_patients():
    order = LABEL + np.random.default_rng(0).normal(size=200)
    assert measure(area, outcome(order), LABEL) == measure(area, outcome(order, [outcome(order)]), LABEL)


def test_draws_widen_the_interval_and_its_sides_keep_their_ratio():
    narrow = Interval(0.8, 0.7, 0.86)
    wide = widen(narrow, 0.04**2, FromDraws.of([0.75, 0.8, 0.85]))
    assert wide.low < narrow.low and narrow.high < wide.high
    assert (wide.value - wide.low) / (wide.high - wide.value) == pytest.approx(0.1 / 0.06)


def test_interval_covers_what_other_seeds_and_patients_give():
    """Each trial has patients and two seeds; 95 % intervals of one miss the mean of all in about 5 % of the trials."""
    covered = {"patients": 0, "patients and seeds": 0}
    for trial in range(150):
        rng = np.random.default_rng(trial)
        base = 0.9 * LABEL + rng.normal(size=200)
        strength = rng.normal(0, 0.5, 3)  # by which the seeds differ
        orders = [base + shift * LABEL for shift in strength]
        draws = [outcome(order) for order in orders]
        mean = np.mean(orders, 0)
        truth = 0.7377  # area under normal curves 0.9 apart
        for name, given in (("patients", ()), ("patients and seeds", draws)):
            found = measure(area, outcome(mean, given), LABEL, resamples=60)
            covered[name] += found.low <= truth <= found.high
    assert covered["patients"] / 150 < 0.75
    assert covered["patients and seeds"] / 150 > 0.85


def test_difference_without_variance_is_certain_only_if_it_is_0():
    assert infer(0.0, 0.0, FromDraws()).p == 1
    assert math.isnan(infer(0.1, 0.0, FromDraws()).p)
    assert math.isnan(infer(0.1, math.nan, FromDraws.of([0.1, 0.2])).p)


def test_p_and_interval_agree_and_few_draws_are_less_certain():
    for count in (2, 3, 10):
        draws = FromDraws.of(np.linspace(0.0, 0.1, count))
        found = infer(0.05, 0.01**2, draws)
        assert (found.p < 0.05) == (found.low > 0)
    few, many = (FromDraws(0.01**2, degrees) for degrees in (1, 50))
    assert infer(0.05, 0.01**2, few).p > infer(0.05, 0.01**2, many).p


def test_p_is_adjusted_after_holm():
    assert adjust_p([0.01, None, 0.04, 0.03]) == pytest.approx([0.03, None, 0.06, 0.06])
    assert adjust_p([0.6, 0.9]) == [1.0, 1.0]
    assert adjust_p([]) == []
