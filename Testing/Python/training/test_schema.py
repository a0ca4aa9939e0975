"""The schema of a run: scaled to its patients without labels, and the variables that it knows by name."""

import math
from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.clinical import ClinicalSchema, Number
from PCRTrainingLib.schema import KNOWN, describe_variables, fit_scaling, measure_agreement

AGE = Number("age", "Age", "years", 18, 100, 50, 11)
VOLUME = KNOWN["log_whole_volume"]


def fit(*values):
    schema, sentences = fit_scaling(ClinicalSchema((AGE,)), [{"age": value} for value in values])
    return schema.variables, sentences


def test_scaling_is_robust_to_a_wild_value():
    (plain,), _ = fit(*range(30, 71))
    (wild,), _ = fit(*range(30, 71), 99)
    assert (plain.mean, plain.sd) == pytest.approx((50, 20 / 1.349))
    assert (wild.mean, wild.sd) == pytest.approx((plain.mean, plain.sd), rel=0.05)
    assert wild.encode(100)[0] == wild.encode(wild.high)[0]


def test_range_is_from_the_1st_to_the_99th_percentile():
    (age,), sentences = fit(*np.linspace(20, 90, 101), None)
    assert (age.low, age.high) == pytest.approx((20.7, 89.3))
    assert sentences == []


@pytest.mark.parametrize("values", [(61,), (61, 61, 61), (None, 61)])
def test_constant_variable_says_nothing_of_any_patient(values):
    (age,), (sentence,) = fit(*values)
    assert age.encode(61) == age.encode(30) == [0.0, 1.0]
    assert sentence == "age is 61 years in (nearly) every patient with a value: it tells none apart"


def test_variable_without_a_value_is_left_out():
    variables, (sentence,) = fit(None, None)
    assert variables == ()
    assert sentence == "no patient has a value of age; trained without"


def test_variable_of_which_most_values_are_equal_keeps_a_scale():
    (age,), _ = fit(*[50] * 80, *range(30, 50))
    assert age.sd == pytest.approx(np.clip([50] * 80 + list(range(30, 50)), age.low, age.high).std())


def test_agreement_of_table_and_exam_is_measured_and_said():
    exam = np.linspace(0, 5, 20)
    found, sentence = measure_agreement(VOLUME, exam + math.log(0.9), exam)
    assert found.agreement == pytest.approx(
        {"patients": 20, "correlation": 1, "difference": math.log(0.9), "percent": -10}
    )
    assert sentence.startswith("Tumour volume in the table and measured in the exam: 20 patients, correlation 1.000")
    limited = ClinicalSchema((replace(found, low=0.0, high=5.0),))
    assert describe_variables(limited) == (f"Tumour volume: median 12.2 ml, range 1 to 148 ml. {sentence}",)


@pytest.mark.parametrize("table", [[5, 1, 4, 2, 3], [2, 3, 4, 5, 6]])
def test_column_of_a_different_quantity_is_a_warning(table):
    _, sentence = measure_agreement(VOLUME, table, [1, 2, 3, 4, 5])
    assert sentence.startswith("warning: ")
    assert "not the same quantity" in sentence
    assert measure_agreement(VOLUME, table[:2], [1, 2]) == (VOLUME, None)


@pytest.mark.parametrize(
    ("drug", "family"),
    [
        ("Paclitaxel", "paclitaxel alone"),
        ("Paclitaxel + ABT 888 + Carboplatin", "carboplatin"),
        ("Paclitaxel + AMG 386 + Trastuzumab", "HER2-targeted"),
        ("T-DM1 + Pertuzumab", "HER2-targeted"),
        ("Paclitaxel + Pembrolizumab", "immunotherapy"),
        ("Paclitaxel + MK-2206", "other"),
    ],
)
def test_drugs_are_read_as_families(drug, family):
    assert KNOWN["nac_agent"].parse(drug) == family


def test_mammaprint_has_the_coding_of_the_trial_and_what_it_does_not_know_is_refused():
    parsed = [KNOWN["mammaprint"].parse(text) for text in ("0.0", "mp1", "1", "MP2")]
    assert parsed == ["high1", "high1", "high2", "high2"]
    for text in ("high", "low"):
        with pytest.raises(ValueError):
            KNOWN["mammaprint"].parse(text)


def test_unknown_variables_cost_nothing():
    schema = ClinicalSchema((KNOWN["mammaprint"], KNOWN["nac_agent"]))
    assert not schema.encode(schema.parse({})).any()
