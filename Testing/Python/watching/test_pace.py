"""Tests of the pace: times, pauses, arrivals and the end."""

import os
import signal
import threading
import time

import pytest
from PCRPredictorLib.pacs.studies import Query
from PCRPredictorLib.watching.arrivals import Arrivals
from PCRPredictorLib.watching.pace import LEAST_EVERY_S, Pace, read_seconds
from PCRPredictorLib.watching.pauses import Pauses
from PCRPredictorLib.watching.stopping import Stopped, Stopping, stopping_on_signals


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("2m", 120), ("1.5 h", 5400), ("1d", 86400)])
def test_times_have_units(text, seconds):
    assert read_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-5s", "9d", "1e9", "5 weeks", "nan"])
def test_other_times_are_refused(text):
    with pytest.raises(ValueError, match="must be a time of up to 7 days such as 90s"):
        read_seconds(text)


def test_a_time_between_looks_that_never_lets_the_pacs_rest_is_refused():
    with pytest.raises(ValueError, match="must be at least 1 s, got '0'"):
        read_seconds("0", LEAST_EVERY_S)
    assert read_seconds("0") == 0


def test_days_are_counted_back_from_today_unless_dates_are_given():
    assert len(Pace(days=3).limit(Query()).date) == 17
    assert Pace(days=3).limit(Query(date="2024-")).date == "2024-"
    assert Pace(days=0).limit(Query()).date == ""


def test_pauses_grow_and_end():
    now = [0.0]
    pauses = Pauses(lambda: now[0])
    assert [pauses.lengthen("a") for _ in range(9)] == [5, 10, 20, 40, 80, 160, 320, 600, 600]
    assert pauses.is_paused("a")
    assert not pauses.is_paused("b")
    now[0] = 601.0
    assert not pauses.is_paused("a")
    pauses.end("a")
    assert pauses.lengthen("a") == 5


def test_a_study_has_settled_when_nothing_has_changed_for_a_while():
    now = [0.0]
    arrivals = Arrivals(100, lambda: now[0])
    seen = []
    for now[0], looks in ((0.0, "a"), (90.0, "a"), (95.0, "b"), (190.0, "b"), (196.0, "b")):
        seen.append(arrivals.has_settled("1.1", looks))
    assert seen == [False, False, False, False, True]
    assert Arrivals(0, lambda: 0.0).has_settled("1.1", "a")


@pytest.mark.skipif(os.name == "nt", reason="signals are sent differently there")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_wait_at_once(number):
    with stopping_on_signals(Stopping()) as stopping:
        threading.Timer(0.05, os.kill, (os.getpid(), number)).start()
        began = time.monotonic()
        with pytest.raises(Stopped):
            stopping.wait(30)
        assert time.monotonic() - began < 5


def test_a_second_signal_ends_what_is_being_done():
    said = []
    with pytest.raises(KeyboardInterrupt), stopping_on_signals(Stopping(said.append, busy=True)):
        signal.raise_signal(signal.SIGINT)
        assert said == ["stops after this study; once more: at once"]
        signal.raise_signal(signal.SIGINT)
