import numpy as np
from PCRPredictorLib.exam import Exam, Geometry, Lesion
from PCRPredictorLib.lesion.parts import separate, with_separate_lesions

GEOMETRY = Geometry((110, 40, 6), (3.0, 3.0, 5.0))


def mask(*boxes):
    array = np.zeros(GEOMETRY.shape, np.uint8)
    for rows, columns in boxes:
        array[2:4, slice(*rows), slice(*columns)] = 1
    return array


def exam(array):
    image = np.ones(GEOMETRY.shape)
    return Exam(image, image, image, GEOMETRY, mask=array)


def test_satellites_belong_to_their_tumour_and_the_largest_comes_first():
    found = separate(mask(((10, 12), (10, 12)), ((10, 12), (15, 17)), ((10, 20), (90, 94))), GEOMETRY)
    assert [np.count_nonzero(tumour) for tumour in found] == [80, 16]


def test_one_tumour_and_none_are_one_mask():
    assert len(separate(mask(((1, 3), (1, 3))), GEOMETRY)) == len(separate(mask(), GEOMETRY)) == 1
    assert with_separate_lesions(exam(mask(((1, 3), (1, 3))))).lesions == ()


def test_tumours_become_lesions_unless_labels_tell_them_apart_already():
    both = exam(mask(((1, 3), (1, 3)), ((1, 5), (90, 93))))
    assert [lesion.name for lesion in with_separate_lesions(both).lesions] == ["tumour 1", "tumour 2"]
    labelled = both.with_lesions([Lesion("a", mask(((1, 3), (1, 3)))), Lesion("b", mask(((1, 3), (5, 7))))])
    assert with_separate_lesions(labelled) is labelled
