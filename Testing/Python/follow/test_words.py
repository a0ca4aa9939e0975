"""Sentences of a follow-up."""

from dataclasses import replace

import pytest
from PCRPredictorLib.follow.words import (
    describe_change,
    describe_changes,
    describe_chart,
    describe_clinical_alone,
    describe_decision,
    describe_gone,
    describe_missing,
    describe_not_read,
    describe_probability,
    describe_registration,
    describe_values,
    format_quantity,
)
from PCRPredictorLib.response.course import Course, Visit, VisitValues
from support.examples import BLOCKING
from support.follow.examples import in_place, tiny_course, tiny_exams, tiny_prediction

COURSE = tiny_course(2)
AFTER = tiny_prediction(COURSE).last


def test_what_changed_is_in_values_and_per_cent():
    assert (
        describe_changes(COURSE)
        == "T0 to T1, 22 days: volume 12.4 ml to 3.1 ml, −75 %; longest diameter within a slice 34 mm to 20 mm, −41 %."
    )


def test_a_visit_without_a_date_has_no_days():
    visits = {name: replace(visit, date=None) for name, visit in COURSE.visits.items()}
    assert describe_changes(Course(visits)).startswith("T0 to T1: volume")


def test_growth_has_a_plus_and_a_change_from_0_has_no_percentage():
    assert describe_change("functional_volume_ml", 2.0, 3.0) == "2.0 ml to 3.0 ml, +50 %"
    assert describe_change("functional_volume_ml", 0.0, 3.0) == "0 ml to 3.0 ml"


def test_a_change_without_values_is_reported_as_unknown():
    visits = {name: Visit(name, VisitValues(sphericity=0.5)) for name in ("T0", "T2")}
    assert "not known at both T0 and T2" in describe_changes(Course(visits))
    assert describe_changes(tiny_course(1)) == ""


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("functional_volume_ml", 0.0, "0 ml"),
        ("functional_volume_ml", 0.034, "0.03 ml"),
        ("longest_diameter_mm", 34.4, "34 mm"),
        ("sphericity", 0.618, "0.62"),
        ("background_enhancement_percent", -3.2, "−3 %"),
        ("highest_ser", None, "–"),
    ],
)
def test_quantities_have_units(name, value, text):
    assert format_quantity(name, value) == text


def test_a_tumour_that_is_gone_is_no_proof_of_a_complete_response():
    assert "No tumour was marked at T3" in describe_gone(tiny_course(4))
    assert "no proof of a pathological complete response" in describe_gone(tiny_course(4))
    assert describe_gone(COURSE) == ""


def test_probability_has_its_range_and_the_base_rate():
    text = "Probability of pCR after T1: 46 % (the model's fits agree within 37 % to 56 %)"
    assert describe_probability(AFTER, None) == f"{text}."
    assert describe_probability(AFTER, 0.36) == f"{text}; of the training patients, 36 % had pCR."


def test_decision_says_what_the_threshold_meant_in_training():
    text = describe_decision(AFTER, 0.36)
    assert text.startswith(
        "T1: Above the threshold of “balanced” (38.0 %): of 100 such patients in training, 54 had pCR"
    )
    assert "sensitivity 71 %, specificity 66 %" in text
    assert describe_decision(replace(AFTER, probability=0.2)).startswith("T1: Below the threshold")
    assert describe_decision(replace(AFTER, notices=(BLOCKING,))) == ""


def test_what_clinical_values_say_and_what_is_not_read_is_reported():
    prediction = replace(tiny_prediction(COURSE), not_read=("Peak signal enhancement ratio",))
    assert describe_clinical_alone(prediction) == "From clinical values alone it would be 30 %."
    assert describe_not_read(prediction) == "Measured, but not read by this model: Peak signal enhancement ratio."
    assert describe_not_read(tiny_prediction(COURSE)) == ""


def test_a_visit_that_was_left_out_is_named():
    course = tiny_course(4, skip=("T1", "T2"))
    assert describe_missing(course, tiny_prediction(course).last) == [
        "No exam at T1 and T2: the probability rests on the other visits."
    ]
    assert describe_missing(COURSE, AFTER) == []


def test_changes_in_the_table_are_against_the_first_visit_that_has_a_value():
    rows = describe_values(tiny_course(4))
    assert rows["Functional tumour volume"] == {
        "T0": "12.4 ml", "T1": "3.1 ml (−75 %)", "T2": "0.60 ml (−95 %)", "T3": "0 ml (−100 %)",
    }  # fmt: skip
    assert rows["Sphericity"]["T1"] == "–"


def test_a_registration_that_does_not_hold_is_reported():
    registration = in_place(tiny_exams(), holds=False, message="Off by 30 mm.")["T1"]
    text = describe_registration("T1", registration)
    assert text == "T1: the registration does not hold, so the baseline's outline is not drawn. Off by 30 mm."
    assert "was not registered" in describe_registration("T1", None)


def test_chart_is_described_for_those_who_cannot_see_it():
    text = describe_chart(COURSE, tiny_prediction(COURSE))
    assert "T0 12.4 ml, T1 3.1 ml" in text
    assert "T1 46 % (the model's fits agree within 37 % to 56 %)" in text
