"""The views of the page: what they show and how they are moved."""

import numpy as np
import pytest
from PCRPredictorLib.reading.cohort import find_patients
from support.browser_help import (
    click,
    predict,
    slide,
    slide_slices,
    view,
    wait_for_change,
    wait_until_idle,
)


@pytest.mark.slow
def test_phases_side_by_side_show_each_its_own_and_move_together(page):
    page.click("#show-pre")
    page.click("#arrange-compare")
    page.wait_for_selector("#views >> text=Subtraction")
    wait_until_idle(page)
    pre, early, late, _subtraction = (view(page, number) for number in range(4))
    assert np.abs(early - pre).mean() > 2
    assert np.abs(late - pre).mean() > 2
    slide_slices(page, 0.2)
    wait_until_idle(page)
    wait_for_change(page, early, 1, 1)
    assert page.locator("#show-late").is_disabled()
    page.set_viewport_size({"width": 1900, "height": 800})
    wait_until_idle(page)
    page.set_viewport_size({"width": 1500, "height": 900})
    wait_until_idle(page)
    slide_slices(page, 0.5)
    wait_until_idle(page)
    assert (view(page, 1) > 30).mean() > 0.5 * (early > 30).mean()  # not a speck
    pre, early = view(page, 0), view(page, 1)
    page.click("#arrange-four_up")
    page.wait_for_selector("#views >> text=Coronal")
    wait_until_idle(page)
    assert np.abs(view(page) - pre).mean() < np.abs(view(page) - early).mean()


def test_hidden_attention_is_hidden_side_by_side_too(page):
    predict(page)
    page.click("#arrange-compare")
    page.wait_for_selector("#views >> text=Subtraction")
    page.click("#outline")
    wait_until_idle(page)
    assert np.ptp(view(page, 1), axis=-1).max() > 60
    page.click("#visible")
    wait_until_idle(page)
    assert np.ptp(view(page, 1), axis=-1).max() < 30  # grey


def test_grey_values_make_the_picture_brighter_until_a_different_exam_is_open(page, cohort):
    before = view(page)
    slide(page, "grey_stop", 0.3)  # 60 %: nearer to the white end, which moves
    wait_until_idle(page)
    assert view(page).mean() > 1.2 * before.mean()
    page.click(f"#exams >> text={find_patients(cohort)[1].patient_id}")
    page.wait_for_function("document.querySelector('#panel').innerText.includes('0 to 100 %')")


def test_the_left_button_shows_a_place_in_all_views(page):
    before = [view(page, number) for number in range(4)]
    click(page, (0.35, 0.3))
    wait_until_idle(page)
    after = [view(page, number) for number in range(4)]
    axial, _space, coronal, sagittal = (np.abs(a - b).mean() for a, b in zip(after, before, strict=True))
    assert axial < 0.5
    assert coronal > 1
    assert sagittal > 1
