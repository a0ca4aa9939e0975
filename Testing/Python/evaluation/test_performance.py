"""Metrics of one model, with intervals over patients and draws."""

import json

import numpy as np
import pytest
from PCRTrainingLib.evaluation.performance import describe_performance
from PCRTrainingLib.statistics.metrics import rates
from PCRTrainingLib.statistics.operating import cross_fitted
from PCRTrainingLib.statistics.seeds import mean_out_of_fold


def model(count, share, *, patients=200):
    rng = np.random.default_rng(3)
    label = (np.arange(patients) < share * patients).astype(int)
    folds = np.arange(patients) % 5
    members = [cross_fitted("m", label + rng.normal(size=patients), label, folds) for _ in range(count)]
    return mean_out_of_fold(members, label), label


@pytest.fixture(scope="module")
def described():
    outcome, label = model(3, 0.3)
    return describe_performance(outcome, label), outcome, label


def intervals(content):
    """Yield every value with its interval."""
    if isinstance(content, dict):
        if {"value", "low", "high"} <= content.keys():
            yield content
        else:
            for part in content.values():
                yield from intervals(part)
    elif isinstance(content, list):
        for part in content:
            yield from intervals(part)


def test_every_value_has_an_interval_that_contains_it(described):
    found = list(intervals(described[0]))
    assert len(found) == 6 + 4 + 12 + 2 * 4 + 2
    assert all(each["low"] <= each["value"] <= each["high"] for each in found)


def test_it_is_said_what_the_intervals_are_over(described):
    assert (described[0]["interval_over"], described[0]["draws"]) == ("patients and seeds", 3)
    single = describe_performance(*model(1, 0.3))
    assert (single["interval_over"], single["draws"]) == ("patients", 1)


def test_frequencies_are_counts_of_the_decisions(described):
    found, outcome, label = described
    above = found["frequencies"]["above"]
    assert above["patients"] == outcome.decision.sum()
    assert above["with_pcr"]["value"] == pytest.approx(label[outcome.decision].mean())
    assert above["patients"] + found["frequencies"]["below"]["patients"] == 200


def test_predictive_values_are_those_of_the_rates_at_each_prevalence(described):
    found, outcome, label = described
    decided = rates(outcome.decision, label)
    at_half = found["predictive_values"][3]
    assert at_half["prevalence"] == 0.5
    expected = decided.sensitivity / (decided.sensitivity + 1 - decided.specificity)
    assert at_half["ppv"]["value"] == pytest.approx(expected)


def test_decision_curve_covers_the_thresholds_and_beats_deciding_for_everybody(described):
    curve = described[0]["decision_curve"]
    assert [point["threshold"] for point in curve] == pytest.approx(np.arange(0.05, 0.61, 0.05))
    assert curve[5]["net_benefit"]["value"] > max(curve[5]["everybody"], 0)


def test_seven_percent_with_pcr_still_give_values_for_json():
    found = describe_performance(*model(2, 0.07, patients=100))
    assert found["auc"]["value"] > 0.5
    assert found["calibration"]["slope"]["low"] < found["calibration"]["slope"]["high"]
    assert 0 <= found["sensitivity_at_specificity_80"]["value"] <= 1
    json.dumps(found, allow_nan=False)
