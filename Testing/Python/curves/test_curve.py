"""Curves: what is read from them, in numbers and words."""

import numpy as np
import pytest
from PCRPredictorLib.curves.curve import Curve, curve_around, curve_of, type_of
from PCRPredictorLib.curves.phases import Phases
from PCRPredictorLib.curves.types import CurveType, curve_types, relative_change
from PCRPredictorLib.curves.words import describe_curve

PICKED = (0, 1, 3)


def curve(signal=(100, 300, 280, 240), seconds=(-30, 90, 180, 390), since_injection=True):
    return Curve(signal, PICKED, seconds, since_injection, 9)


def test_kinetics_are_those_of_the_published_definitions():
    found = curve().kinetics
    assert found.wash_in_percent == pytest.approx(200)
    assert found.wash_in_per_minute == pytest.approx(200 / 1.5)
    assert found.wash_out_percent == pytest.approx(-20)
    assert found.wash_out_per_minute == pytest.approx(-4)
    assert found.ser == pytest.approx(200 / 140)
    assert (found.peak, found.type) == (1, CurveType.WASHOUT)


@pytest.mark.parametrize(
    ("percent", "kind"),
    [(10.1, CurveType.PERSISTENT), (10, CurveType.PLATEAU), (-10, CurveType.PLATEAU), (-10.1, CurveType.WASHOUT)],
)
def test_a_type_changes_beyond_ten_percent(percent, kind):
    assert type_of(percent) == kind
    change = relative_change(np.array([200.0]), np.array([200 + 2 * percent]))
    assert abs(percent) == 10 or curve_types(change)[0] == kind


def test_without_the_time_of_the_injection_the_rate_is_a_bound():
    unknown = curve(seconds=(0, 120, 210, 420), since_injection=False)
    assert unknown.kinetics.wash_in_per_minute == pytest.approx(100)
    assert "at least +100 % per minute, time of the injection unknown" in describe_curve(unknown)
    assert "at least" not in describe_curve(curve())


def test_unknown_times_give_no_rate():
    found = curve(seconds=None)
    assert found.kinetics.wash_in_per_minute is found.kinetics.wash_out_per_minute is None
    assert "wash-in +200 % (times unknown)" in describe_curve(found)


@pytest.mark.parametrize("signal", [(0, 50, 50, 50), (100, 100, 100, 100), (100, 80, 80, 60)])
def test_what_has_no_meaning_is_none(signal):
    found = curve(signal).kinetics
    assert found.wash_in_percent is None or found.type is None
    assert "nan" not in describe_curve(curve(signal))


def test_a_voxel_its_square_and_a_mask_give_their_means():
    ramp = np.arange(5 * 6 * 7, dtype=np.int16).reshape(5, 6, 7)
    phases = Phases((ramp, ramp + 10, ramp + 20), (0, 1, 2))
    assert curve_around(phases, (2, 3, 4)).signal == (109, 119, 129)
    assert curve_around(phases, (2, 3, 4), radius=1).voxels == 9
    assert curve_around(phases, (0, 0, 0), radius=1).voxels == 4
    assert curve_around(phases, (5, 0, 0)) is None
    assert curve_of(phases, ramp < 2).signal == (0.5, 10.5, 20.5)
    assert curve_of(phases, ramp < 0) is None
