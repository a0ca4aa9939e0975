"""Differences between the acquisitions of two visits."""

from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.exam import Provenance
from PCRPredictorLib.response.protocol import compare_protocols
from support.follow_up.visits import small_exam, visit

ONE, TWO = small_exam(0), small_exam(1)


def codes(exam=TWO, first=None, **facts):
    return [
        notice.code
        for notice in compare_protocols(visit("T0", exam=ONE, **(first or {})), visit("T1", exam=exam, **facts))
    ]


def test_equal_protocols_have_no_difference():
    assert codes() == []


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        ({"phases": 6}, {"phases": 3}, "phases_differ"),
        ({"field_strength": 1.5}, {"field_strength": 3.0}, "field_strength_differs"),
        ({"manufacturer": "SIEMENS"}, {"manufacturer": "GE MEDICAL"}, "manufacturer_differs"),
        ({"fat_suppressed": True}, {"fat_suppressed": False}, "fat_suppression_differs"),
    ],
)
def test_each_setting_that_differs_is_named_unless_one_is_unknown(first, second, code):
    assert codes(first=first, **second) == [code]
    assert codes(first=first) == codes(**second) == []


def test_one_manufacturer_under_two_names_is_no_difference():
    assert codes(first={"manufacturer": "SIEMENS"}, manufacturer="SIEMENS HEALTHINEERS") == []


def test_a_later_early_phase_is_named_with_both_times():
    later = replace(TWO, provenance=Provenance("file", (0, 170, 400)))
    (notice,) = compare_protocols(visit("T0", exam=ONE), visit("T1", exam=later))
    assert "170 s after the pre-contrast phase instead of 120 s" in notice.message


def test_voxels_of_a_different_size_and_a_field_of_one_breast_are_named():
    assert codes(small_exam(size=(24, 20, 5), spacing=(3, 3, 6))) == ["spacing_differs"]
    assert codes(small_exam(size=(24, 20, 10))) == ["field_differs"]


def test_slices_in_a_different_plane_are_named():
    sagittal = [[0, 0, 1], [1, 0, 0], [0, -1, 0]]
    assert codes(small_exam(1, direction=np.array(sagittal, float))) == ["plane_differs"]
    assert codes(small_exam(1, direction=np.diag([-1.0, -1.0, 1.0]))) == []
