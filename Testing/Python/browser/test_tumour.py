"""The tumour painted, erased and grown in the browser."""

import numpy as np
import pytest
import SimpleITK as sitk
from PCRPredictorLib.reading.cohort import find_patients
from support.browser_help import (
    click,
    drag,
    predict,
    slide,
    view,
    wait_for_change,
    wait_until_idle,
)


def state(page, name):
    """Return the text of an element, "" if it is not there."""
    return page.inner_text(f"#{name}") if page.query_selector(f"#{name}") else ""


def wait_for_size(page, text):
    page.wait_for_function("t => (document.querySelector('#size')?.innerText ?? '') === t", arg=text)


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
    page.wait_for_function("!document.querySelector('#volume')")
    page.click("#predict")
    page.wait_for_selector("#problem")
    assert "no tumour yet" in page.inner_text("#problem")


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
    wait_for_change(page, before, 3, 0.1)


def test_a_click_that_takes_in_tissue_asks_and_what_it_grows_can_be_undone(page):
    first = state(page, "size")
    page.click("#tool-grow")
    slide(page, "enhancement", 0.05)
    wait_until_idle(page)
    page.set_viewport_size({"width": 1400, "height": 900})
    for answer in ("leave-it", "grow-anyway"):
        click(page, (0.5, 0.5))
        page.wait_for_selector("#question")
        page.eval_on_selector(".v-navigation-drawer__content", "element => element.scrollTo(0, element.scrollHeight)")
        at = page.locator("#question").bounding_box()
        assert at["y"] >= 48 and at["y"] + at["height"] <= 900  # wherever the panel is scrolled
        assert page.inner_text("#question").split("?")[1].upper().split("\n") == ["", "USE IT", "DO NOT USE IT"]
        page.click(f"#{answer}")
        page.wait_for_selector("#question", state="detached")
        assert (state(page, "size") == first) == (answer == "leave-it")
    page.wait_for_function("document.querySelector('#tool-look').className.includes('v-btn--active')")
    page.click("#undo")
    wait_for_size(page, first)


def paint(page):
    """Paint a stroke into the tumour; return its size before and after."""
    first = state(page, "size")
    page.click("#tool-paint")
    slide(page, "brush", 0.4)
    drag(page, (0.35, 0.35), (0.65, 0.6))
    page.wait_for_function("t => document.querySelector('#size').innerText !== t", arg=first)
    return first, state(page, "size")


def test_a_click_beside_everything_reports_what_to_do(page):
    page.click("#tool-grow")
    click(page, (0.05, 0.8))
    page.wait_for_selector("#problem")
    assert "click" in page.inner_text("#problem")


def test_a_painted_tumour_is_saved_without_a_prediction_and_loads_again(page, tmp_path):
    first, painted = paint(page)
    with page.expect_download() as download:
        page.click("#save-mask")
    download.value.save_as(tmp_path / "saved.nii.gz")
    page.keyboard.press("Control+z")
    wait_for_size(page, first)
    page.keyboard.press("Control+Shift+Z")
    wait_for_size(page, painted)
    page.click("#undo")
    wait_for_size(page, first)
    page.click("summary:has-text('Load a mask')")
    page.set_input_files("#upload-mask input", tmp_path / "saved.nii.gz")
    page.click("#send-mask")
    wait_for_size(page, painted)
    page.click("#undo")
    wait_for_size(page, first)


def test_a_loaded_mask_with_labels_is_lesions_that_are_predicted_and_shown_one_by_one(page, tmp_path):
    with page.expect_download() as download:
        page.click("#save-mask")
    download.value.save_as(tmp_path / "saved.nii.gz")
    image = sitk.ReadImage(tmp_path / "saved.nii.gz")
    array = sitk.GetArrayFromImage(image)
    middle = int(np.argwhere(array)[:, 2].mean())
    array[:, :, middle:] *= 2
    labelled = sitk.GetImageFromArray(array)
    labelled.CopyInformation(image)
    sitk.WriteImage(labelled, tmp_path / "two.nii.gz")
    page.click("summary:has-text('Load a mask')")
    page.set_input_files("#upload-mask input", tmp_path / "two.nii.gz")
    page.click("#send-mask")
    page.wait_for_selector("#remove-lesion")
    first = predict(page)
    assert "2 lesions were predicted" in page.inner_text("#warnings")
    page.click("[id=shown-lesion] >> xpath=ancestor::*[contains(@class,'v-select')][1]")
    page.click(".v-overlay--active .v-list-item >> nth=1")
    page.wait_for_function("t => document.querySelector('#probability').innerText !== t", arg=first)


def test_the_tumour_outlives_a_reload_of_the_page(page):
    first, painted = paint(page)
    page.reload()
    wait_for_size(page, painted)
    page.click("#undo")
    wait_for_size(page, first)


def test_a_painted_tumour_is_back_when_its_exam_is_opened_again(page, cohort):
    first, second = [patient.patient_id for patient in find_patients(cohort)][:2]
    before = state(page, "size")
    page.click("#tool-paint")
    slide(page, "brush", 0.4)
    drag(page, (0.35, 0.35), (0.65, 0.6))
    page.wait_for_function("t => document.querySelector('#size').innerText !== t", arg=before)
    painted = state(page, "size")
    for name in (second, first):
        page.click(f"#exams >> text={name}")
        page.wait_for_function("n => document.querySelector('#title').innerText.trim() === n", arg=name)
        if name == second:
            wait_until_idle(page)
    wait_for_size(page, painted)
    page.wait_for_function("document.querySelector('#message')?.innerText.includes('as it was drawn before')")
    page.click("#undo")
    wait_for_size(page, before)
