import numpy as np
from PCRPredictorLib.model.calibration import calibrate


def test_calibration_is_a_sigmoid_of_slope_and_offset_and_saturates_quietly():
    probability = calibrate(np.array([-1e4, 0.0, 1.0]), (2.0, 0.5))
    np.testing.assert_allclose(probability, [0, 1 / (1 + np.exp(-0.5)), 1 / (1 + np.exp(-2.5))])
