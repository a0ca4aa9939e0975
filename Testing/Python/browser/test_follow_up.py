"""Two visits of a simulated patient in the browser: from the list and an upload to probability, views and files."""

import json
import zipfile

import numpy as np
import pytest
from PCRPredictorLib.phantom.cohort import write_courses
from PCRPredictorLib.phantom.site import find_site
from PCRPredictorLib.reading.cohort import find_patients
from support.browser_help import open_page, serving, view, wait_until_idle


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    folder = tmp_path_factory.mktemp("course") / "cohort"
    write_courses(folder, 1, find_site("A", 0.0), 3, visits=2)
    return folder


def follow(page, course):
    """Add the open exam as T0, send the second one, and predict."""
    page.click("#follow-add-open")
    page.wait_for_selector(".follow-visit")
    (patient,) = find_patients(course, visit="T1")
    page.click("#follow-files summary")
    for name, path in zip(("pre", "early", "late", "mask"), (*patient.phases, patient.mask), strict=True):
        page.set_input_files(f"#upload-visit input[name={name}]", path)
    page.click("#send-visit")
    page.wait_for_function("document.querySelectorAll('.follow-visit').length === 2")
    wait_until_idle(page)
    page.click("#follow-predict")
    page.wait_for_function("document.querySelector('#follow-text')?.innerText.includes('Probability of pCR after T1')")
    wait_until_idle(page)


@pytest.mark.slow
def test_two_visits_are_followed_from_upload_to_result(browser, course, tmp_path):
    with serving(course, "--model", "phantom") as (_process, address):
        page = open_page(browser, address)
        follow(page, course)
        assert page.locator("#problem").count() == 0
        assert page.locator("#follow-chart").get_attribute("src").startswith("data:image/png")
        shown = page.locator(".follow-visit").nth(1).inner_text()
        page.click("#follow-side-by-side")
        page.wait_for_function("document.querySelector('#follow-comparison')?.innerText.startsWith('T1')")
        wait_until_idle(page)
        assert np.abs(view(page, 0) - view(page, 1)).max() > 50  # the tumour responds
        with page.expect_download() as download:
            page.click("#follow-all")
        download.value.save_as(tmp_path / "follow.zip")
        with zipfile.ZipFile(tmp_path / "follow.zip") as files:
            found = json.loads(files.read("pcr-follow/follow.json"))
        assert [visit["visit"] for visit in found["visits"]] == ["T0", "T1"]
        assert f"{100 * found['visits'][1]['probability']:.0f} %" in shown
        page.context.close()
