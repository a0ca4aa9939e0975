"""How much the probability depends on the outline of the tumour."""

from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.model.mask_range import about_mask_range
from PCRPredictorLib.model.predictor import Predictor
from PCRPredictorLib.prediction import OperatingPoint
from scipy import ndimage
from support.examples import tiny_exam

POINT = OperatingPoint("balanced", 0.5)


@pytest.fixture(scope="module")
def predictor(bundle):
    return Predictor(bundle)


def test_probability_is_inside_its_range(predictor):
    prediction = predictor.predict(tiny_exam())
    low, high = prediction.mask_interval
    assert low <= prediction.probability <= high
    assert low < high


def test_range_reaches_the_probability_of_a_mask_that_is_a_variant(predictor):
    exam = tiny_exam()
    dilated = replace(exam, mask=ndimage.binary_dilation(exam.mask).astype(np.uint8))
    low, high = predictor.predict(exam).mask_interval
    assert low - 0.01 <= predictor.predict(dilated).probability <= high + 0.01  # the range has no flips


@pytest.mark.parametrize(
    ("mask_interval", "interval", "codes"),
    [
        ((0.4, 0.6), (0.45, 0.55), ["mask_decides"]),
        ((0.1, 0.3), (0.15, 0.25), ["mask_matters"]),
        ((0.1, 0.2), (0.1, 0.3), []),
        ((0.18, 0.22), (0.19, 0.21), []),
    ],
)
def test_range_across_the_threshold_or_wider_than_the_folds_is_reported(mask_interval, interval, codes):
    assert [notice.code for notice in about_mask_range(mask_interval, interval, POINT)] == codes
