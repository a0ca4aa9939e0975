import numpy as np
import pytest
from PCRPredictorLib.enhancement import enhancement_map, relative_enhancement, seems_enhanced, signal_floor


def test_enhancement_of_whole_numbers_is_a_share_of_the_signal_before():
    pre, early = np.array([100, 200], np.uint16), np.array([50, 500], np.uint16)
    assert relative_enhancement(pre, early, signal_floor(pre, early)) == pytest.approx([-0.5, 1.5])


def test_voxel_that_is_black_before_contrast_is_divided_by_a_tenth_of_the_median():
    pre, early = np.array([0.0, 100.0, 100.0]), np.array([30.0, 100.0, 100.0])
    assert signal_floor(pre, early) == 10
    assert relative_enhancement(pre, early, signal_floor(pre, early))[0] == 3


def test_tissue_without_voxels_or_signal_has_a_floor_above_zero():
    assert signal_floor(np.zeros(0), np.zeros(0)) > 0
    assert signal_floor(np.zeros(2), np.zeros(2)) > 0


def phases_of_vessels_and_glands(*signals):
    """Return noisy phases of which 1 % of the voxels, vessels, and as many glands have these signals."""
    rng = np.random.default_rng(0)
    place = rng.random((20, 20, 20))
    noise = rng.normal(0, 5, (len(signals), 20, 20, 20))
    pairs = zip(noise, signals, strict=True)
    return [200 + n + vessel * (place < 0.01) + gland * (place > 0.99) for n, (vessel, gland) in pairs]


def test_phase_after_contrast_is_told_by_what_darkens_from_it_to_the_next():
    pre, early, late = phases_of_vessels_and_glands((0, 0), (100, 30), (50, 80))
    assert seems_enhanced(early, late)
    assert not seems_enhanced(pre, early)
    assert not seems_enhanced(pre, late)


@pytest.mark.parametrize("signals", [((0, 0), (0, 0)), ((0, 0), (0, 9))])
def test_noise_alone_is_no_sign_of_contrast(signals):
    assert not seems_enhanced(*phases_of_vessels_and_glands(*signals))
    assert not seems_enhanced(np.zeros((3, 3, 3), np.int16), np.zeros((3, 3, 3), np.int16))


def test_map_of_enhancement_is_never_negative_and_zero_outside_its_region():
    pre, early = np.full((4, 4, 4), 100.0), np.full((4, 4, 4), 250.0)
    early[2] = 50
    found = enhancement_map(pre, early, (slice(1, 3), slice(0, 4), slice(0, 4)))
    assert (found.dtype, found[0].max(), found[1].max(), found[2].max()) == (np.float32, 0, 1.5, 0)
