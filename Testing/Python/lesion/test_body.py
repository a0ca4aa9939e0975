"""The outline of the body in simulated whole exams, and its absence in slabs."""

from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.exam import Exam
from PCRPredictorLib.lesion.body import outline_body
from PCRPredictorLib.lesion.measurements import measure_lesion
from support.examples import AXIAL, SAGITTAL, tiny_exam, whole_exam


@pytest.mark.parametrize("direction", [AXIAL, SAGITTAL, np.diag([-1.0, -1.0, 1.0])])
def test_side_and_distances_are_told_in_a_whole_exam(direction):
    exam = whole_exam(direction)
    found = measure_lesion(exam, outline_body(exam))
    assert found.side == "left"
    assert found.distance_to_skin_mm == pytest.approx(60 - np.hypot(35, 10) - 6, abs=2.5)
    assert found.distance_to_nipple_mm == pytest.approx(np.hypot(25, 10) - 6, abs=3)


def test_lung_is_inside_the_body_and_air_outside():
    body = outline_body(whole_exam())
    assert body.contains(np.array([[40.0, 60, 0], [70, 0, 0], [70, -75, 0], [0, -30, 0]])).tolist() == [
        True,
        True,
        False,
        False,
    ]
    assert body.cleft == (pytest.approx(0, abs=3), pytest.approx(0, abs=3))
    assert body.side_of((-50, -10, 0)) == "right"


def test_nipple_outside_the_field_is_not_told():
    exam = whole_exam()
    upper = slice(45, None)  # the tip of the breast is 16 mm below these slices
    part = Exam(*(phase[upper] for phase in exam.phases), replace(exam.geometry, size=(150, 90, 30)))
    assert outline_body(part).nipple_near(np.array([70.0, -20.0, -15.0])) is None


def test_slab_and_window_without_air_show_no_outline():
    exam = whole_exam()
    inside = Exam(*(phase[:, 40:] for phase in exam.phases), replace(exam.geometry, size=(150, 50, 75)))
    assert outline_body(tiny_exam()) is None
    assert outline_body(inside) is None
