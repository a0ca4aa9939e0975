import numpy as np
import pytest
from PCRTrainingLib.statistics.recalibration import (
    BOTH,
    FORMS,
    NONE,
    OFFSET,
    choose_form,
    cross_fit,
    divisions,
    fit_change,
    log_loss,
)
from scipy.special import expit


def cohort(number, slope=1.0, offset=0.0, seed=0):
    """Return log-odds of two folds and labels for which the right change is slope and offset."""
    rng = np.random.default_rng(seed)
    middle = rng.normal(0, 1.5, number)
    label = (rng.random(number) < expit(slope * middle + offset)).astype(int)
    return np.stack([middle - 0.05, middle + 0.05]), label


def test_offset_and_slope_are_recovered_from_many_patients():
    slope, offset = fit_change(BOTH, *cohort(20_000, 0.6, -0.8))
    assert (slope, offset) == pytest.approx((0.6, -0.8), abs=0.05)
    assert fit_change(OFFSET, *cohort(20_000, 1, -0.8)) == pytest.approx((1, -0.8), abs=0.05)
    assert fit_change(NONE, *cohort(50)) == (1, 0)


def test_few_patients_draw_the_slope_towards_one():
    log_odds, label = cohort(24, 0.0)
    free = [fit_change(BOTH, np.tile(log_odds, repeats), np.tile(label, repeats))[0] for repeats in (1, 200)]
    assert abs(free[0] - 1) < abs(free[1] - 1)


def test_model_that_is_wrong_way_round_gets_no_negative_slope():
    slope, _ = fit_change(BOTH, *cohort(2000, -1.0))
    assert slope == 0


@pytest.mark.parametrize(("right", "expected"), [((1.0, -1.5), OFFSET), ((0.3, -1.0), BOTH)])
def test_form_is_the_one_that_is_needed(right, expected):
    assert choose_form(*cohort(400, *right)) == expected


def test_nothing_is_changed_more_often_if_nothing_is_wrong():
    chosen = [choose_form(*cohort(60, seed=seed)) for seed in range(12)]
    assert chosen.count(NONE) > chosen.count(BOTH)


def test_cross_fitting_gains_where_the_offset_is_wrong_and_loses_little_where_it_is_right():
    for offset, low, high in ((-1.5, 0.1, 0.5), (0.0, -0.04, 0.02)):
        log_odds, label = cohort(60, 1, offset, seed=3)
        found = cross_fit(log_odds, label, repeats=3)
        gain = (log_loss(found.before, label) - log_loss(found.after, label).mean(0)).mean()
        assert low < gain < high
        assert sum(found.forms.values()) == 15


def test_label_of_a_patient_does_not_change_its_own_probability():
    log_odds, label = cohort(40)
    part = next(divisions(label, 1))
    here = part == part[0]
    changes = [fit_change(BOTH, log_odds[:, ~here], changed[~here]) for changed in (label, np.where(here, 0, label))]
    assert changes[0] == changes[1]
    assert cross_fit(log_odds, label, repeats=1).after.shape == (1, 40)


def test_class_of_two_has_two_parts():
    label = np.r_[np.ones(2, int), np.zeros(20, int)]
    assert set(next(divisions(label, 1))) == {0, 1}
    assert cross_fit(cohort(22)[0], label, FORMS[:2], repeats=1).after.shape == (1, 22)
