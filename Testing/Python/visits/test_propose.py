"""Which visit each study of a patient probably is."""

import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.visits.propose import parse_visits, propose_visits
from PCRPredictorLib.visits.studies import Study


def studies(*days):
    return [Study((), object(), "", True, (), None, "", day=day) for day in days]


@pytest.mark.parametrize(
    ("days", "names"),
    [
        ((0, 22), "T0 T1"),
        ((0, 20, 85, 150), "T0 T1 T2 T3"),
        ((0, 90), "T0 T2"),
        ((0, 21, 160), "T0 T1 T3"),
        ((0, 400, 421), "- T0 T1"),
        ((None, None, None), "T0 T1 T2"),
    ],
)
def test_studies_are_named_by_the_days_between_them(days, names):
    assert propose_visits(studies(*days)) == tuple(names.split())


@pytest.mark.parametrize("days", [(0, 0), (0,), (0, 5, 21, 80, 150), (None,) * 5])
def test_what_cannot_be_told_is_not_proposed(days):
    assert propose_visits(studies(*days)) is None


def test_names_are_read_in_any_case_and_a_study_can_be_left_aside():
    assert parse_visits(["t0", "-", "T2"], studies(0, 5, 90)) == ("T0", "-", "T2")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["T0"], "for each of the 2 studies, got 1; for example --studies T0 T1"),
        (["T0", "T4"], "must be one of T0, T1, T2, T3, got T4"),
        (["T1", "T1"], "T1 is given twice"),
    ],
)
def test_names_that_do_not_fit_are_refused(words, message):
    with pytest.raises(DataError, match=message):
        parse_visits(words, studies(0, 22))
