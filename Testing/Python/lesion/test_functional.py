"""What the trial measures of a tumour: which voxels count, and numbers of shapes that are known."""

from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.exam import Exam, Geometry
from PCRPredictorLib.lesion.functional import (
    face_sphericity,
    functional_voxels,
    highest_ser,
    longest_of_largest_piece,
)

GEOMETRY = Geometry((20, 20, 10), (1.0, 1.0, 2.0))
BLOCK = (slice(3, 7), slice(5, 15), slice(5, 15))


def exam(early=200, late=180, pre=100, block=BLOCK, geometry=GEOMETRY):
    """Return phases of 100 with a block of those signals, and the block as its mask."""
    phases = [np.full(geometry.shape, 100, np.int16) for _ in range(3)]
    for phase, signal in zip(phases, (pre, early, late), strict=True):
        phase[block] = signal
    mask = np.zeros(geometry.shape, np.uint8)
    mask[block] = 1
    return Exam(*phases, geometry, mask)


@pytest.mark.parametrize(("early", "late", "counts"), [(170, 170, True), (169, 170, False), (200, 99, False)])
def test_a_voxel_counts_from_70_percent_and_if_it_is_not_dark_late(early, late, counts):
    one = exam(early, late)
    assert bool(functional_voxels(one, one.mask).any()) == counts


def test_a_voxel_needs_four_neighbours():
    one = exam(block=(slice(5, 6), slice(5, 6), slice(5, 10)))  # a line: its inner voxels have two
    assert not functional_voxels(one, np.ones(GEOMETRY.shape)).any()
    flat = exam(block=(slice(5, 6), slice(5, 7), slice(5, 10)))  # two lines: five inside, three at the ends
    assert functional_voxels(flat, np.ones(GEOMETRY.shape)).sum() == 6


def test_thick_slices_say_nothing_of_each_other():
    thick = exam(block=(slice(5, 6), slice(5, 6), slice(5, 10)), geometry=replace(GEOMETRY, spacing=(1.0, 1.0, 4.0)))
    assert functional_voxels(thick, thick.mask).sum() == 5  # each as if the line went on above and below
    thick.early[5, 5, 6:10] = 100
    assert not functional_voxels(thick, thick.mask).any()


def test_dark_tissue_counts_in_an_outline_but_not_in_a_volume_of_interest():
    dark = exam(pre=59, early=118, late=118)  # fat is 100 around it
    assert functional_voxels(dark, dark.mask).sum() == 400
    assert not functional_voxels(dark, np.ones(GEOMETRY.shape), outlined=False).any()
    less_dark = exam(pre=61, early=122, late=122)
    assert functional_voxels(less_dark, np.ones(GEOMETRY.shape), outlined=False).sum() == 400


def test_the_longest_diameter_is_that_of_the_largest_piece_in_a_slice():
    mask = exam().mask
    mask[9, 0, :] = 1  # a vessel, 20 mm long
    assert longest_of_largest_piece(mask, GEOMETRY) == pytest.approx(np.hypot(10, 9), abs=0.1)
    assert longest_of_largest_piece(np.zeros_like(mask), GEOMETRY) == 0


def test_the_sphericity_of_voxel_faces_is_that_of_a_cube_at_most():
    cube = np.ones((5, 10, 10))
    assert face_sphericity(cube, (2.0, 1.0, 1.0)) == pytest.approx((np.pi / 6) ** (1 / 3))
    cube[1::2, 1::2, 1::2] = 0  # pores
    assert face_sphericity(cube, (2.0, 1.0, 1.0)) < 0.6
    assert face_sphericity(np.zeros((3, 3, 3)), (1.0, 1.0, 1.0)) is None


def test_the_peak_ser_is_that_of_a_hot_spot_and_not_of_a_voxel():
    one = exam(early=200, late=200)
    one.late[4:6, 7:13, 7:13] = 180  # a region that washes out: 100 / 80
    one.late[6, 12, 12] = 110  # a single voxel: 100 / 10
    assert highest_ser(one, functional_voxels(one, one.mask)) == pytest.approx(1.25)


def test_a_small_tumour_has_the_ser_of_all_its_voxels():
    one = exam(200, 180, block=(slice(5, 7), slice(5, 7), slice(5, 7)))
    assert highest_ser(one, functional_voxels(one, one.mask)) == pytest.approx(1.25)
    assert highest_ser(one, np.zeros(GEOMETRY.shape, bool)) is None
