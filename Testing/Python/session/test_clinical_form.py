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


def test_each_value_has_its_origin_whatever_its_column_is_called():
    schema = ClinicalSchema((*age_up_to(100).asked, Number("size", "Size", "mm", 1, 200, mean=50, sd=10)))
    form = ClinicalForm()
    form.adopt(schema)
    form.begin({"Age": "52", "size": "31"}, {"age": "table", "size": "given"})
    assert form.describe_origins() == "From the cohort's table: Age. Given with the exam: Size."
    form.enter({"age": "52.0", "size": 40})
    assert form.describe_origins() == "From the cohort's table: Age. Entered here: Size."
    form.adopt(schema)  # a different model that asks for the same
    assert form.describe_origins() == "From the cohort's table: Age. Entered here: Size."
    form.enter({"age": 52})
    assert form.describe_origins() == "From the cohort's table: Age."
    form.begin({"age": 60}, {"age": "dicom"})
    assert form.describe_origins() == "From the DICOM headers: Age."
