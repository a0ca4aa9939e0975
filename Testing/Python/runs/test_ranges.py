"""Times of the training patients' phases."""

import pytest
from PCRTrainingLib.cohort.cache import Record
from PCRTrainingLib.runs.ranges import describe_times, training_times


def record(table="", **times):
    return Record("a", 0, {"acquisition_times": table}, {}, {}, "", times)


def test_times_that_were_read_are_summarised():
    early, late = training_times([record(early=100 + k, late=300) for k in range(101)])
    assert (early.low, *early.quartiles, early.high) == pytest.approx((105, 125, 150, 175, 195))
    assert (early.patients, late.quartiles) == (101, (300, 300, 300))


def test_late_is_the_last_of_a_table_with_more_times_than_files():
    (late,) = [each for each in training_times([record("[0, 128, 218, 488]")]) if each.phase == "late"]
    assert late.quartiles == (360, 360, 360)


def test_one_protocol_does_not_make_every_other_exam_unfamiliar():
    early, _ = training_times([record(early=120, late=280)] * 20)
    assert (early.low, early.high) == (90, 150)


def test_card_states_median_and_quartiles():
    text = describe_times(training_times([record(early=100 + k) for k in range(101)]))
    assert text.startswith("Early phase 150 s after the pre-contrast one (median; 25th to 75th percentile 125 to 175 s")
    assert describe_times(training_times([record()])) == ""
