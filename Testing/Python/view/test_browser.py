"""`pcr view` as a person uses it: in a browser, on simulated and real exams."""

import csv
import os
import re
import shutil
import signal
import time

import numpy as np
import psutil
import pytest
from PCRPredictorLib.model.bundle import find_bundle, load_bundle
from PCRPredictorLib.model.predictor import Predictor
from PCRPredictorLib.phantom.cohort import find_site, write_cohort
from PCRPredictorLib.reading.cohort import find_patients, read_patient
from support.browser_help import (
    NEEDED,
    chromium,
    click,
    drag,
    idle,
    open_page,
    predict,
    serving,
    slide,
    slide_slices,
    view,
)

pytest.importorskip("playwright")
pytest.importorskip("slicer_layer_dm")
pytestmark = NEEDED


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder = tmp_path_factory.mktemp("view") / "cohort"
    write_cohort(folder, 4, find_site("A", 0.0), 3)
    return folder


@pytest.fixture(scope="module")
def served(cohort):
    with serving(cohort, "--model", "phantom") as (process, address):
        yield process, address


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser, served):
    foreign = []
    page = open_page(browser, served[1], foreign)
    yield page
    page.context.close()
    assert foreign == []


def probabilities(cohort, model="phantom"):
    """What the library says of each patient, as the page writes it."""
    predictor = Predictor(load_bundle(find_bundle(model)))
    return [f"{predictor.predict(read_patient(patient)).probability:.0%}" for patient in find_patients(cohort)]


def test_a_prediction_is_the_librarys_and_shows_attention_on_the_tumour(page, cohort):
    assert predict(page).startswith(f"Probability of pCR {probabilities(cohort)[0]}")
    page.click("#legend")
    idle(page)
    shown = view(page)
    page.click("#visible")
    idle(page)
    changed = np.abs(shown - view(page)).max(axis=-1) > 10
    rows, columns = changed.shape
    assert changed[2 * rows // 5 : 3 * rows // 5, 2 * columns // 5 : 3 * columns // 5].mean() > 0.05
    assert changed[:, : columns // 8].mean() < 0.01


def test_the_overlay_follows_opacity_threshold_and_switches(page):
    plain = view(page)
    predict(page)
    half = view(page)
    slide(page, "opacity", 0.99)
    idle(page)
    full = view(page)
    slide(page, "opacity", 0.01)
    idle(page)
    none = view(page)
    centre = tuple(slice(n // 3, 2 * n // 3) for n in plain.shape[:2])
    assert np.abs(full - none)[centre].mean() > 1.5 * np.abs(half - none)[centre].mean() > 1
    slide(page, "opacity", 0.99)
    slide(page, "threshold", 0.9)
    idle(page)
    assert np.abs(view(page) - full)[centre].mean() > 1
    page.click("#visible")
    idle(page)
    assert np.abs(view(page) - none)[centre].mean() < 1


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
        idle(page)
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
    idle(page)
    before = view(page, 3)
    page.click("#tool-paint")
    slide(page, "brush", 0.6)
    drag(page, (0.2, 0.2), (0.4, 0.3), number=1)
    page.mouse.move(10, 400)
    idle(page)
    assert np.abs(view(page, 3) - before).mean() > 0.1


def test_one_click_grows_the_tumour(page):
    volume = page.inner_text("#volume")
    page.click("#tool-grow")
    slide(page, "enhancement", 0.05)
    page.wait_for_function("v => document.querySelector('#volume').innerText !== v", arg=volume)
    volume = page.inner_text("#volume")
    click(page, (0.5, 0.5))
    page.wait_for_function("v => document.querySelector('#volume').innerText !== v", arg=volume)
    page.wait_for_function("document.querySelector('#tool-look').className.includes('v-btn--active')")


def test_a_click_beside_everything_says_what_to_do(page):
    page.click("#tool-grow")
    click(page, (0.05, 0.8))
    page.wait_for_selector("#problem")
    assert "click" in page.inner_text("#problem")


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
    assert re.search(r"\d+%", shown)[0].rstrip("%") in report
    assert "early 120 s, late 400 s" in report
    assert "PHANTOM_A" not in report  # nobody asked for the name
    with page.expect_download() as download:
        page.click("#files")
    download.value.save_as(tmp_path / "result.zip")
    assert (tmp_path / "result.zip").stat().st_size > 10_000
    assert predict(page) == shown  # the page is still connected


def test_a_click_in_the_list_opens_a_patient_and_all_can_be_predicted(page, cohort):
    names = [patient.patient_id for patient in find_patients(cohort)]
    page.click(f"#exams >> text={names[2]}")
    page.wait_for_function("n => document.querySelector('#title').innerText.trim() === n", arg=names[2])
    idle(page)
    page.click("#predict-all")
    page.wait_for_function("document.querySelector('#exams').innerText.split('%').length > 4")
    rows = page.locator("#exams .v-list-item").all_inner_texts()
    assert [row.split()[-1] for row in rows] == probabilities(cohort)
    assert predict(page).startswith(f"Probability of pCR {probabilities(cohort)[2]}")


def test_an_uploaded_exam_is_the_same_exam(page, cohort):
    patient = find_patients(cohort)[1]
    page.click("#bring")
    for name, path in zip(("pre", "early", "late", "mask"), (*patient.phases, patient.mask), strict=True):
        page.set_input_files(f"#upload input[name={name}]", path)
    page.click("#send")
    page.wait_for_function("document.querySelector('#title').innerText.trim() === 'uploaded exam 1'")
    idle(page)
    exam = read_patient(patient)
    alone = Predictor(load_bundle(find_bundle("phantom"))).predict(exam).image_probability
    assert predict(page).startswith(f"Probability of pCR {alone:.0%}")


def test_an_upload_that_is_no_image_is_said_and_the_exam_stays(page, tmp_path):
    title = page.inner_text("#title")
    (tmp_path / "a.nii.gz").write_bytes(b"no image")
    page.click("#bring")
    for name in ("pre", "early", "late"):
        page.set_input_files(f"#upload input[name={name}]", tmp_path / "a.nii.gz")
    page.click("#send")
    page.wait_for_selector("#problem")
    assert "export it again" in page.inner_text("#problem")
    assert page.inner_text("#title") == title


@pytest.mark.slow
def test_phases_side_by_side_show_each_its_own_and_move_together(page):
    page.click("#show-pre")
    page.click("#arrange-compare")
    page.wait_for_selector("#views >> text=Subtraction")
    idle(page)
    pre, early, late, _subtraction = (view(page, number) for number in range(4))
    assert np.abs(early - pre).mean() > 2
    assert np.abs(late - pre).mean() > 2
    slide_slices(page, 0.2)
    idle(page)
    assert np.abs(view(page, 1) - early).mean() > 1
    assert page.locator("#show-late").is_disabled()
    page.set_viewport_size({"width": 1900, "height": 800})
    idle(page)
    page.set_viewport_size({"width": 1500, "height": 900})
    idle(page)
    slide_slices(page, 0.5)
    idle(page)
    assert (view(page, 1) > 30).mean() > 0.5 * (early > 30).mean()  # not a speck
    pre, early = view(page, 0), view(page, 1)
    page.click("#arrange-four_up")
    page.wait_for_selector("#views >> text=Coronal")
    idle(page)
    assert np.abs(view(page) - pre).mean() < np.abs(view(page) - early).mean()


def test_grey_values_make_the_picture_brighter_until_another_exam_is_open(page, cohort):
    before = view(page)
    slide(page, "grey_stop", 0.3)  # 60 %: nearer to the white end, which moves
    idle(page)
    assert view(page).mean() > 1.2 * before.mean()
    page.click(f"#exams >> text={find_patients(cohort)[1].patient_id}")
    page.wait_for_function("document.querySelector('#panel').innerText.includes('0 to 100 %')")


def test_the_left_button_shows_a_place_in_all_views(page):
    before = [view(page, number) for number in range(4)]
    click(page, (0.35, 0.3))
    idle(page)
    after = [view(page, number) for number in range(4)]
    axial, _space, coronal, sagittal = (np.abs(a - b).mean() for a, b in zip(after, before, strict=True))
    assert axial < 0.5
    assert coronal > 1
    assert sagittal > 1


def test_reloading_keeps_the_page_and_its_result(page):
    shown = predict(page)
    page.reload()
    page.wait_for_selector("#probability")
    assert page.inner_text("#probability") == shown
    idle(page)
    assert view(page).std() > 10


def test_another_model_empties_the_list_and_keeps_the_patient(page):
    predict(page)
    page.wait_for_function("document.querySelector('#exams').innerText.includes('%')")
    age = page.input_value("input[name=age]")
    page.locator(".v-select", has=page.locator("#model")).click()
    page.click(".v-overlay >> text=ispy2")
    page.wait_for_function("!document.querySelector('#exams').innerText.includes('%')")
    assert page.input_value("input[name=age]") == age
    assert page.locator("#probability").count() == 0


@pytest.mark.slow
def test_a_value_that_cannot_be_read_is_nobodys(browser, cohort, tmp_path):
    broken = shutil.copytree(cohort, tmp_path / "cohort")
    (table,) = broken.glob("*.csv")
    rows = list(csv.DictReader(table.read_text().splitlines()))
    rows[1]["age"] = "abc"
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    with serving(broken, "--model", "phantom") as (_process, address):
        page = open_page(browser, address)
        assert page.input_value("input[name=age]") != ""
        page.click(f"#exams >> text={find_patients(broken)[1].patient_id}")
        page.wait_for_selector("#problem")
        assert "age must be" in page.inner_text("#problem")
        assert page.input_value("input[name=age]") == ""
        page.context.close()


@pytest.mark.slow
def test_a_model_of_ones_own_goes_before_a_bundled_one_of_that_name(browser, cohort, tmp_path):
    shutil.copytree(find_bundle("phantom"), tmp_path / "ispy2")
    with serving(cohort, "--model", tmp_path / "ispy2") as (_process, address):
        page = open_page(browser, address)
        assert "phantom" in page.text_content("details")
        page.context.close()


@pytest.mark.slow
def test_four_at_once_leave_each_others_exam_alone(browser, served, cohort):
    names, known = [patient.patient_id for patient in find_patients(cohort)], probabilities(cohort)
    pages = [open_page(browser, served[1]) for _ in names]
    for page, name in zip(pages, names, strict=True):
        page.click(f"#exams >> text={name}")
    for page, name in zip(pages, names, strict=True):
        page.wait_for_function("n => document.querySelector('#title').innerText.trim() === n", arg=name)
    for page in pages:
        idle(page)
        page.click("#predict")
    for page, probability in zip(pages, known, strict=True):
        page.wait_for_selector("#probability")
        assert page.inner_text("#probability").startswith(f"Probability of pCR {probability}")
    for page, name in zip(pages, names, strict=True):
        assert page.inner_text("#title").strip() == name
        page.context.close()


@pytest.mark.slow
def test_ten_after_another_leave_memory_and_processes_level(browser, cohort):
    with serving(cohort, "--model", "phantom", "--pages", "3") as (process, address):
        memory, processes = [], []
        for _ in range(10):
            page = open_page(browser, address)
            predict(page)
            family = psutil.Process(process.pid).children(recursive=True)
            memory.append((psutil.Process(process.pid).memory_info().rss, sum(_own(child) for child in family)))
            processes.append(len(family))
            page.context.close()
    assert max(processes) == processes[2]  # from the third on, the places are those of the pages before
    server, children = np.array(memory).T / 2**20
    assert server[-1] < server[2] + 30
    assert children[-3:].mean() < 1.15 * children[2:5].mean()


def _own(process):
    try:
        return process.memory_full_info().uss
    except psutil.NoSuchProcess:
        return 0


@pytest.mark.slow
def test_a_page_whose_process_has_ended_says_so_and_leads_to_a_new_one(browser, cohort):
    with serving(cohort, "--model", "phantom") as (process, address):
        page = open_page(browser, address)
        for child in psutil.Process(process.pid).children(recursive=True):
            if child.memory_info().rss > 2**29:  # the page's, and what it was forked from
                child.kill()
        page.wait_for_selector("text=This page has ended")
        page.click("text=open a new one")
        page.wait_for_function("document.querySelector('#title')?.innerText.trim()")
        page.context.close()


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_end_of_the_server_leaves_nothing_though_a_page_is_shown(browser, cohort, how, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with serving(cohort, "--model", "phantom") as (process, address):
        page = open_page(browser, address, wait_still=False)
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        assert len(family) >= 3
        os.kill(process.pid, how)
        _gone, alive = psutil.wait_procs(family[1:], 10)
        assert alive == []
        assert process.wait(5) in (0, -signal.SIGKILL)
        assert [path for path in tmp_path.iterdir() if not path.name.startswith("pymp-")] == []  # Python's own
        page.context.close()


@pytest.mark.slow
def test_a_real_exam_is_shown_and_predicted(browser, real_cohort):
    patient = find_patients(real_cohort)[0]
    expected = Predictor(load_bundle(find_bundle("ispy2"))).predict(read_patient(patient)).probability
    with serving(real_cohort) as (_process, address):
        page = open_page(browser, address)
        assert page.inner_text("#title").strip() == patient.patient_id
        start = time.monotonic()
        assert predict(page).startswith(f"Probability of pCR {expected:.0%}")
        assert time.monotonic() - start < 30
        page.context.close()
