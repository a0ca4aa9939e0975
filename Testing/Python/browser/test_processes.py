"""Many pages, in a row and at once, and the end of their processes."""

import os
import signal

import numpy as np
import psutil
import pytest
from PCRPredictorLib.reading.cohort import find_patients
from support.browser_help import (
    open_page,
    predict,
    probabilities,
    serving,
    wait_until_idle,
)


@pytest.mark.slow
def test_four_at_once_leave_each_others_exam_alone(browser, served, cohort):
    names, known = [patient.patient_id for patient in find_patients(cohort)], probabilities(cohort)
    pages = [open_page(browser, served[1]) for _ in names]
    for page, name in zip(pages, names, strict=True):
        page.click(f"#exams >> text={name}")
    for page, name in zip(pages, names, strict=True):
        page.wait_for_function("n => document.querySelector('#title').innerText.trim() === n", arg=name)
    for page in pages:
        wait_until_idle(page)
        page.click("#predict")
    for page, probability in zip(pages, known, strict=True):
        page.wait_for_selector("#probability")
        assert page.inner_text("#probability").startswith(f"Probability of pCR {probability}")
    for page, name in zip(pages, names, strict=True):
        assert page.inner_text("#title").strip() == name
        page.context.close()


@pytest.mark.slow
def test_ten_in_a_row_leave_memory_and_processes_level(browser, cohort):
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
            if child.memory_info().rss > 2**27:  # the page's, and what it was forked from
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
