"""Background enhancement: of the other breast's gland, whether fat is bright or dark, and when it cannot be told."""

from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.lesion.background import measure_background
from PCRPredictorLib.lesion.body import outline_body
from PCRPredictorLib.response.measure import measure_visit
from support.examples import BREASTS, SAGITTAL, TUMOUR, tiny_exam, whole_exam


def with_glands(exam, gland, fat, percent, other=0.0):
    """Return an exam whose breasts hold balls of gland of 25 mm radius in fat; that of the right breast enhances."""
    k, j, i = np.indices(exam.geometry.shape)
    x = exam.geometry.to_physical(np.stack([i, j, k], -1))
    rng = np.random.default_rng(1)
    inside = exam.pre > 50
    pre = np.where(inside, fat, exam.pre) + rng.normal(0, 2, exam.pre.shape)
    rise = np.zeros(pre.shape)
    for centre, enhancement in zip(BREASTS, (other, percent), strict=True):
        ball = ((x - centre - (0, -25, 0)) ** 2).sum(-1) < 25**2
        pre[ball] += gland - fat
        rise[ball] = enhancement / 100 * gland
    early = pre + rise + 120 * (exam.mask != 0)
    return replace(exam, pre=pre.clip(1).astype(np.float32), early=early.clip(1).astype(np.float32))


@pytest.mark.parametrize(("gland", "fat"), [(150, 50), (60, 180)])
@pytest.mark.parametrize("direction", [np.eye(3), SAGITTAL], ids=["axial", "sagittal"])
def test_the_gland_of_the_other_breast_is_measured_with_and_without_fat_suppression(gland, fat, direction):
    exam = with_glands(whole_exam(direction), gland, fat, percent=30, other=80)
    found = measure_background(exam, outline_body(exam), "left")
    assert found.percent == pytest.approx(30, abs=2)
    assert found.fat_suppressed == (gland > fat)
    assert found.slices[1] - found.slices[0] == 4


def test_a_visit_knows_the_side_from_its_tumour_or_from_an_earlier_visit():
    exam = with_glands(whole_exam(tumour=TUMOUR), 150, 50, percent=30, other=80)
    assert measure_visit(exam).values.background_enhancement_percent == pytest.approx(30, abs=2)
    gone = replace(exam, mask=np.zeros_like(exam.mask))
    assert measure_visit(gone, side="right").values.background_enhancement_percent == pytest.approx(80, abs=4)
    assert [n.message for n in measure_visit(gone).notices] == [
        "The background enhancement of the other breast is unknown: the side of the tumour is unknown."
    ]


def test_tumours_in_both_breasts_leave_no_other_one():
    exam = with_glands(whole_exam(), 150, 50, percent=30)
    both = exam.mask | exam.mask[:, :, ::-1]
    found = measure_visit(replace(exam, mask=both))
    assert found.values.background_enhancement_percent is None
    assert "there are tumours in both breasts" in found.notices[-1].message


def test_what_cannot_be_told_says_why():
    exam = whole_exam()  # one tissue alone
    assert "cannot be told apart" in measure_background(exam, outline_body(exam), "left").reason
    assert "outline of the body" in measure_background(tiny_exam(), outline_body(tiny_exam()), "left").reason
    half = replace(
        exam,
        **{name: getattr(exam, name)[:, :, 75:] for name in ("pre", "early", "late", "mask")},
        geometry=replace(exam.geometry, size=(75, *exam.geometry.size[1:])),
    )
    assert measure_background(half, outline_body(half), "left").reason == "the images show one breast"
