"""The mask check: each wrong mask has its code, a right one has none."""

from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.dicom.objects.codes import short_code
from PCRPredictorLib.lesion.body import outline_body
from PCRPredictorLib.lesion.mask_check import about_mask, check_mask, examine_mask
from scipy import ndimage
from support.documentation import ROOT, inline
from support.examples import tiny_exam, whole_exam

EXAM = whole_exam()
BODY = outline_body(EXAM)
MASK = EXAM.mask != 0


def moved(k=0, j=0, i=0):
    return np.roll(MASK, (k, j, i), (0, 1, 2))


def block(k, j, i, half=2):
    """Return the tumour with a block of voxels around another one."""
    mask = MASK.copy()
    mask[k - half : k + half + 1, j - half : j + half + 1, i - half : i + half + 1] = True
    return mask


def codes_of(mask, exam=EXAM, body=BODY):
    return {notice.code for notice in check_mask(replace(exam, mask=mask.astype(np.uint8)), body)}


def test_right_mask_is_not_warned_of():
    assert codes_of(MASK) == set()
    assert codes_of(tiny_exam().mask, tiny_exam(), None) == set()


@pytest.mark.parametrize("steps", [{"i": 3}, {"j": 4}, {"k": -5}, {"i": -8}])
def test_displaced_mask_is_found_with_its_distance(steps):
    (notice,) = (n for n in check_mask(replace(EXAM, mask=moved(**steps)), BODY) if n.code == "mask_displaced")
    (distance,) = (2 * abs(step) for step in steps.values())
    assert f"moved by {distance} mm" in notice.message


def test_mask_on_dark_tissue_does_not_enhance():
    assert codes_of(moved(j=20)) >= {"mask_not_enhancing"}


def test_single_slice_is_said_to_move_the_probability():
    mask = MASK & (np.arange(len(MASK))[:, None, None] == np.argwhere(MASK)[:, 0].mean().round())
    (notice,) = (n for n in check_mask(replace(EXAM, mask=mask), BODY) if n.code == "mask_single_slice")
    assert "0.19" in notice.message


def test_mask_smaller_or_larger_than_the_enhancing_tissue_is_found():
    assert codes_of(ndimage.binary_erosion(MASK)) == {"mask_too_small"}
    assert codes_of(ndimage.binary_dilation(MASK, iterations=2)) == {"mask_too_large"}


def test_stray_pieces_are_counted_with_their_distance():
    (notice,) = (n for n in check_mask(replace(EXAM, mask=block(37, 60, 80, 0)), BODY) if n.code == "mask_pieces")
    assert "2 separate pieces" in notice.message


def test_skin_air_chest_and_the_other_breast_are_told_in_a_whole_exam():
    in_skin = MASK.copy()
    in_skin[30:50, 12:14, 105:115] = True
    assert "mask_in_skin" in codes_of(in_skin)
    assert "mask_in_air" in codes_of(block(37, 3, 110, 3))
    assert "mask_in_chest" in codes_of(block(37, 75, 90, 3))
    assert "mask_both_sides" in codes_of(block(37, 30, 40, 3))
    assert codes_of(block(37, 30, 40, 3), body=None).isdisjoint({"mask_both_sides", "mask_in_chest", "mask_in_skin"})


def test_end_of_the_field_counts_in_plane_and_in_a_whole_exam_through_plane():
    slab = tiny_exam(size=(48, 40, 4))
    full = slab.mask | np.any(slab.mask, 0)
    assert "mask_at_border" not in codes_of(full, slab, None)
    assert "mask_at_border" in codes_of(np.roll(full, -29, 2), slab, None)
    assert "mask_at_border" in codes_of(moved(k=32))


def test_numbers_decide_and_every_code_has_a_short_form_of_its_own():
    found = examine_mask(EXAM, BODY)
    wrong = replace(
        found,
        pieces_ml=(1.0, 0.9, 0.8),
        slices=1,
        at_border=0.1,
        skin=0.2,
        air=0.2,
        chest=0.5,
        other_side=0.3,
        fit=0.5,
        move_mm=9,
    )
    codes = {notice.code for notice in about_mask(wrong)}
    assert len(codes) == 8
    assert {short_code(code) for code in codes} <= set(inline(ROOT / "Resources" / "Docs" / "dicom.md"))
