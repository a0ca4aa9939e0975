"""A response model: any subset of visits, any missing value, and a logit that is the sum of its terms."""

import math
from dataclasses import replace
from itertools import combinations

import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Provenance
from PCRPredictorLib.model.training_marks import identifier_hash
from PCRPredictorLib.response.course import VISITS, Course, Visit, VisitValues
from PCRPredictorLib.response.inputs import Input
from support.examples import tiny_exam
from support.follow_up.response_model import CLINICAL, tiny_course, tiny_response, tiny_settings

MODEL = tiny_response()
SUBSETS = [names for n in range(1, 5) for names in combinations(VISITS, n)]


def codes(prediction):
    return {notice.code for notice in prediction.notices}


def test_there_is_a_probability_after_each_visit_from_what_was_known_until_then():
    found = MODEL.predict(tiny_course("T0", "T1", "T3"))
    assert [each.visit for each in found.visits] == ["T0", "T1", "T3"]
    assert [each.used for each in found.visits] == [("T0",), ("T0", "T1"), ("T0", "T1", "T3")]
    assert found.at("T1").probability == MODEL.predict(tiny_course("T0", "T1")).last.probability


def test_a_logit_is_the_calibrated_mean_of_the_fits_of_its_inputs():
    x = math.log(20.1), math.sqrt(40), 0.2
    measured = -0.2 * x[0] - 0.05 * x[1] + 0.5 * x[2]
    clinical = -0.1 * 0.2 - 0.4 - 0.3
    fits = [0.9 * (0.3 + s + (1 + s) * (measured + clinical)) - 0.2 for s in (-0.1, 0.0, 0.2)]
    found = MODEL.predict(tiny_course("T0")).last
    assert found.evidence.logit == pytest.approx(sum(fits) / 3)
    assert found.interval == pytest.approx((1 / (1 + math.exp(-min(fits))), 1 / (1 + math.exp(-max(fits)))))


@pytest.mark.parametrize("names", SUBSETS, ids="+".join)
@pytest.mark.parametrize("clinical", [CLINICAL, {"hr": "1"}, {}], ids=["clinical", "some", "none"])
def test_terms_add_up_for_any_visits_and_clinical_values(names, clinical):
    found = MODEL.predict(tiny_course(*names, clinical=clinical))
    for each in found.visits:
        total = math.fsum(term.log_odds for term in each.evidence.terms)
        assert 1 / (1 + math.exp(-total)) == pytest.approx(each.probability, abs=1e-9)
        assert "evidence_inexact" not in codes(each)


def test_terms_add_up_if_values_are_missing_clipped_or_gone():
    courses = [
        tiny_course("T0", T1=VisitValues(longest_diameter_mm=30), T2=VisitValues(gone=True)),
        tiny_course("T0", T1=VisitValues(9000, 500, 1.0)),
        tiny_course(T2=VisitValues(sphericity=0.2), clinical={}),
    ]
    assert max(each.evidence.sum_error for course in courses for each in MODEL.predict(course).visits) < 1e-9


def test_what_is_unknown_is_estimated_and_named_with_what_it_costs():
    found = MODEL.predict(tiny_course(T0=VisitValues(longest_diameter_mm=35))).last
    assert found.estimated == ("Functional tumour volume at T0", "Sphericity at T0")
    assert found.missing_interval[0] < found.probability < found.missing_interval[1]
    notice = next(notice for notice in found.notices if notice.code == "estimated")
    assert "estimated from the other values: functional tumour volume at T0; sphericity at T0." in notice.message
    assert "the AUC without it was 0.66, with it 0.70" in notice.message
    terms = {term.name: term for term in found.evidence.terms if term.kind == "estimated"}
    assert terms["functional_volume_ml_T0"].value == "7.05 ml (estimated)"
    assert not terms["functional_volume_ml_T0"].known


def test_an_estimate_follows_the_values_that_are_known():
    small, large = (
        MODEL.predict(tiny_course(T0=VisitValues(longest_diameter_mm=mm))).last.evidence for mm in (10.0, 90.0)
    )
    values = [next(t.value for t in each.terms if t.name == "functional_volume_ml_T0") for each in (small, large)]
    assert float(values[0].split()[0]) < 7 < float(values[1].split()[0])


def test_nothing_is_open_if_everything_is_known():
    found = MODEL.predict(tiny_course("T0", "T1")).last
    assert (found.missing_interval, found.estimated) == (None, ())


def test_a_tumour_that_is_gone_is_read_as_nothing_and_speaks_for_response():
    found = MODEL.predict(tiny_course("T0", T1=VisitValues(gone=True)))
    assert found.last.probability > 0.9 > found.at("T0").probability
    notice = next(notice for notice in found.last.notices if notice.code == "tumour_gone")
    assert "functional tumour volume as 0 ml, longest diameter as 0 mm and sphericity as 0.4" in notice.message
    assert [t.value for t in found.last.evidence.terms if t.name.endswith("T1_since_T0")] == ["gone"] * 3


def test_a_shape_of_a_tumour_that_is_gone_is_estimated_if_the_model_has_no_value_for_it():
    settings = tiny_settings()
    scales = tuple(replace(scale, when_gone=None) for scale in settings.scales)
    model = replace(MODEL, settings=replace(settings, scales=scales))
    found = model.predict(tiny_course("T0", T1=VisitValues(gone=True))).last
    assert found.estimated == ("Sphericity at T1",)


def test_a_tumour_that_is_gone_beyond_the_changes_of_the_training_patients_is_told_once():
    settings = tiny_settings()
    inputs = tuple(replace(each, low=-3.0) if each.since else each for each in settings.inputs)
    model = replace(MODEL, settings=replace(settings, inputs=inputs))
    found = model.predict(tiny_course("T0", T1=VisitValues(gone=True))).last
    assert codes(found) == {"tumour_gone"}
    expected = "functional tumour volume as 0.901 ml (the limit of the training patients' changes), longest diameter"
    assert expected in found.notices[0].message


def test_only_changes_of_the_formula_are_told_to_be_clipped():
    settings = tiny_settings()
    other = Input("functional_volume_ml", "T2", "T1", high=0.0)
    model = replace(MODEL, settings=replace(settings, inputs=(*settings.inputs, other)))
    found = model.predict(tiny_course("T0", "T1", T2=VisitValues(11, 25, 0.24))).last
    assert codes(found) == set()


def test_with_nothing_measured_the_clinical_values_decide():
    found = MODEL.predict(tiny_course(T0=VisitValues()))
    assert found.last.probability == found.clinical_probability
    assert codes(found.last) == {"visit_without_values"}


def test_with_nothing_known_at_all_there_is_a_probability_and_its_range():
    found = MODEL.predict(tiny_course(T0=VisitValues(), clinical={}))
    assert found.last.probability == found.clinical_probability == pytest.approx(0.525, abs=1e-3)
    assert codes(found) == {"clinical_missing"}
    assert found.last.missing_interval[1] - found.last.missing_interval[0] > 0.1


def test_an_unknown_clinical_variable_has_the_answer_for_each_value():
    known = MODEL.predict(tiny_course("T0", clinical={**CLINICAL, "hr": "0"})).last
    found = MODEL.predict(tiny_course("T0", clinical={"age": 52, "her2": "negative"})).last
    term = next(term for term in found.evidence.terms if term.name == "hr")
    assert not term.known
    assert [each.probability for each in term.possibilities if each.value == "negative"] == [known.probability]


def test_a_visit_without_an_earlier_one_uses_a_formula_with_it_and_estimates_it():
    found = MODEL.predict(tiny_course("T2")).last
    assert found.used == ("T2",)
    assert "Functional tumour volume at T0" in found.estimated


def test_a_visit_that_the_model_does_not_know_is_reported():
    settings = tiny_settings()
    formulas = tuple(each for each in settings.formulas if "T3" not in each.visits)
    found = replace(MODEL, settings=replace(settings, formulas=formulas)).predict(tiny_course("T0", "T3"))
    assert "visit_not_used" in codes(found.last)
    assert found.last.used == ("T0",)
    assert found.last.probability == found.at("T0").probability


def test_values_beyond_the_training_patients_are_read_as_their_limit_with_value_and_range():
    found = MODEL.predict(tiny_course("T0", T1=VisitValues(900, 30, 0.3))).last
    messages = {notice.code: notice.message for notice in found.notices}
    level, change = (messages[f"clipped_functional_volume_ml_T1{end}"] for end in ("", "_since_T0"))
    assert "at T1 is 900 ml; the range is 0 to 200 ml. The model reads 200 ml" in level
    assert "in range would be 0 to 54.5 ml" in change
    same = MODEL.predict(tiny_course("T0", T1=VisitValues(9000, 30, 0.3))).last
    assert same.probability == found.probability


def test_a_clinical_group_that_the_training_patients_lack_is_reported():
    missing = MODEL.predict(tiny_course("T0", clinical={"age": 50, "hr": "negative", "her2": "positive"}))
    few = MODEL.predict(tiny_course("T0", clinical={"age": 50, "hr": "positive", "her2": "positive"}))
    assert "Of the training patients none had" in missing.notices[0].message
    assert "Of the training patients only 4 had" in few.notices[0].message
    assert MODEL.predict(tiny_course("T0")).notices == ()


def test_quantities_that_the_model_does_not_read_are_named():
    found = MODEL.predict(tiny_course(T0=VisitValues(20, 40, 0.2, highest_ser=2.0)))
    assert found.not_read == ("Peak signal enhancement ratio",)


def test_a_patient_that_the_model_was_trained_on_is_reported():
    model = replace(MODEL, training_patients=frozenset(identifier_hash(name) for name in ("A1", "7")))
    for name, known in (("a1", True), ("007", True), ("A2", False), (None, False)):
        found = model.predict(replace(tiny_course("T0"), patient_id=name))
        assert ("trained_on_patient" in codes(found)) is known
        assert [after.decision is None for after in found.visits] == [known]


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
def test_a_value_that_is_no_measurement_is_refused_with_its_name(value):
    with pytest.raises(DataError, match=r"longest_diameter_mm_T1 must be a number from 0 on, got"):
        MODEL.predict(tiny_course("T0", T1=VisitValues(longest_diameter_mm=value)))


def test_a_course_without_a_visit_and_an_unknown_operating_point_are_refused():
    with pytest.raises(DataError, match="a course must have a visit, got none"):
        MODEL.predict(Course({}, CLINICAL))
    with pytest.raises(DataError, match="'best' is not in this model; use balanced, high sensitivity"):
        MODEL.predict(tiny_course("T0"), "best")


def test_the_operating_point_of_each_visit_can_be_exchanged():
    found = MODEL.predict(tiny_course("T0", "T1"), "high sensitivity")
    assert [each.decision for each in found.visits] == ["pCR", "pCR"]
    assert [each.decision for each in found.with_operating_point("balanced").visits] == ["no pCR", "no pCR"]


def test_a_model_of_phantoms_gives_no_decision_on_an_exam_of_a_patient():
    model = replace(MODEL, card=replace(MODEL.card, training_data="100 simulated patients"))
    exam = replace(tiny_exam(), provenance=Provenance("somewhere"))
    course = Course({"T0": Visit("T0", VisitValues(20, 40, 0.2), exam)}, CLINICAL)
    assert model.predict(course).last.decision is None
