"""Exams of the list and uploaded ones, opened in the browser."""

import re

from PCRPredictorLib.formatting import format_percent
from PCRPredictorLib.model.bundle import find_bundle, load_bundle
from PCRPredictorLib.model.predictor import Predictor
from PCRPredictorLib.reading.cohort import find_patients, read_patient
from support.browser_help import (
    predict,
    probabilities,
    wait_until_idle,
)


def test_a_click_in_the_list_opens_a_patient_and_all_can_be_predicted(page, cohort):
    names = [patient.patient_id for patient in find_patients(cohort)]
    page.click(f"#exams >> text={names[2]}")
    page.wait_for_function("n => document.querySelector('#title').innerText.trim() === n", arg=names[2])
    wait_until_idle(page)
    page.click("#predict-all")
    page.wait_for_function("document.querySelector('#exams').innerText.split('%').length > 4")
    rows = page.locator("#exams .v-list-item").all_inner_texts()
    assert [re.search(r"[\d.]+ %", row)[0] for row in rows] == probabilities(cohort)
    assert predict(page).startswith(f"Probability of pCR {probabilities(cohort)[2]}")


WATCH = """() => {
  window.seen = [];
  const pictures = () => [...document.querySelectorAll("img.image-display-area")];
  const before = new Set(pictures().map((picture) => picture.src));
  setInterval(() => {
    const is_old = pictures().some((p) => before.has(p.src) && getComputedStyle(p).visibility === "visible");
    const is_covered = document.querySelector("#cover").style.display !== "none";
    const [title, status] = ["#title", "#status"].map((at) => document.querySelector(at).innerText.trim());
    const now = [title, status, is_covered, is_old].join();
    if (seen.at(-1) !== now) seen.push(now);
  }, 2);
}"""


def test_no_picture_of_the_last_patient_stands_under_the_name_of_the_next(page, cohort):
    first, second = [patient.patient_id for patient in find_patients(cohort)][:2]
    page.evaluate(WATCH)
    page.click(f"#exams >> text={second}")
    page.wait_for_function("n => document.querySelector('#title').innerText.trim() === n", arg=second)
    wait_until_idle(page)
    seen = [line.split(",") for line in page.evaluate("seen")]
    assert {tuple(row) for row in seen if row[0] == first} <= {
        (first, "Ready.", "false", "true"),  # before the click
        (first, "Reading the exam", "true", "true"),
        (first, "Drawing the exam", "true", "true"),
    }
    assert all(row[2:] != ["false", "true"] for row in seen if row[0] == second)
    assert (second, "Ready.", "false", "false") in map(tuple, seen)
    assert all(row[2] == "false" for row in seen if row[1] == "Ready.")


def test_times_of_the_phases_are_shown_when_an_exam_is_opened(page, cohort):
    page.wait_for_function("document.querySelector('#exam-notes')?.innerText.includes('after the pre-contrast one')")
    assert "time of the injection unknown" in page.inner_text("#exam-notes")


def test_an_uploaded_exam_is_the_same_exam(page, cohort):
    patient = find_patients(cohort)[1]
    page.click("#bring")
    for name, path in zip(("pre", "early", "late", "mask"), (*patient.phases, patient.mask), strict=True):
        page.set_input_files(f"#upload input[name={name}]", path)
    page.click("#send")
    page.wait_for_function("document.querySelector('#title').innerText.trim() === 'uploaded exam 1'")
    wait_until_idle(page)
    exam = read_patient(patient)
    alone = Predictor(load_bundle(find_bundle("phantom"))).predict(exam).image_probability
    assert predict(page).startswith(f"Probability of pCR {format_percent(alone)}")


def test_an_upload_without_an_image_is_reported_and_the_exam_stays(page, tmp_path):
    title = page.inner_text("#title")
    (tmp_path / "a.nii.gz").write_bytes(b"no image")
    page.click("#bring")
    for name in ("pre", "early", "late"):
        page.set_input_files(f"#upload input[name={name}]", tmp_path / "a.nii.gz")
    page.click("#send")
    page.wait_for_selector("#problem")
    assert "cannot be read as an image" in page.inner_text("#problem")
    assert page.inner_text("#title") == title
