"""A number: read, clipped to the range of the training patients, and described."""

import math

import pytest
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.variables.number import Number

AGE = Number("age", "Age", "years", 18, 100, 50, 10, low=30, high=70)
VOLUME = Number("volume", "Log volume", "log ml", -3, 7, 2.5, 1, measured=True, columns={"ml": 1.0, "mm3": 0.001})


@pytest.mark.parametrize(("value", "read"), [(40, -1), (30, -2), (20, -2), (95, 2)])
def test_value_beyond_the_training_range_is_read_as_its_limit(value, read):
    assert AGE.encode(value) == [read, 1.0]


def test_number_of_an_older_model_is_not_clipped():
    assert Number("age", "Age", "years", 18, 100, 50, 10).encode(95) == [4.5, 1.0]


@pytest.mark.parametrize(("text", "factor"), [("12,5", 1.0), ("12500", 0.001)])
def test_volume_of_a_table_becomes_its_logarithm(text, factor):
    assert VOLUME.convert(text, factor) == pytest.approx(math.log(12.5))


@pytest.mark.parametrize("text", ["0", "-3", "large", "1e9", "nan"])
def test_impossible_volume_of_a_table_is_refused(text):
    with pytest.raises(ValueError):
        VOLUME.convert(text, 1.0)


def test_logarithm_is_described_as_a_plain_value():
    assert VOLUME.describe(math.log(12.5)) == "12.5 ml"
    assert VOLUME.allowed_in_column(0.001) == "a number from 49.8 to 1.097e+06, or empty"


def test_ages_that_nobody_gave_are_whole_years():
    age = Number("age", "Age", "years", 18, 100, 48.5, 11.1, low=26.560000000000002, high=71.0)
    assert (age.describe_range(), age.describe_limit(age.low), age.describe(26.5)) == (
        "27 to 71 years",
        "27 years",
        "26.5 years",
    )
    assert ClinicalSchema((age,)).find_clipped({"age": 26.56}, {}) == []
