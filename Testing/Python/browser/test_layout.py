"""How the page lies on a laptop's screen: 1400 x 900."""

import numpy as np
import pytest
from support.browser_help import click, open_page, predict, slide, view, wait_for_change

SCREEN = {"width": 1400, "height": 900}


@pytest.fixture(scope="module")
def laptop(browser, served):
    """A page with a prediction, the same for all tests: none needs what another one leaves."""
    page = open_page(browser, served[1], wait_still=False)
    page.set_viewport_size(SCREEN)
    predict(page)
    yield page
    page.context.close()


def edges(page, selector):
    """Return left, top, right and bottom of every element that is found."""
    return page.eval_on_selector_all(
        selector, "all => all.map(e => e.getBoundingClientRect()).map(r => [r.left, r.top, r.right, r.bottom])"
    )


def in_sight(page, selector):
    found = edges(page, selector)
    return found and all(0 <= left < right <= 1400 and 0 <= top < bottom <= 900 for left, top, right, bottom in found)


def has_colour(picture, colour):
    """Return True if some pixels are almost of an RGB colour."""
    return (np.abs(picture - colour).max(2) < 40).sum() > 20


def test_result_and_views_are_in_sight_wherever_the_panel_is_scrolled(laptop):
    for place in ("0", "element.scrollHeight"):
        laptop.eval_on_selector(".v-navigation-drawer__content", f"element => element.scrollTo(0, {place})")
        assert in_sight(laptop, "#probability")
        assert "threshold" in laptop.inner_text("#probability")
        assert edges(laptop, "#headline")[0][3] < 48 + 0.2 * 900  # most of the panel is left for the rest
        assert len(edges(laptop, ".remote-controlled-area img")) >= 4
        assert in_sight(laptop, ".remote-controlled-area")


def test_rows_of_the_list_have_names_states_and_probabilities_in_columns(laptop):
    laptop.click("#predict-all")
    laptop.wait_for_function("document.querySelector('#exams').innerText.split('%').length > 4")
    names, shown = edges(laptop, "#exams .name"), edges(laptop, "#exams .probability")
    states = edges(laptop, "#exams .state")
    assert len(names) == len(shown) == len(states) == 4
    assert len({left for left, *_ in names} | {left for left, *_ in states}) == 1
    assert len({round(right) for _left, _top, right, _bottom in shown}) == 1
    assert all(name[1] == value[1] and name[2] <= value[0] for name, value in zip(names, shown, strict=True))


def test_no_text_of_the_panel_is_cut_beside_a_field(laptop):
    cut = laptop.eval_on_selector_all(
        "#panel .caption, #panel .v-btn-toggle, #panel .v-btn",
        "all => all.filter(e => e.innerText.trim() && e.scrollWidth > e.clientWidth).map(e => e.innerText)",
    )
    assert not cut
    assert "Hormone receptors" in laptop.locator("#panel .caption").all_inner_texts()


def test_the_end_of_a_scale_is_named_and_scrollbars_are_dark(laptop):
    slide(laptop, "threshold", 0.001)
    laptop.wait_for_function("document.querySelector('#panel').innerText.includes('Hide nothing')")
    assert laptop.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"


def test_two_taps_draw_a_ruler(laptop):
    laptop.click("#do-ruler")
    for place in ((0.4, 0.45), (0.6, 0.55)):
        before = view(laptop)
        click(laptop, place)
        wait_for_change(laptop, before, least=0.02)
        laptop.wait_for_timeout(600)  # sooner, and they are a double click
    assert has_colour(view(laptop), (255, 128, 128))


def test_a_long_problem_can_be_read_as_a_whole(laptop):
    text = (
        f"/a/{'long_name' * 9}.nii.gz: must have the grid of the pre-contrast phase; {'resample it onto that ' * 9}end"
    )
    laptop.evaluate("text => trame.state.set('PageState__problem', text)", text)
    laptop.wait_for_selector("#problem")
    for part in ("#problem", "#problem .v-alert__content"):
        shown, whole = laptop.eval_on_selector(
            part, "e => [[e.clientWidth, e.clientHeight], [e.scrollWidth, e.scrollHeight]]"
        )
        assert shown == whole
    assert in_sight(laptop, "#problem")
    laptop.click("#problem .v-btn")
