import pytest
from PCRPredictorLib.phases import guess_phases, parse_times, pick_phases


@pytest.mark.parametrize(
    ("times", "injection", "expected"),
    [
        ((0, 60, 130, 200, 300), None, (0, 2, 4)),
        ((0, 60, 130, 200, 300), 70, (0, 3, 4)),
        ((0, 178, 265, 352), None, (0, 1, 3)),
        ((None, None, None, None), None, (0, 1, 3)),
        ((0, 20, 125), None, (0, 1, 2)),
    ],
)
def test_early_is_nearest_to_two_minutes_after_injection(times, injection, expected):
    assert pick_phases(times, injection) == expected


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ((0, 1371, 1493, 1615, 1737), 1),  # the gap says nothing: the first phase after contrast
        ((0, 1371, 1432, 1493, 1554), 1),
        ((0, *range(1380, 1600, 7)), 9),  # short phases: not the one in which the contrast arrives
        ((0, *range(10, 300, 10)), 12),
    ],
)
def test_long_gap_before_the_first_phase_after_contrast_does_not_count(times, expected):
    assert pick_phases(times) == (0, expected, len(times) - 1)


@pytest.mark.parametrize(("injection", "first_post", "expected"), [(95, None, 2), (None, 2, 2), (None, None, 1)])
def test_early_is_never_a_second_phase_before_contrast(injection, first_post, expected):
    assert pick_phases((0, 90, 260, 350, 440), injection, first_post)[1] == expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["late post", "DCE pre", "early post"], (1, 2, 0)),
        (["DCE delayed", "DCE native", "DCE 1"], (1, 2, 0)),
        (["isp_0002", "isp_0000", "isp_0001"], (1, 2, 0)),
        (["a_0000", "a_0001", "a_0002", "a_0003"], (0, 1, 3)),
        (["Pre-contrast", "Early phase", "Late phase", "Early minus pre-contrast"], (0, 1, 2)),
        (["pre", "post1", "post2", "post3"], (0, 1, 3)),
        (["dyn 1", "dyn 2", "dyn 3", "T2"], (0, 1, 2)),
        (["one", "two", "three"], None),
        (["pre", "late"], None),
        (["pre", "early", "early"], None),
    ],
)
def test_phases_are_guessed_from_names(names, expected):
    assert guess_phases(names, [None] * len(names)) == expected


def test_times_decide_over_names():
    assert guess_phases(["a 3", "a 1", "a 2"], [0.0, 90.0, 400.0]) == (0, 1, 2)
    assert guess_phases(["a 3", "a 1", "a 2"], [0.0, 90.0, None]) == (1, 2, 0)


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("[0, 70.5, 140]", [0, 70.5, 140]),
        ("(0,70)", [0, 70]),
        ("0 70  140", [0, 70, 140]),
        ("0; 70,5; 140", [0, 70.5, 140]),
        ("[0, 70, 70]", []),
        ("[" * 5000, []),
        ("__import__('os')", []),
        ("[1e400, 1e401]", []),
        ("0, 70,, 140", []),
        ("", []),
    ],
)
def test_times_are_read_as_people_write_them_and_nothing_is_evaluated(text, times):
    assert parse_times(text) == times
