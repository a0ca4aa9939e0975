"""The clinical values of a patient under one model and the next."""

from PCRPredictorLib.clinical import ClinicalSchema, Number
from PCRPredictorLib.session.clinical_form import ClinicalForm


def age_up_to(years):
    return ClinicalSchema((Number("age", "Age", "years", 18, years, mean=50, sd=10),))


def test_a_value_that_the_next_model_does_not_take_is_reported_and_left_unknown():
    form = ClinicalForm()
    form.adopt(age_up_to(100))
    form.enter({"age": 90})
    (sentence,) = form.adopt(age_up_to(60))
    assert "age must be" in sentence
    assert form.values == {}
    assert form.adopt(age_up_to(100)) == []
    assert form.values == {"age": 90}


def test_a_value_that_cannot_be_used_is_reported_as_soon_as_it_is_entered():
    form = ClinicalForm()
    form.adopt(age_up_to(100))
    form.enter({"age": "155"})
    assert "age must be a number from 18 to 100 years" in form.problems["age"]
    form.enter({"age": "55"})
    assert form.problems == {}
