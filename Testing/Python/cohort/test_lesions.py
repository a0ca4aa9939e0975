import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Exam, Geometry
from PCRPredictorLib.lesion.parts import with_separate_lesions
from PCRPredictorLib.model.grid import GridSpec
from PCRTrainingLib.cohort.lesions import check_window, other_lesions

GEOMETRY = Geometry((110, 40, 6), (3.0, 3.0, 5.0))  # 330 mm wide: both breasts


def exam(*boxes):
    mask = np.zeros(GEOMETRY.shape, np.uint8)
    for rows, columns in boxes:
        mask[2:4, slice(*rows), slice(*columns)] = 1
    image = np.ones(GEOMETRY.shape)
    return Exam(image, image, image, GEOMETRY, mask=mask)


def test_tumour_inside_the_window_needs_no_words():
    assert check_window(exam(((10, 20), (20, 30))), GridSpec()) == ()


def test_tumour_in_each_breast_is_refused_with_what_to_do():
    message = r'holds 0 % of the mask, which has 2 tumours at least 20 mm apart; train on each with "lesions": "each"'
    with pytest.raises(DataError, match=message):
        check_window(exam(((10, 14), (10, 14)), ((10, 14), (90, 94))), GridSpec())


def test_tumour_of_which_most_lies_outside_is_refused_with_its_size():
    with pytest.raises(
        DataError, match=r"window of 80 mm holds 4. % of the mask, which is 180 mm wide; check the mask"
    ):
        check_window(exam(((10, 20), (20, 80))), GridSpec())
    assert check_window(exam(((10, 20), (20, 80))), GridSpec(window=200)) == ()


def test_tumour_of_which_a_part_lies_outside_is_a_warning():
    (notice,) = check_window(exam(((10, 20), (20, 60))), GridSpec())
    assert notice.code == "mask_outside_window"
    assert "holds 6" in notice.message


def test_other_tumours_are_exams_of_their_own_and_those_that_do_not_fit_are_reported():
    both = with_separate_lesions(exam(((5, 25), (2, 9)), ((5, 12), (30, 36)), ((10, 11), (55, 110))))
    assert len(both.lesions) == 3
    others, notices = other_lesions(both, GridSpec(window=60))
    assert [np.count_nonzero(other.mask) for other in others] == [84]
    assert [notice.message[:22] for notice in notices] == ["Tumour 2 was left out:"]
