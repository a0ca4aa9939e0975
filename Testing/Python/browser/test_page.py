"""The layout and the keys of the page of `pcr view`."""

import re

import numpy as np
import pytest
from support.browser_help import (
    click,
    drag,
    open_page,
    predict,
    serving,
    slide,
    slide_slices,
    view,
    wait_for_change,
    wait_until_idle,
)


def test_keys_in_a_view_do_not_end_the_page(page):
    before = page.inner_text("#title")
    for number in range(4):
        click(page, (0.5, 0.7), number)
        page.keyboard.type("eqw3")
    wait_until_idle(page)
    assert page.inner_text("#title") == before
    assert predict(page)


@pytest.mark.parametrize("arrangement", ["four_up", "compare"])
def test_a_page_shows_four_views_and_nothing_below_them(page, arrangement):
    page.click(f"#arrange-{arrangement}")
    page.wait_for_selector(f"#views >> text={'Coronal' if arrangement == 'four_up' else 'Subtraction'}")
    assert page.locator(".remote-controlled-area").count() == 4
    page.set_viewport_size({"width": 1366, "height": 768})
    assert page.evaluate("document.documentElement.scrollHeight") == 768
    wait_until_idle(page)
    shown = "i => [i.naturalWidth / i.clientWidth, i.naturalHeight / i.clientHeight]"
    for picture in page.locator(".remote-controlled-area img").all():
        assert picture.evaluate(shown) == pytest.approx([1, 1], abs=0.02)


def choose_model(page, name):
    page.locator(".v-select", has=page.locator("#model")).click()
    page.click(f".v-overlay >> text={name}")
    page.wait_for_selector("text=No prediction yet.")


def test_a_different_model_takes_the_attention_of_the_last_one_out_of_the_views(page):
    predict(page)
    page.click("#visible")
    wait_until_idle(page)
    plain = view(page)
    page.click("#visible")
    wait_until_idle(page)
    wait_for_change(page, plain, 0, 1)
    choose_model(page, "ispy2")
    wait_until_idle(page)
    assert np.abs(view(page) - plain).mean() < 0.5
    assert page.locator("#opacity").count() == 0


def test_an_undone_stroke_leaves_the_result_as_it_was(page):
    predict(page)
    page.click("#tool-paint")
    slide(page, "brush", 0.4)
    drag(page, (0.35, 0.35), (0.65, 0.6))
    page.wait_for_selector("#stale")
    page.click("#undo")
    page.wait_for_selector("#stale", state="detached")


def test_the_report_is_at_the_operating_point_on_the_screen(page, tmp_path):
    predict(page)
    decision = page.inner_text("#decision")
    page.locator(".v-select", has=page.locator("#point")).click()
    page.locator(".v-overlay .v-list-item").last.click()
    page.wait_for_function("before => document.querySelector('#decision').innerText !== before", arg=decision)
    threshold = re.search(r"\([.\d]+ %\)", page.inner_text("#decision"))[0]
    with page.expect_download() as download:
        page.click("#report")
    download.value.save_as(tmp_path / "report.html")
    assert threshold in (tmp_path / "report.html").read_text(encoding="utf-8")


def look_at_phases(page):
    page.click("#arrange-compare")
    page.wait_for_selector("#views >> text=Subtraction")
    wait_until_idle(page)


def test_phases_side_by_side_show_the_place_of_the_axial_view(page):
    axial = view(page)
    look_at_phases(page)
    assert np.abs(view(page, 1) - axial).mean() < 2  # the early phase, as before


@pytest.mark.slow
def test_a_switch_leaves_phases_side_by_side_where_they_are(page):
    look_at_phases(page)
    slide_slices(page, 0.2)
    page.click("#outline")
    wait_until_idle(page)
    moved = view(page, 2)
    page.click("#outline")
    page.click("#outline")
    wait_until_idle(page)
    assert np.abs(view(page, 2) - moved).mean() < 0.5


def test_an_upload_that_never_reaches_the_server_can_be_sent_again(page):
    page.route("**/upload", lambda route: route.abort())
    page.click("#bring")
    page.click("#send")
    page.wait_for_timeout(500)
    assert page.inner_text("#status") == "Ready."
    assert page.locator("#send").is_enabled()


@pytest.mark.slow
def test_an_error_is_reported_on_the_page_without_a_trace(browser, cohort):
    logged = "pcr view: a request of a browser failed (TypeError)\n"
    with serving(cohort, "--model", "phantom", logged=logged) as (_process, address):
        page = open_page(browser, address)
        answer = page.evaluate("""async () => {
            const session = window.trame.client.getConnection().getSession();
            try { return [await session.call("trame.state.update", [5])]; }
            catch (error) { return JSON.stringify(error); }
        }""")
        page.wait_for_selector("text=this went wrong here; load the page again")
        assert "Exception raised" in answer
        assert "Traceback" not in answer
        assert "/" not in answer
        page.context.close()


def test_on_a_phone_the_panel_is_folded_until_it_is_asked_for(page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("document.querySelector('.remote-controlled-area').getBoundingClientRect().left < 10")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    for place in page.locator(".remote-controlled-area").all():
        assert place.bounding_box()["width"] > 150
    research = page.locator("#research").bounding_box()
    assert research["x"] + research["width"] <= 390
    page.click("#fold")
    assert predict(page)


def test_a_view_shows_which_slice_of_the_exam_it_shows(page):
    place = page.wait_for_selector(r"#views >> text=/slice \d+\/\d+, [SI] \d+ mm/")
    before = place.inner_text()
    slide_slices(page, 0.0)
    wait_until_idle(page)
    assert place.inner_text() != before
    assert place.inner_text().startswith("slice 1/")


def test_a_stroke_is_undone_and_redone_by_keys(page):
    def wait_for(volume):
        page.wait_for_function("v => document.querySelector('#volume').innerText === v", arg=volume)

    before = page.inner_text("#volume")
    page.click("#tool-paint")
    slide(page, "brush", 0.4)
    drag(page, (0.35, 0.35), (0.65, 0.6))
    page.wait_for_function("v => document.querySelector('#volume').innerText !== v", arg=before)
    painted = page.inner_text("#volume")
    page.keyboard.press("Control+z")
    wait_for(before)
    page.keyboard.press("Control+Shift+z")
    wait_for(painted)
