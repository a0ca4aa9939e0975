"""A prediction in the browser: its numbers, its overlay, its files."""

import re
import time

import numpy as np
import pytest
from PCRPredictorLib.formatting import format_percent
from PCRPredictorLib.model.bundle import find_bundle, load_bundle
from PCRPredictorLib.model.predictor import Predictor
from PCRPredictorLib.reading.cohort import find_patients, read_patient
from support.browser_help import (
    open_page,
    predict,
    probabilities,
    serving,
    slide,
    view,
    wait_until_idle,
)


def test_a_prediction_is_the_librarys_and_shows_attention_on_the_tumour(page, cohort):
    assert predict(page).startswith(f"Probability of pCR {probabilities(cohort)[0]}")
    page.click("#legend")
    wait_until_idle(page)
    shown = view(page)
    page.click("#visible")
    wait_until_idle(page)
    changed = np.abs(shown - view(page)).max(axis=-1) > 10
    rows, columns = changed.shape
    assert changed[2 * rows // 5 : 3 * rows // 5, 2 * columns // 5 : 3 * columns // 5].mean() > 0.05
    assert changed[:, : columns // 8].mean() < 0.01


def test_the_overlay_follows_opacity_threshold_and_switches(page):
    plain = view(page)
    predict(page)
    half = view(page)
    slide(page, "opacity", 0.99)
    wait_until_idle(page)
    full = view(page)
    slide(page, "opacity", 0.01)
    wait_until_idle(page)
    none = view(page)
    centre = tuple(slice(n // 3, 2 * n // 3) for n in plain.shape[:2])
    assert np.abs(full - none)[centre].mean() > 1.5 * np.abs(half - none)[centre].mean() > 1
    slide(page, "opacity", 0.99)
    slide(page, "threshold", 0.9)
    wait_until_idle(page)
    assert np.abs(view(page) - full)[centre].mean() > 1
    page.click("#visible")
    wait_until_idle(page)
    assert np.abs(view(page) - none)[centre].mean() < 1


def test_clinical_values_change_the_result(page):
    before = predict(page)
    page.fill("input[name=age]", "95")
    page.wait_for_selector("#stale")
    assert predict(page) != before
    page.fill("input[name=age]", "950")
    page.click("#predict")
    page.wait_for_selector("#problem")
    assert "age must be" in page.inner_text("#problem")


def test_the_report_and_all_files_are_downloaded(page, tmp_path):
    shown = predict(page)
    with page.expect_download() as download:
        page.click("#report")
    download.value.save_as(tmp_path / "report.html")
    report = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert re.search(r"[\d.]+ %", shown)[0] in report
    assert "early 120 s, late 400 s" in report
    assert "PHANTOM_A" not in report  # the name must be asked for
    with page.expect_download() as download:
        page.click("#files")
    download.value.save_as(tmp_path / "result.zip")
    megabytes = (tmp_path / "result.zip").stat().st_size / 1e6
    page.wait_for_selector(f"#message:has-text('Ready: all files of the result, {megabytes:.1f} MB')")
    assert (tmp_path / "result.zip").stat().st_size > 10_000
    assert predict(page) == shown  # the page is still connected


def test_reloading_keeps_the_page_and_its_result(page):
    shown = predict(page)
    page.reload()
    page.wait_for_selector("#probability")
    assert page.inner_text("#probability") == shown
    wait_until_idle(page)
    assert view(page).std() > 10


@pytest.mark.slow
def test_a_real_exam_is_shown_and_predicted(browser, real_cohort):
    patient = find_patients(real_cohort)[0]
    expected = Predictor(load_bundle(find_bundle("ispy2"))).predict(read_patient(patient)).probability
    with serving(real_cohort) as (_process, address):
        page = open_page(browser, address)
        assert page.inner_text("#title").strip() == patient.patient_id
        start = time.monotonic()
        assert f"Probability of pCR {format_percent(expected)}" in predict(page)  # after the reason for no decision
        assert time.monotonic() - start < 30
        page.context.close()
