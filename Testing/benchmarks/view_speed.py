"""How long a person waits for `pcr view`, on a simulated exam of 448 x 448 x 120 voxels, in headless Chromium.

Ready: from the command until the browser shows the exam in all four views. After an edit: from a click on Predict,
once the tumour was painted on, until the page says the new probability and the picture has changed with it. The first
prediction of a page is timed, too. What is waited for is a person's time, so seconds and no ratio.

Then the memory that one server and its processes have for themselves, with each of ten pages that are opened and
predicted one after another, and with four at once.

With --rates, instead: pictures per second in the browser, over the loopback line, while the wheel turns in one of the
four views for reading, once fast (60 notches per second for 3 s) and once notch by notch; how long pictures go on after
the last notch; bytes of a picture; curves per second while the mouse moves. Seconds of processor time of the page's
process stand beside them, since they do not depend on what else the machine does.
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

WATCH = """() => {
  window.shown = []; window.turned = []; window.curves = [];
  const areas = () => [...document.querySelectorAll(".remote-controlled-area")];
  document.addEventListener("load", (event) => {
    const area = event.target.closest?.(".remote-controlled-area");
    if (area) window.shown.push([areas().indexOf(area), performance.now()]);
  }, true);
  window.addEventListener("wheel", () => window.turned.push(performance.now()), {capture: true, passive: true});
  new MutationObserver(() => window.curves.push(performance.now()))
    .observe(document.querySelector("#curves"), {childList: true, subtree: true});
}"""
SECONDS, NOTCHES, HOVERED = 3, 60, 1  # of fast turning, per second, and the number of the view


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


def measure_rates(browser, folder):
    """Print the rates of the four views for reading, with a predicted exam."""
    with serving(folder, "--model", "phantom") as (process, address):
        page = open_page(browser, address)
        time_prediction(page)
        wait_until_idle(page)
        page.keyboard.press("v")
        page.wait_for_selector("#views >> text=Subtraction")
        wait_until_idle(page)
        page.evaluate(WATCH)
        line = page.context.new_cdp_session(page)
        received = []
        line.on("Network.webSocketFrameReceived", lambda got: received.append(len(got["response"]["payloadData"])))
        line.send("Network.enable")
        box = page.locator(".remote-controlled-area").nth(HOVERED).bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.wait_for_timeout(1000)
        measure_wheel(page, process.pid, received)
        measure_notches(page)
        measure_curves(page, process.pid, box)


def measure_wheel(page, pid, received):
    """Print pictures per second while the wheel turns fast."""
    forget(page)
    received.clear()
    busy, start, count = processor_time(pid), time.monotonic(), 0
    while time.monotonic() - start < SECONDS:
        page.mouse.wheel(0, -100 if (count // 40) % 2 else 100)  # to and fro
        count += 1
        time.sleep(max(0, start + count / NOTCHES - time.monotonic()))
    page.wait_for_timeout(200)
    went_on = page.evaluate("() => window.turned.at(-1) ?? 0")
    wait_until_idle(page)
    used, size = processor_time(pid) - busy, sum(received)
    shown = page.evaluate("() => window.shown")
    moving = [number for number, at in shown if at <= went_on]
    other = (len(moving) - moving.count(HOVERED)) / SECONDS / 3
    after = max((at - went_on for number, at in shown if number == HOVERED), default=0)
    print(
        f"wheel, {count} notches in {SECONDS} s: {moving.count(HOVERED) / SECONDS:.1f} pictures per s under the mouse,"
    )
    print(f"  {other:.1f} in each other view; the last {after:.0f} ms after the last notch")
    print(
        f"  {used:.1f} s of processor time for {len(shown)} pictures, {1000 * used / max(len(shown), 1):.1f} ms each;"
    )
    print(f"  {0.75 * size / max(len(shown), 1) / 1000:.1f} kB each on the line, with all other messages")


def measure_notches(page, count=12):
    """Print how long after a notch its picture is shown."""
    found = []
    for _ in range(count):
        page.wait_for_timeout(900)
        forget(page)
        page.mouse.wheel(0, 100)
        page.wait_for_function(f"() => window.shown.some(([number]) => number === {HOVERED})")
        found.append(page.evaluate(f"() => window.shown.find(([n]) => n === {HOVERED})[1] - window.turned[0]"))
    print(
        f"from a notch to its picture: {median(found):.0f} ms ({min(found):.0f} to {max(found):.0f}), {count} notches"
    )


def measure_curves(page, pid, box):
    """Print curves per second while the mouse moves."""
    wait_until_idle(page)
    forget(page)
    busy, start, count = processor_time(pid), time.monotonic(), 0
    while time.monotonic() - start < SECONDS:
        page.mouse.move(box["x"] + box["width"] * (0.3 + 0.4 * (count % 50) / 50), box["y"] + box["height"] / 2)
        count += 1
        time.sleep(max(0, start + count / NOTCHES - time.monotonic()))
    curves = page.evaluate("() => window.curves.length")
    used = processor_time(pid) - busy
    print(f"mouse, {count} moves in {SECONDS} s: {curves / SECONDS:.1f} curves per s, {used:.1f} s of processor time")


def forget(page):
    page.evaluate("() => { window.shown = []; window.turned = []; window.curves = []; }")


def processor_time(pid):
    """Seconds of a process and its children."""
    server = psutil.Process(pid)
    times = [member.cpu_times() for member in (server, *server.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def own_memory(pid):
    """MB that a process and its children share with nobody."""
    server = psutil.Process(pid)
    return sum(member.memory_full_info().uss for member in (server, *server.children(recursive=True))) / 2**20


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rates", action="store_true")
    wanted = parser.parse_args()
    runs = wanted.runs
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        write_exam(Path(folder))
        if wanted.rates:
            measure_rates(browser, folder)
            return
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
