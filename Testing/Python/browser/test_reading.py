"""The reading station in the browser: curve, colours, films and keys."""

import numpy as np
import pytest
from support.browser_help import drag, view, wait_for_change, wait_until_idle


def hover(page, place, number=0):
    box = page.locator(".remote-controlled-area").nth(number).bounding_box()
    page.mouse.move(box["x"] + place[0] * box["width"] - 5, box["y"] + place[1] * box["height"])
    page.wait_for_timeout(200)
    page.mouse.move(box["x"] + place[0] * box["width"], box["y"] + place[1] * box["height"], steps=3)


def test_the_curve_follows_the_mouse_and_the_lesion_is_measured(page):
    page.wait_for_selector("#kinetics >> text=Curve types")
    hover(page, (0.5, 0.5))
    page.wait_for_selector("#cursor >> text=mm: pre")
    page.wait_for_selector("#cursor-curve >> text=wash-in")
    assert page.locator("#curves polyline").count() == 3
    before = page.inner_text("#cursor")
    hover(page, (0.4, 0.6))
    page.wait_for_function("before => document.querySelector('#cursor').innerText !== before", arg=before)


def test_notches_of_the_wheel_are_slices_and_end_with_the_exam(page):
    def shown():
        words = page.inner_text("#views").split("slice ")[1]
        return [int(part) for part in words.split(",")[0].split("/")]

    hover(page, (0.5, 0.5))
    number, count = shown()
    page.mouse.wheel(0, -100)
    page.wait_for_function(f"document.querySelector('#views').innerText.includes('slice {number + 1}/{count}')")
    for _ in range(count):
        page.mouse.wheel(0, 100)
    page.wait_for_function(f"document.querySelector('#views').innerText.includes('slice 1/{count}')")


@pytest.mark.slow
def test_keys_hang_colour_step_and_reset(page):
    wait_until_idle(page)
    page.keyboard.press("h")
    page.wait_for_selector("#keys >> text=Turn the MIP")
    page.keyboard.press("h")
    before = view(page)
    page.keyboard.press("k")
    wait_until_idle(page)
    coloured = view(page)
    assert np.abs(coloured - before).max() > 60
    page.keyboard.press("ArrowUp")
    wait_until_idle(page)
    wait_for_change(page, coloured, 0, 0.5)
    page.keyboard.press("v")
    page.wait_for_selector("#views >> text=Subtraction")
    wait_until_idle(page)
    mip = view(page, 3)
    assert (mip > 60).mean() > 0.005
    page.keyboard.press("m")
    page.wait_for_timeout(1500)
    page.keyboard.press("m")
    wait_until_idle(page)
    wait_for_change(page, mip, 3, 0.5)
    pre, early, subtraction = (view(page, number) for number in range(3))
    page.keyboard.press("w")
    drag(page, (0.2, 0.2), (0.4, 0.3), 1)
    wait_until_idle(page)
    wait_for_change(page, early, 1, 0.3)  # the image, not the map over it
    wait_for_change(page, pre, 0, 0.3)  # as wide a window as in the early phase
    assert np.abs(view(page, 2) - subtraction).mean() < 0.1
    page.keyboard.press("r")
    wait_until_idle(page)
    page.keyboard.press("v")
    page.wait_for_selector("#views >> text=Coronal")


def test_the_3d_view_begins_anew_in_a_different_arrangement_and_shows_no_mip_there(page):
    page.click("#do-reset")
    wait_until_idle(page)
    whole = view(page, 1)
    box = page.locator(".remote-controlled-area").nth(1).bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down(button="right")
    page.mouse.move(box["x"] + 100, box["y"] + 200, steps=5)
    page.mouse.up(button="right")
    wait_for_change(page, whole, 1, 2)
    page.click("#do-hang")
    page.wait_for_selector("#views >> text=MIP of the subtraction")
    wait_until_idle(page)
    page.click("#arrange-four_up")
    page.wait_for_selector("#views >> text=Coronal")
    page.mouse.move(10, 400)
    wait_until_idle(page)
    assert page.locator("#views >> text=MIP of the subtraction").count() == 0
    assert np.abs(view(page, 1) - whole).mean() < 1
