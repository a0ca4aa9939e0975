import numpy as np
import pytest
from PCRPredictorLib.enhancement import relative_enhancement, signal_floor


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
