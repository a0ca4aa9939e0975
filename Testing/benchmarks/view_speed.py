"""How long a person waits for `pcr view`, on a simulated exam of 448 x 448 x 120 voxels, in headless Chromium.

Ready: from the command until the browser shows the exam in all four views. After an edit: from a click on Predict,
once the tumour was painted on, until the page says the new probability and the picture has changed with it. The first
prediction of a page is timed, too. What is waited for is a person's time, so seconds and no ratio.

Then the memory that one server and its processes have for themselves, with each of ten pages that are opened and
predicted one after another, and with four at once.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))
from PCRPredictorLib.exam import PHASE_NAMES
from PCRPredictorLib.phantom.patient import make_exam
from PCRPredictorLib.writing import write_nifti
from support.browser_help import chromium, drag, open_page, serving, slide, view, wait_until_idle


def write_exam(folder):
    exam = make_exam(seed=1)
    for name, array in zip((*PHASE_NAMES, "tumour"), (*exam.phases, np.asarray(exam.mask)), strict=True):
        write_nifti(array, exam.geometry, folder / f"{name}.nii.gz")


def time_once(browser, folder):
    """Seconds: until ready, of the first prediction, of one after an edit."""
    start = time.monotonic()
    with serving(folder, "--model", "phantom") as (_process, address):
        page = open_page(browser, address, wait_still=False)
        ready = time.monotonic() - start
        wait_until_idle(page)
        first = time_prediction(page)
        wait_until_idle(page)
        page.click("#tool-paint")
        slide(page, "brush", 0.3)
        drag(page, (0.3, 0.3), (0.6, 0.6))
        page.wait_for_selector("#stale")
        wait_until_idle(page)
        again = time_prediction(page)
        page.context.close()
    return ready, first, again


def time_prediction(page):
    """From the click until result and picture are new."""
    before = view(page)
    start = time.monotonic()
    page.click("#predict")
    page.wait_for_function("document.querySelector('#probability') && !document.querySelector('#stale')")
    while np.array_equal(view(page), before):
        assert time.monotonic() - start < 60, "the picture does not change"
    return time.monotonic() - start


def watch_memory(browser, folder):
    """MB with each of ten pages one after another, and with four at once."""
    after_another = []
    with serving(folder, "--model", "phantom", "--pages", "1") as (
        process,
        address,
    ):  # the one that was left makes room
        for _ in range(10):
            page = open_page(browser, address)
            time_prediction(page)
            after_another.append(own_memory(process.pid))
            page.context.close()
            time.sleep(6)  # so long it waits for a browser that may only be loading the page anew
    with serving(folder, "--model", "phantom") as (process, address):
        pages = [open_page(browser, address) for _ in range(4)]
        for page in pages:
            time_prediction(page)
        return after_another, own_memory(process.pid)


def own_memory(pid):
    """MB that a process and its children share with nobody."""
    server = psutil.Process(pid)
    return sum(member.memory_full_info().uss for member in (server, *server.children(recursive=True))) / 2**20


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        write_exam(Path(folder))
        times = [time_once(browser, folder) for _ in range(runs)]
        after_another, at_once = watch_memory(browser, folder)
    for what, seconds in zip(
        ("ready", "first prediction", "prediction after an edit"), zip(*times, strict=True), strict=True
    ):
        print(f"{what}: {median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f}), {runs} runs")
    print("memory, MB, with each of ten pages one after another:", *(f"{megabytes:.0f}" for megabytes in after_another))
    print(f"with four at once: {at_once:.0f}")


if __name__ == "__main__":
    main()
