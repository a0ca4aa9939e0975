"""A mask in both breasts becomes two lesions; any other mask stays as it is."""

from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.lesion.sides import separate_sides
from support.examples import AXIAL, SAGITTAL, TUMOUR, tiny_exam, two_lesions, whole_exam

LEFT, RIGHT = TUMOUR, TUMOUR * (-1, 1, 1)


def exam_with(*positions, direction=AXIAL, radius=5.0):
    """Return a whole exam whose mask has a ball at each LPS position, mm."""
    exam = whole_exam(direction)
    k, j, i = np.indices(exam.geometry.shape)
    x = exam.geometry.to_physical(np.stack([i, j, k], -1))
    balls = [((x - position) ** 2).sum(-1) < radius**2 for position in positions]
    return replace(exam, mask=np.any(balls, axis=0).astype(np.uint8))


@pytest.mark.parametrize("direction", [AXIAL, SAGITTAL])
def test_pieces_in_both_breasts_are_a_lesion_each(direction):
    exam = exam_with(LEFT, LEFT + (0, 14, 0), RIGHT, direction=direction)
    found = separate_sides(exam)
    assert [lesion.name for lesion in found.lesions] == ["left breast", "right breast"]
    assert np.array_equal(sum(lesion.mask for lesion in found.lesions), exam.mask)
    for lesion, side in zip(found.lesions, (LEFT, RIGHT), strict=True):
        assert np.sign(replace(exam, mask=lesion.mask).centre[0]) == np.sign(side[0])


def test_pieces_in_one_breast_stay_one_tumour():
    exam = exam_with(LEFT + (25, 0, 0), LEFT - (30, 0, 0), LEFT + (0, 0, -40))
    assert separate_sides(exam) is exam


def test_a_stray_voxel_in_the_other_breast_makes_no_lesion():
    exam = exam_with(LEFT)
    index = np.rint(exam.geometry.to_index(RIGHT)).astype(int)
    exam.mask[tuple(index[::-1])] = 1
    assert separate_sides(exam) is exam


def test_slabs_lesions_and_exams_without_a_tumour_stay_as_they_are():
    for exam in (tiny_exam(), two_lesions(), replace(tiny_exam(), mask=None)):
        assert separate_sides(exam) is exam
