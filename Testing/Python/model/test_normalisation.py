import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.normalisation import scale_phases


def phases():
    rng = np.random.default_rng(0)
    return [rng.uniform(low, low + 50, (8, 16, 16)).astype(np.float32) for low in (50, 150, 120)]


def test_channels_do_not_change_with_the_scanner_gain():
    np.testing.assert_allclose(scale_phases(*phases()), scale_phases(*(7.3 * p for p in phases())), atol=1e-5)


def test_channels_are_pre_wash_in_and_wash_out():
    pre, early, late = phases()
    scale = np.percentile(early, 99)
    np.testing.assert_allclose(scale_phases(pre, early, late)[1], 2 * (early - pre) / scale, rtol=1e-5)
    np.testing.assert_allclose(scale_phases(pre, early, late)[2], 2 * (late - early) / scale, rtol=1e-5)


def test_black_early_phase_is_refused():
    with pytest.raises(DataError, match="must have signal around the tumour"):
        scale_phases(*np.zeros((3, 8, 16, 16)))
