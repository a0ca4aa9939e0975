"""Clipping, noise and its price."""

import math

import pytest
import torch
from PCRTrainingLib.federation.privacy import epsilon, release, update_norm

BEFORE = {"w": torch.zeros(1000), "norm.running_var": torch.ones(10), "tracked": torch.tensor(3)}
AFTER = {"w": torch.ones(1000), "norm.running_var": torch.ones(10), "tracked": torch.tensor(9)}


def test_an_update_is_no_longer_than_the_clip():
    sent = release(BEFORE, AFTER, clip=2.0, noise=0.0)
    assert update_norm(BEFORE, sent) == pytest.approx(2.0, rel=1e-5)
    assert update_norm(BEFORE, release(BEFORE, AFTER, clip=1e6, noise=0.0)) == pytest.approx(math.sqrt(1000), rel=1e-5)


def test_noise_has_the_size_that_is_asked_for_and_is_drawn_anew():
    sent = release(BEFORE, BEFORE, clip=2.0, noise=0.5, seed=0)
    assert float(sent["w"].std()) == pytest.approx(1.0, rel=0.1)
    assert not torch.equal(release(BEFORE, BEFORE, 2.0, 0.5)["w"], release(BEFORE, BEFORE, 2.0, 0.5)["w"])


def test_variances_stay_positive_and_counters_as_they_were():
    sent = release(BEFORE, AFTER, clip=100.0, noise=10.0, seed=0)
    assert float(sent["norm.running_var"].min()) > 0
    assert int(sent["tracked"]) == 3


def test_more_rounds_cost_more_and_more_noise_costs_less():
    assert epsilon(1, 0.0) == math.inf
    assert epsilon(24, 1.0) > epsilon(12, 1.0) > epsilon(12, 10.0)
    assert epsilon(1, 2.0) == pytest.approx(0.5 + 2 * math.sqrt(0.5 * math.log(1e5)))
