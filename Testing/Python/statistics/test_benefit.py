"""What a decision is worth."""

import numpy as np
import pytest
from PCRTrainingLib.statistics.benefit import benefits, predictive_values
from PCRTrainingLib.statistics.metrics import Rates

LABEL = np.array([1, 1, 0, 0, 0, 0, 0, 0, 0, 0])


def test_net_benefit_is_hits_less_weighted_false_alarms():
    probability = np.array([0.9, 0.1, 0.9, 0.9, *[0.1] * 6])
    assert benefits(probability, LABEL, 0.25).mean() == pytest.approx(1 / 10 - 2 / 10 * 0.25 / 0.75)


def test_deciding_for_everybody_is_worth_nothing_at_the_prevalence():
    everybody = np.ones(10)
    assert benefits(everybody, LABEL, 0.2).mean() == pytest.approx(0)
    assert benefits(everybody, LABEL, 0.1).mean() > 0 > benefits(everybody, LABEL, 0.3).mean()
    assert benefits(np.zeros(10), LABEL, 0.2).mean() == 0


def test_predictive_values_at_the_own_prevalence_are_the_observed_shares():
    decision = np.array([1, 0, 1, 1, 0, 0, 0, 0, 0, 0], bool)
    ppv, npv = predictive_values(Rates(0.5, 0.75), 0.2)
    assert ppv == pytest.approx(LABEL[decision].mean())
    assert npv == pytest.approx(1 - LABEL[~decision].mean())


def test_fewer_responders_lower_the_ppv_and_raise_the_npv():
    found = [predictive_values(Rates(0.8, 0.6), prevalence) for prevalence in (0.1, 0.3, 0.5)]
    assert found[0][0] < found[1][0] < found[2][0]
    assert found[0][1] > found[1][1] > found[2][1]
    assert np.isnan(predictive_values(Rates(0.0, 1.0), 0.3)[0])
