import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Exam, Geometry
from PCRPredictorLib.model.grid import GridSpec
from PCRTrainingLib.cohort.lesions import check_window, separate

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
    message = r'holds 0% of the mask, which has 2 tumours at least 20 mm apart; train on each with "lesions": "each"'
    with pytest.raises(DataError, match=message):
        check_window(exam(((10, 14), (10, 14)), ((10, 14), (90, 94))), GridSpec())


def test_tumour_of_which_most_lies_outside_is_refused_with_its_size():
    with pytest.raises(DataError, match=r"window of 80 mm holds 4.% of the mask, which is 180 mm wide; check the mask"):
        check_window(exam(((10, 20), (20, 80))), GridSpec())
    assert check_window(exam(((10, 20), (20, 80))), GridSpec(window=200)) == ()


def test_tumour_of_which_a_part_lies_outside_is_a_warning():
    (notice,) = check_window(exam(((10, 20), (20, 60))), GridSpec())
    assert notice.code == "mask_outside_window"
    assert "holds 6" in notice.message


def test_satellites_belong_to_their_tumour_and_the_largest_comes_first():
    mask = np.asarray(exam(((10, 12), (10, 12)), ((10, 12), (15, 17)), ((10, 20), (90, 94))).mask)
    assert [np.count_nonzero(tumour) for tumour in separate(mask, GEOMETRY)] == [80, 16]
