"""Results over sites: the published example of a random-effects summary, and the degenerate ones."""

import math

import numpy as np
import pytest
from PCRTrainingLib.statistics.metrics import delong
from PCRTrainingLib.statistics.sites import (
    Estimate,
    auc_random_effects,
    estimate_auc,
    estimate_difference,
    mean_over_sites,
    random_effects,
)

BCG = [  # log risk ratios and variances of the 13 BCG trials, Colditz et al., JAMA 1994
    (-0.8893, 0.3256), (-1.5854, 0.1946), (-1.3481, 0.4154), (-1.4416, 0.0200), (-0.2175, 0.0512),
    (-0.7861, 0.0069), (-1.6209, 0.2230), (0.0120, 0.0040), (-0.4694, 0.0564), (-1.3713, 0.0730),
    (-0.3394, 0.0124), (0.4459, 0.5325), (-0.0173, 0.0714),
]  # fmt: skip


def test_random_effects_equal_the_published_example():
    found = random_effects([Estimate(*row) for row in BCG])
    assert found.mean.value == pytest.approx(-0.7141, abs=2e-3)  # metafor's manual, method "DL"
    assert (found.mean.low, found.mean.high) == pytest.approx((-1.0644, -0.3638), abs=3e-3)
    assert found.spread**2 == pytest.approx(0.3088, abs=2e-3)
    assert found.inconsistency == pytest.approx(0.9212, abs=2e-3)


def test_sites_of_one_value_have_no_spread():
    found = random_effects([Estimate(0.7, 0.01)] * 4)
    assert (found.mean.value, found.spread, found.inconsistency) == (pytest.approx(0.7), 0, 0)


def test_one_site_is_its_own_summary():
    found = random_effects([Estimate(0.7, 0.01)])
    assert (found.mean.value, found.sites, math.isnan(found.spread)) == (pytest.approx(0.7), 1, True)


def test_site_without_a_variance_does_not_count():
    assert random_effects([Estimate(0.7, 0.01), Estimate(0.2, math.nan)]).mean.value == pytest.approx(0.7)
    assert random_effects([Estimate(0.2, math.nan)]).sites == 0


def test_perfect_site_does_not_break_the_summary_of_the_auc():
    found = auc_random_effects([Estimate(1.0, math.nan), Estimate(0.7, 0.01), Estimate(0.6, 0.01)], [(5, 5)] * 3)
    assert 0.6 < found.mean.value < 1
    assert found.mean.low < found.mean.value < found.mean.high < 1


def test_macro_mean_weighs_sites_equally():
    found = mean_over_sites([Estimate(0.8, 0.04), Estimate(0.6, 0.0)])
    assert found.value == pytest.approx(0.7)
    assert found.high - found.value == pytest.approx(1.96 * 0.1, abs=1e-3)


def test_auc_has_the_variance_of_delong_and_of_the_seeds():
    rng = np.random.default_rng(0)
    label = np.arange(60) % 2
    orders = [rng.normal(size=60) + label for _ in range(3)]
    alone = estimate_auc(orders[:1], label)
    interval = delong(orders[0], np.zeros(60), label)
    assert alone.interval.high - alone.value == pytest.approx(interval.high - interval.difference)
    same = estimate_auc([np.mean(orders, 0)] * 3, label)
    assert estimate_auc(orders, label).variance > same.variance


def test_difference_of_a_model_to_itself_is_certain():
    order, label = np.arange(10.0), np.arange(10) % 2
    assert estimate_difference([order], [order], label) == Estimate(0.0, 0.0)
