"""Numbers and intervals as text."""

import math

import pytest
from PCRPredictorLib.formatting import format_value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.714, "0.71"),
        (-0.05, "−0.05"),
        (-0.0004, "0.00"),
        (3, "3"),
        ("balanced", "balanced"),
        (None, "–"),
        (math.nan, "–"),
    ],
)
def test_number(value, text):
    assert format_value(value) == text


def test_sign_and_digits():
    assert format_value(-0.0004, 3, signed=True) == "+0.000"
    assert format_value({"value": 0.1, "low": -0.1, "high": 0.3}, 1, signed=True) == "+0.1 (−0.1 to +0.3)"


@pytest.mark.parametrize(
    ("low", "high", "text"), [(0.64, 0.78, "0.71 (0.64 to 0.78)"), (None, None, "0.71"), (0.64, math.nan, "0.71")]
)
def test_interval_that_lacks_a_bound_is_the_value_alone(low, high, text):
    assert format_value({"value": 0.71, "low": low, "high": high}) == text


def test_interval_without_a_value_is_missing():
    assert format_value({"value": None, "low": None, "high": None}) == "–"


def test_several_values_are_named():
    interval = {"value": 0.5, "low": 0.4, "high": 0.6}
    assert format_value({"auc": interval, "n_patients": 3}, 3) == "auc 0.500 (0.400 to 0.600), n patients 3"
