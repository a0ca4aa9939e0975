"""Variants of a mask, and the part of an exam that they are read in."""

from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.exam import Exam, Geometry
from PCRPredictorLib.lesion.variants import crop_exam, vary_mask
from PCRPredictorLib.model.grid import GridSpec, place_window, sample
from support.examples import tiny_exam


def geometry_of(mask, between=1.5):
    return Geometry(mask.shape[::-1], (1.0, 1.0, between))


def test_thick_slices_are_not_eroded_through():
    mask = np.zeros((9, 30, 30), bool)
    mask[3:6, 12:18, 12:18] = True
    eroded, dilated, *_ = vary_mask(mask, geometry_of(mask, 5.0))
    assert (eroded.sum(), dilated.sum()) == (3 * 4 * 4, 3 * (36 + 24))


def test_mask_is_eroded_dilated_and_moved_both_ways_along_every_axis():
    mask = np.zeros((20, 30, 30), bool)
    mask[8:12, 12:18, 12:18] = True
    eroded, dilated, *moved = vary_mask(mask, geometry_of(mask))
    assert (eroded.sum(), dilated.sum()) == (2 * 4 * 4, mask.sum() + 2 * (36 + 24 + 24))
    shifts = {tuple(np.argwhere(each).mean(0) - np.argwhere(mask).mean(0)) for each in moved}
    assert shifts == {(1, 2, 2), (1, -2, -2), (-1, 2, -2), (-1, -2, 2)}


def test_tumour_goes_on_beyond_the_end_of_the_field():
    mask = np.zeros((3, 30, 30), bool)
    mask[:, 12:18, 12:18] = True  # in every slice of a slab
    eroded, _, *moved = vary_mask(mask, geometry_of(mask))
    assert eroded.sum() == 3 * 4 * 4
    assert all(each.sum() == mask.sum() for each in moved)


def test_variant_without_a_voxel_is_left_out():
    mask = np.zeros((9, 30, 30), bool)
    mask[4, 15, 15] = True
    assert len(vary_mask(mask, geometry_of(mask))) == 5


@pytest.mark.parametrize("at", [(0, 5, 6), (20, 60, 70), (39, 118, 3), (12, 119, 139)])
def test_window_reads_the_same_in_the_part_as_in_the_exam(at):
    rng = np.random.default_rng(0)
    geometry = Geometry((140, 120, 40), (1.0, 1.0, 2.0))
    phase = rng.normal(100, 20, geometry.shape)
    mask = np.zeros(geometry.shape, np.uint8)
    mask[tuple(slice(max(a - 4, 0), a + 3) for a in at)] = 1
    exam = Exam(phase, phase, phase, geometry, mask)
    part = crop_exam(exam, 40)
    for whole, cropped in zip(
        (exam, *map(lambda m: replace(exam, mask=m), vary_mask(mask != 0, geometry))),
        (part, *map(lambda m: replace(part, mask=m), vary_mask(part.mask, part.geometry))),
        strict=True,
    ):
        windows = (place_window(each.mask != 0, each.geometry, GridSpec()) for each in (whole, cropped))
        np.testing.assert_allclose(
            *(sample(e.early, w) for e, w in zip((whole, cropped), windows, strict=True)), rtol=1e-6
        )


def test_part_keeps_its_place():
    exam = tiny_exam()
    np.testing.assert_allclose(crop_exam(exam, 10).centre, exam.centre)
