import pytest
from PCRPredictorLib.phases import guess_phases, pick_phases


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
    ("names", "expected"),
    [
        (["late post", "DCE pre", "early post"], (1, 2, 0)),
        (["DCE delayed", "DCE native", "DCE 1"], (1, 2, 0)),
        (["isp_0002", "isp_0000", "isp_0001"], (1, 2, 0)),
        (["a_0000", "a_0001", "a_0002", "a_0003"], (0, 1, 3)),
        (["Pre-contrast", "Early phase", "Late phase", "Early minus pre-contrast"], (0, 1, 2)),
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
