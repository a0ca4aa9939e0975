import numpy as np
import pytest
from PCRPredictorLib.model.calibration import average, average_logit, calibrate


def test_calibration_is_a_sigmoid_of_slope_and_offset_and_saturates_quietly():
    probability = calibrate(np.array([-1e4, 0.0, 1.0]), (2.0, 0.5))
    np.testing.assert_allclose(probability, [0, 1 / (1 + np.exp(-0.5)), 1 / (1 + np.exp(-2.5))])


def test_average_of_logits_is_the_sigmoid_of_their_mean():
    logits = np.array([[0.0, 2.0], [2.0, 2.0]])
    assert average(logits, (1.0, 0.0), "logit")[0] == pytest.approx(1 / (1 + np.exp(-1)))
    assert average(logits, (1.0, 0.0), "probability")[0] == pytest.approx((0.5 + 1 / (1 + np.exp(-2))) / 2)


@pytest.mark.parametrize("averaging", ["logit", "probability"])
def test_logit_of_the_average_is_finite_where_the_probability_rounds_to_one(averaging):
    found = average_logit(np.array([[1e3, 1.0], [1e3, 0.0]]), (1.0, 0.0), averaging)
    probability = average(np.array([[1.0], [0.0]]), (1.0, 0.0), averaging)[0]
    assert np.isfinite(found[0])
    assert found[1] == pytest.approx(np.log(probability / (1 - probability)))
