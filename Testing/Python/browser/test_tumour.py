"""The tumour painted, erased and grown in the browser."""

import numpy as np
import pytest
from support.browser_help import (
    click,
    drag,
    predict,
    slide,
    view,
    wait_until_idle,
)


def test_a_painted_tumour_makes_the_result_stale_and_changes_it(page):
    before = predict(page)
    page.click("#tool-paint")
    slide(page, "brush", 0.4)
    drag(page, (0.35, 0.35), (0.65, 0.6))
    page.wait_for_selector("#stale")
    after = predict(page)
    assert after != before
    page.click("#undo")
    page.wait_for_selector("#stale")
    assert predict(page) == before


@pytest.mark.parametrize("detour", [False, True])
def test_what_is_erased_is_gone_also_after_a_look_at_the_phases(page, detour):
    if detour:
        page.click("#arrange-compare")
        page.wait_for_selector("#views >> text=Subtraction")
        page.click("#arrange-four_up")
        page.wait_for_selector("#views >> text=Coronal")
        wait_until_idle(page)
    page.click("#tool-erase")
    slide(page, "brush", 0.99)
    for row in (0.35, 0.5, 0.65):
        drag(page, (0.3, row), (0.7, row))
    page.wait_for_function("document.querySelector('#volume').innerText.endsWith(' 0.0 ml')")
    page.click("#predict")
    page.wait_for_selector("#problem")
    assert "segment the tumour first" in page.inner_text("#problem")


def test_a_brush_works_in_the_phases_side_by_side(page):
    page.click("#arrange-compare")
    page.wait_for_selector("#views >> text=Subtraction")
    wait_until_idle(page)
    before = view(page, 3)
    page.click("#tool-paint")
    slide(page, "brush", 0.6)
    drag(page, (0.2, 0.2), (0.4, 0.3), number=1)
    page.mouse.move(10, 400)
    wait_until_idle(page)
    assert np.abs(view(page, 3) - before).mean() > 0.1


def test_one_click_grows_the_tumour_and_can_be_undone(page):
    volume = page.inner_text("#volume")
    page.click("#tool-grow")
    slide(page, "enhancement", 0.05)
    page.wait_for_function("v => document.querySelector('#volume').innerText !== v", arg=volume)
    volume = page.inner_text("#volume")
    click(page, (0.5, 0.5))
    page.wait_for_function("v => document.querySelector('#volume').innerText !== v", arg=volume)
    page.wait_for_function("document.querySelector('#tool-look').className.includes('v-btn--active')")
    page.click("#undo")
    page.wait_for_function("v => document.querySelector('#volume').innerText === v", arg=volume)


def test_a_click_beside_everything_reports_what_to_do(page):
    page.click("#tool-grow")
    click(page, (0.05, 0.8))
    page.wait_for_selector("#problem")
    assert "click" in page.inner_text("#problem")
