"""The course of a patient: the order of visits, and changes between them."""

import math

from PCRPredictorLib.response.course import QUANTITIES, Course, Visit, VisitValues, change, earliest_values


def course(*names):
    return Course({name: Visit(name, VisitValues()) for name in names})


def test_visits_come_in_the_order_of_time_however_they_were_given():
    assert [visit.name for visit in course("T2", "T0", "T1")] == ["T0", "T1", "T2"]
    assert course("T2", "T0").last == "T2"


def test_a_course_until_a_visit_knows_nothing_of_later_ones():
    assert list(course("T0", "T1", "T3").until("T2").visits) == ["T0", "T1"]


def test_a_tumour_that_is_gone_has_changed_by_minus_100_percent():
    assert change(8.0, 0.0).percent == -100
    assert change(8.0, 0.0).log_ratio == -math.inf
    assert change(8.0, 2.0).log_ratio == math.log(0.25)


def test_a_change_is_unknown_without_one_of_the_values_or_from_nothing():
    assert change(None, 2.0) is change(2.0, None) is change(0.0, 2.0) is None


def test_every_quantity_is_a_value_of_a_visit_and_names_its_column():
    assert all(VisitValues().get(quantity.name) is None for quantity in QUANTITIES)
    assert QUANTITIES[0].column("T1") == "functional_volume_ml_T1"


def test_a_value_is_that_of_the_earliest_visit_that_knows_it():
    visits = [{"Age": float("nan"), "hr": "unknown", "her2": 0}, {"age": 50, "HR": "positive", "her2": 1}, {"age": 51}]
    assert earliest_values(visits) == {"age": 50, "HR": "positive", "her2": 0}
