"""Whether a patient's visits can be compared."""

from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Geometry
from PCRPredictorLib.response.checks import breast_of, check_course, is_same_exam
from support.examples import BREASTS, whole_exam
from support.follow_up.visits import course, small_exam, visit

ONE, TWO = small_exam(0), small_exam(1)


def codes(*visits, **options):
    return [notice.code for notice in check_course(course(*visits), **options)]


def test_visits_in_order_and_of_one_protocol_have_no_warning():
    assert codes(visit("T0", 0, ONE, 5, 30), visit("T1", 22, TWO, 3, 25)) == []


def test_visits_in_the_wrong_order_are_refused_without_their_dates():
    with pytest.raises(DataError, match=r"T1 must be after T0, got an exam 22 days before it; .* swapped") as caught:
        check_course(course(visit("T0", 22), visit("T1", 0)))
    assert "2024" not in str(caught.value)


@pytest.mark.parametrize(("day", "code"), [(0, "visits_close"), (3, "visits_close"), (90, "visit_interval")])
def test_visits_too_close_or_too_far_for_their_names_are_warned_about(day, code):
    assert codes(visit("T0", 0), visit("T1", day)) == [code]


def test_a_visit_before_surgery_three_weeks_after_baseline_is_warned_about():
    assert codes(visit("T0", 0), visit("T3", 22)) == ["visit_interval"]


def test_one_exam_given_twice_is_refused():
    with pytest.raises(DataError, match="T1 must be a different exam than T0, got the same images twice"):
        check_course(course(visit("T0", exam=ONE), visit("T1", exam=replace(ONE, mask=None))))


def test_one_exam_given_twice_is_recognised_with_its_axes_in_a_different_order():
    size = ONE.geometry.size
    turned = [np.ascontiguousarray(phase.transpose(2, 1, 0)[::-1]) for phase in ONE.phases]
    other = replace(
        ONE, pre=turned[0], early=turned[1], late=turned[2], geometry=Geometry(size[::-1], (3, 1.5, 1.5)), mask=None
    )
    assert is_same_exam(ONE, other)
    assert not is_same_exam(ONE, TWO)


def test_other_phases_of_one_series_are_one_exam():
    other = replace(ONE, early=ONE.late, late=TWO.late)
    with pytest.raises(DataError, match="the same images twice"):
        check_course(course(visit("T0", exam=ONE, series="1.2"), visit("T1", exam=other, series="1.2")))


def test_one_series_uid_of_different_images_is_warned_about():
    assert codes(visit("T0", exam=ONE, series="1.2"), visit("T1", exam=TWO, series="1.2")) == ["series_same"]


@pytest.mark.parametrize("fact", ["patient_id", "birth_date"])
def test_a_different_patient_is_refused_and_not_named(fact):
    visits = visit("T0", exam=ONE, **{fact: "SECRET1"}), visit("T1", exam=TWO, **{fact: "SECRET2"})
    with pytest.raises(DataError, match="T1 must be an exam of the patient of T0, got a different Patient") as caught:
        check_course(course(*visits))
    assert "SECRET" not in str(caught.value) + repr(visits[0].facts)
    assert codes(*visits, one_patient=True) == ["patients_differ"]


def test_identifiers_that_differ_in_case_are_of_one_patient():
    assert codes(visit("T0", exam=ONE, patient_id="a1"), visit("T1", exam=TWO, patient_id="A1 ")) == []


def test_a_tumour_in_the_other_breast_is_refused():
    left = whole_exam(spacing=4.0)
    right = whole_exam(spacing=4.0, tumour=np.array([-70.0, -35.0, 10.0]), noise=4.0)
    assert BREASTS[0, 0] > 0
    with pytest.raises(DataError, match="T1 must show the tumour in the left breast as T0 does, got the right breast"):
        check_course(course(visit("T0", exam=left), visit("T1", exam=right)))


def test_the_other_breast_by_the_headers_is_refused():
    with pytest.raises(DataError, match="T2 must show the tumour in the right breast"):
        check_course(course(visit("T0", exam=ONE, side="right"), visit("T2", exam=TWO, side="left")))


def test_small_fields_on_both_sides_of_the_scanner_are_warned_about():
    moved = [replace(exam, geometry=replace(exam.geometry, origin=(x, 0, 0))) for exam, x in ((ONE, 20), (TWO, -120))]
    assert breast_of(visit("T0", exam=moved[0])) == ("left", False)
    assert codes(visit("T0", exam=moved[0]), visit("T1", exam=moved[1])) == ["other_breast"]


def test_a_tumour_that_is_gone_lies_in_no_breast():
    gone = replace(whole_exam(spacing=4.0, noise=5.0), mask=np.zeros_like(whole_exam(spacing=4.0).mask))
    assert codes(visit("T0", exam=whole_exam(spacing=4.0), ml=5, mm=20), visit("T1", exam=gone, ml=0, mm=0)) == []


def test_a_tumour_that_grew_much_is_warned_about():
    assert codes(visit("T0", ml=2, mm=20), visit("T1", ml=4, mm=30)) == ["tumour_grown"]
    assert codes(visit("T0", ml=2, mm=20), visit("T1", ml=2.4, mm=24)) == []


def test_a_tumour_that_is_there_again_is_warned_about():
    assert "tumour_back" in codes(visit("T0", ml=2), visit("T1", ml=0), visit("T2", ml=1))


def test_a_missing_baseline_is_warned_about():
    assert codes(visit("T1", ml=2), visit("T2", ml=1)) == ["no_baseline"]


def test_one_mask_of_two_visits_is_warned_about():
    assert codes(visit("T0", exam=ONE), visit("T1", exam=replace(TWO, mask=ONE.mask.copy()))) == ["mask_copied"]
    moved = replace(TWO, mask=np.roll(ONE.mask, 1, axis=2))
    assert codes(visit("T0", exam=ONE), visit("T1", exam=moved)) == []


def test_the_same_values_at_two_visits_are_warned_about():
    assert codes(visit("T0", ml=5, mm=30), visit("T1", ml=5, mm=30)) == ["values_copied"]
    assert codes(visit("T0", ml=5, mm=30), visit("T1", ml=5, mm=29)) == []
    assert codes(visit("T0", ml=5), visit("T1", ml=0), visit("T2", ml=0)) == []
