import numpy as np
import pytest
from PCRPredictorLib.exam import Geometry
from PCRPredictorLib.model.attention import mass_inside, scale_to_peak, summarise_attention

EVERYWHERE = (slice(0, 4), slice(0, 5), slice(0, 6))


def test_mass_inside_is_the_share_of_attention_in_the_mask():
    assert mass_inside(np.array([1.0, 3.0]), np.array([False, True])) == pytest.approx(0.75)


def test_no_attention_at_all_is_no_mass_and_stays_zero():
    assert mass_inside(np.zeros(3), np.ones(3)) == 0
    assert scale_to_peak(np.zeros(3)).max() == 0


def test_peak_is_given_in_physical_space():
    attention = np.zeros((4, 5, 6))
    attention[1, 2, 3] = 2.0
    geometry = Geometry((6, 5, 4), (0.5, 1, 3), (10, 20, 30))
    summary = summarise_attention(attention, attention > 0, geometry, EVERYWHERE)
    assert summary.peak == pytest.approx((11.5, 22, 33))
    assert summary.peak_in_tumour
    assert summary.in_tumour == 1


def test_region_does_not_change_the_numbers():
    rng = np.random.default_rng(0)
    attention = np.zeros((4, 5, 6))
    region = (slice(1, 3), slice(2, 4), slice(0, 5))
    attention[region] = rng.random((2, 2, 5))
    mask = rng.random(attention.shape) < 0.5
    geometry = Geometry((6, 5, 4), (1, 1, 1))
    assert summarise_attention(attention, mask, geometry, region) == summarise_attention(
        attention, mask, geometry, EVERYWHERE
    )
