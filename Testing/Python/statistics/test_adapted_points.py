import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.prediction import OperatingPoint
from PCRTrainingLib.statistics.adapted_points import adapt_points, decide_adapted, describe_kept
from PCRTrainingLib.statistics.recalibration import cross_fit
from scipy.special import expit

RNG = np.random.default_rng(1)
LOG_ODDS = RNG.normal(-0.5, 1, (1, 200))
LABEL = (RNG.random(200) < expit(LOG_ODDS[0])).astype(int)
PROBABILITY = expit(LOG_ODDS[0])
POINTS = (OperatingPoint("balanced", 0.3, 0.8, 0.6), OperatingPoint("high specificity", 0.6, 0.3, 0.9))


def test_points_keep_the_higher_rate_that_they_promise():
    sensitive, specific = adapt_points(POINTS, PROBABILITY, LABEL, "promised")
    assert 0.8 <= sensitive.sensitivity < 0.82
    assert 0.9 <= specific.specificity < 0.91
    assert describe_kept(POINTS[0]) == "balanced: sensitivity 80 %"
    assert ((sensitive.threshold <= PROBABILITY)[LABEL == 1]).mean() == pytest.approx(sensitive.sensitivity)


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_extreme_promises_can_be_kept(rate):
    point = OperatingPoint("all", 0.5, rate, None), OperatingPoint("none", 0.5, None, rate)
    sensitive, specific = adapt_points(point, PROBABILITY, LABEL, "promised")
    assert sensitive.sensitivity >= rate and specific.specificity >= rate


def test_equal_probabilities_are_decided_together():
    point, _ = adapt_points(POINTS, np.full(200, 0.3), LABEL, "promised")
    assert (point.sensitivity, point.specificity) == (1, 0)
    _, point = adapt_points(POINTS, np.full(200, 0.3), LABEL, "promised")
    assert (point.sensitivity, point.specificity) == (0, 1)


def test_point_without_a_promise_needs_new_ones():
    with pytest.raises(DataError, match="choose its points anew with --points rechosen"):
        adapt_points([OperatingPoint("mine", 0.4)], PROBABILITY, LABEL, "promised")
    assert len(adapt_points([OperatingPoint("mine", 0.4)], PROBABILITY, LABEL, "rechosen")) == 3


@pytest.mark.parametrize("how", ["promised", "rechosen"])
def test_decisions_are_cross_fitted_by_name(how):
    fitted = cross_fit(LOG_ODDS, LABEL, repeats=2)
    above = decide_adapted(POINTS, LOG_ODDS, LABEL, fitted, how)
    assert {"balanced", "high specificity"} <= set(above)
    assert all(set(np.unique(found)) <= {0, 0.5, 1} for found in above.values())
    low = 0.7 if how == "promised" else 0.3
    assert low < above["balanced"][LABEL == 1].mean() < 0.95
