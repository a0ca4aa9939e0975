"""Quantities on their scales, levels and changes, and clinical values as columns."""

import math

import pytest
from PCRPredictorLib.response.inputs import Input, Scale, clinical_columns, read_clinical
from support.follow_up.response_model import SCHEMA

VOLUME = "functional_volume_ml"


@pytest.mark.parametrize("transform", ["log", "sqrt", "none"])
def test_a_scale_can_be_undone_also_for_nothing(transform):
    scale = Scale(VOLUME, transform, 0.1)
    for value in (0.0, 0.02, 35.0):
        assert scale.undo(scale.read(value)) == pytest.approx(value, abs=1e-12)
    assert scale.undo(-50.0) == 0


def test_a_tumour_that_is_gone_has_no_volume_and_the_shape_that_a_model_says():
    assert Scale(VOLUME, "log", 0.1, when_gone=3.0).gone == 0.0
    assert Scale("sphericity", "none", when_gone=0.4).gone == 0.4
    assert Scale("sphericity", "none").gone is None


def test_a_change_is_the_difference_of_two_columns_in_the_range_of_the_training_patients():
    change = Input(VOLUME, "T2", "T0", low=-3.0)
    assert change.name == "functional_volume_ml_T2_since_T0"
    assert change.columns == ("functional_volume_ml_T2", "functional_volume_ml_T0")
    assert change.label == "Functional tumour volume, T0 to T2"
    assert (change.clip(-5.0), change.clip(9.0)) == (-3.0, 9.0)


def test_clinical_columns_are_a_number_and_one_per_value_of_a_category():
    assert clinical_columns(SCHEMA) == ("age", "hr=negative", "hr=positive", "her2=negative", "her2=positive")
    found = read_clinical(SCHEMA, {"age": 95.0, "hr": "positive", "her2": None})
    assert found == {"age": 2.5, "hr=negative": 0.0, "hr=positive": 1.0}


def test_a_logarithm_of_nothing_needs_a_floor():
    with pytest.raises(ValueError, match="math domain"):
        Scale(VOLUME, "log").read(0.0)
    assert Scale(VOLUME, "log", 0.1).read(0.0) == math.log(0.1)
