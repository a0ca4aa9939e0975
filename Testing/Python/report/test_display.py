import numpy as np
import pytest
from PCRPredictorLib.exam import Geometry
from PCRPredictorLib.report import display
from support.examples import AXIAL, CORONAL, SAGITTAL, tiny_exam

TILT = np.array([[1, 0, 0], [0, np.cos(0.5), -np.sin(0.5)], [0, np.sin(0.5), np.cos(0.5)]])


@pytest.mark.parametrize(
    ("direction", "letters"), [(AXIAL, "R L A P"), (SAGITTAL, "A P S I"), (CORONAL, "R L S I"), (TILT, "R L AI PS")]
)
def test_slices_are_oriented_as_in_viewers(direction, letters):
    assert display.slice_view(Geometry((9, 8, 5), (1, 1, 3), direction=direction)).letters == tuple(letters.split())


@pytest.mark.parametrize("mirror", [(-1, -1, 1), (1, -1, -1), (-1, 1, -1)])
def test_storage_order_makes_no_difference(mirror):
    assert display.slice_view(Geometry((9, 8, 5), (1, 1, 3), direction=AXIAL * mirror)).letters == ("R", "L", "A", "P")


def test_second_letter_appears_beyond_twenty_degrees():
    assert display.direction_letters(np.array([np.cos(0.3), np.sin(0.3), 0])) == "L"
    assert display.direction_letters(np.array([np.cos(0.5), -np.sin(0.5), 0])) == "LA"


@pytest.mark.parametrize(("direction", "label"), [(AXIAL, "slice 2/5, I 7 mm"), (-AXIAL, "slice 4/5, I 19 mm")])
def test_slice_is_named_by_its_stored_number_and_position(direction, label):
    geometry = Geometry((9, 8, 5), (1, 1, 3), (0, 0, -10), direction)
    assert display.slice_view(geometry).label(1) == label


def test_zoom_is_80_mm_moved_inside_the_field():
    mask = np.zeros((4, 100, 200), bool)
    mask[2, 50:55, 190:199] = True
    box = display.slice_view(Geometry((200, 100, 4), (1, 1, 5))).zoom(mask)
    assert (box.width, box.height, box.right) == (80, 80, 199.5)
    assert (box.top + box.bottom) / 2 == 52


def test_zoom_grows_with_the_tumour():
    mask = np.zeros((1, 200, 200), bool)
    mask[0, 50:151, 90:110] = True
    assert display.slice_view(Geometry((200, 200, 1), (1, 1, 5))).zoom(mask).width == 110


@pytest.mark.parametrize("direction", [AXIAL, -AXIAL, SAGITTAL, CORONAL])
def test_voxels_near_the_tumour_hold_all_of_it_and_no_other_slice(direction):
    exam = tiny_exam(direction, size=(90, 80, 12))
    near = exam.mask[display.near_tumour(exam)]
    assert near.sum() == exam.mask.sum()
    assert near.shape[0] == exam.mask.any((1, 2)).sum()
    assert near.size < exam.mask.size


def test_main_slice_is_that_of_the_peak_or_else_of_most_tumour():
    mask, attention = np.zeros((2, 5, 4, 4))
    mask[1:3, 1] = mask[2, 2] = 1
    assert display.main_slice(attention, mask) == 2
    attention[4, 0, 0] = 0.3
    assert display.main_slice(attention, mask) == 4


@pytest.mark.parametrize(("tumour", "shown"), [(range(10, 19), [11, 14, 17]), ([3, 4], [3, 4]), ([7], [7])])
def test_slices_are_spread_over_the_tumour(tumour, shown):
    mask = np.zeros((20, 2, 2))
    mask[list(tumour)] = 1
    assert display.slices_through(mask, 3) == shown


def test_difference_of_unsigned_phases_does_not_wrap_around():
    assert display.subtract(np.array([3], np.uint8), np.array([200], np.uint8)) == -197
    assert display.subtract(np.array([60000], np.uint16), np.array([0], np.uint16)).dtype == np.float32


def test_small_bright_tumour_does_not_saturate_and_a_flat_image_has_a_range():
    values, mask = np.zeros((2, 10000))
    values[0], mask[0] = 50, 1
    assert display.grey_limits(values, mask) == (0, 50)
    low, high = display.grey_limits(np.ones(9), np.ones(9))
    assert low < high


@pytest.mark.parametrize(
    ("offset", "words"),
    [((12, -30, 0.4), "12 mm left, 30 mm anterior"), ((-1, 2, -3), "1 mm right, 2 mm posterior, 3 mm inferior")],
)
def test_offset_is_in_words(offset, words):
    assert display.describe_offset(offset) == words
