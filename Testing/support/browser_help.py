"""`pcr view` in a child process, and a headless Chromium that shows it."""

import contextlib
import io
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PCRPredictorLib.model.bundle import find_bundle, load_bundle
from PCRPredictorLib.model.predictor import Predictor
from PCRPredictorLib.reading.cohort import find_patients, read_patient
from PCRPredictorLib.report.wording import describe_probability
from PIL import Image

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync"]
TIMEOUT_MS = 60_000


@contextlib.contextmanager
def serving(*arguments, logged=""):
    """Run `pcr view` with these arguments; yield process and address. It must write `logged` to the terminal."""
    errors = Path(tempfile.mkstemp(prefix="view-")[1])
    words = [sys.executable, "-m", "PCRTrainingLib.command_line", "view", "--no-browser", "--port", "0", *arguments]
    with errors.open("w") as stderr:
        process = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, stderr=stderr, text=True)
    try:
        yield process, next(line.strip() for line in process.stdout if line.startswith("http"))
    finally:
        process.terminate()
        process.wait(20)
        found = errors.read_text()
        errors.unlink()
    assert found == logged, found  # errors are reported on the page


@contextlib.contextmanager
def chromium():
    """Yield a browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def open_page(browser, address, foreign=None, wait_still=True):
    """Open a new page of `pcr view` and wait for its exam; add requests to other hosts to `foreign`."""
    page = browser.new_context(viewport={"width": 1500, "height": 900}, accept_downloads=True).new_page()
    page.set_default_timeout(TIMEOUT_MS)
    if foreign is not None:
        own = (address.split("/page")[0].split("?")[0], "data:", "blob:")
        page.on("request", lambda request: None if request.url.startswith(own) else foreign.append(request.url))
    page.goto(address)
    page.wait_for_function("document.querySelector('#title')?.innerText.trim()")
    page.wait_for_function("document.querySelectorAll('.remote-controlled-area img').length >= 4")
    if wait_still:
        wait_until_idle(page)
    return page


def wait_until_idle(page):
    """Wait until nothing runs and the pictures stand still.

    Screenshots are compared, since they take longer on a busy machine, as the page does; a fixed time would not.
    """
    page.wait_for_function("document.querySelector('#status').innerText === 'Ready.'")
    pictures = [b"", b"-"]
    deadline = time.monotonic() + TIMEOUT_MS / 1000
    while pictures[-1] != pictures[-2]:
        assert time.monotonic() < deadline, "the pictures do not stand still"
        page.wait_for_timeout(400)
        pictures.append(view(page).tobytes())


def wait_for_change(page, before, number=0, least=0.1):
    """Wait until a view differs from an earlier picture of it.

    `wait_until_idle` cannot see work that has not reached the server yet.

    Args:
        least: mean difference of the pixels, 0 to 255.
    """
    deadline = time.monotonic() + TIMEOUT_MS / 1000
    while np.abs(view(page, number) - before).mean() <= least:
        assert time.monotonic() < deadline, "the view has not changed"
        page.wait_for_timeout(200)


def predict(page):
    """Click Predict, wait, and return the probability in words."""
    page.click("#predict")
    page.wait_for_function("document.querySelector('#probability') && !document.querySelector('#stale')")
    wait_until_idle(page)
    return page.inner_text("#probability")


def probabilities(cohort, model="phantom"):
    """Return the library's probability for each patient, as the page writes it."""
    predictor = Predictor(load_bundle(find_bundle(model)))
    return [describe_probability(predictor.predict(read_patient(patient))) for patient in find_patients(cohort)]


def view(page, number=0):
    """Return the picture of a view, RGB (rows, columns, 3)."""
    picture = page.screenshot(clip=page.locator(".remote-controlled-area").nth(number).bounding_box())
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(int)


def slide(page, key, share):
    """Click a slider at a share of its length."""
    _click_track(
        page, page.locator(".v-input", has=page.locator(f"#{key}")).locator(".v-slider-track__background"), share
    )


def slide_slices(page, share, number=0):
    """Move a slice view through the exam, to a share of its depth."""
    _click_track(page, page.locator("#views .v-slider-track__background").nth(number), share)


def _click_track(page, track, share):
    track.evaluate("element => element.scrollIntoView({block: 'center'})")  # not below what stays on top of the panel
    box = track.bounding_box()
    page.mouse.click(box["x"] + share * box["width"], box["y"] + box["height"] / 2)


def drag(page, start, end, number=0):
    """Drag the mouse through a view; positions are shares of its width and height."""
    box = page.locator(".remote-controlled-area").nth(number).bounding_box()

    def at(share):
        return box["x"] + share[0] * box["width"], box["y"] + share[1] * box["height"]

    page.mouse.move(*at(start))
    page.wait_for_timeout(200)
    page.mouse.down()
    for step in np.linspace(0, 1, 12):
        page.mouse.move(*at(np.array(start) * (1 - step) + np.array(end) * step))
        page.wait_for_timeout(20)
    page.mouse.up()


def click(page, place, number=0):
    """Click a place in a view, as shares of its width and height."""
    box = page.locator(".remote-controlled-area").nth(number).bounding_box()
    page.mouse.click(box["x"] + place[0] * box["width"], box["y"] + place[1] * box["height"])
