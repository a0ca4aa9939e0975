"""Four hostile uploads to `pcr view` at once: the memory of its processes, and how long others wait meanwhile.

    python Testing/benchmarks/hostile/hostile_uploads.py [KIND ...] [--mixed] [--servers 2]

Each kind is uploaded to four pages at once, then four different kinds; with --mixed, only the latter. Prints the peak
of the server and all of its processes together (PSS: memory that they share counts in parts); the slowest answer of the
server; the slowest picture after a notch of the wheel on a fifth page, in headless Chromium; how long a sixth page
takes to open meanwhile, with its views; and what each upload was answered on its page. With --servers 2, the four pages
are of two servers, whose memory is added.
"""

import argparse
import contextlib
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from PCRPredictorLib.exam import PHASE_NAMES
from PCRPredictorLib.phantom.patient import make_exam
from PCRPredictorLib.writing import write_nifti
from support import browser_help
from support.browser_help import chromium, open_page, serving, wait_until_idle
from support.examples import tiny_exam
from support.hostile.images import INFLATION, bomb, meta_image, nifti, nrrd, packed_nifti

HOVERED, MB, _SECONDS = 1, 2**20, 300.0
WATCH = """() => {
  window.shown = []; window.turned = [];
  const areas = () => [...document.querySelectorAll(".remote-controlled-area")];
  document.addEventListener("load", (event) => {
    const area = event.target.closest?.(".remote-controlled-area");
    if (area) window.shown.push([areas().indexOf(area), performance.now()]);
  }, true);
  window.addEventListener("wheel", () => window.turned.push(performance.now()), {capture: true, passive: true});
}"""


def _noise(megabytes):
    """Return a writer of a volume of noise, which is what its header says."""
    slices = megabytes // 2

    def write(stem):
        rng = np.random.default_rng(0)
        content = b"".join(rng.integers(0, 500, (1024, 1024), np.int16).tobytes() for _ in range(slices))
        path = nifti("{}.nii", dim=[3, 1024, 1024, slices, 1, 1, 1, 1])(stem)
        path.write_bytes(path.read_bytes()[:352] + content)
        return path

    return write


def _promise(megabytes, factor=1):
    """Return a writer of a header that promises so much, with zeros that inflate to it, or to more."""
    dim = [3, 1024, 1024, megabytes // 2, 1, 1, 1, 1]
    return packed_nifti(lambda content: bomb(content[:352], megabytes=megabytes * factor), dim=dim)


HOSTILE = {
    "promises 3.9 GB": _promise(3900),
    "3 GB behind its voxels": packed_nifti(lambda content: bomb(content, megabytes=3000)),
    "promises and holds 600 MB of zeros a phase": _promise(600),
    "nrrd, gzip, 600 MB of zeros a phase": nrrd(bomb(megabytes=600), encoding="gzip", sizes="1024 1024 300"),
    "nrrd, bzip2, 600 MB of zeros a phase": nrrd(
        bomb(kind="bzip2", megabytes=600), encoding="bzip2", sizes="1024 1024 300"
    ),
    "mha, zlib, 600 MB of zeros a phase": meta_image(
        bomb(kind="zlib", megabytes=600), CompressedData="True", DimSize="1024 1024 300"
    ),
    "150 MB of noise a phase": _noise(150),
    "promises 50 TB": INFLATION["nii.gz: promises 50 TB"],
    "30,000 volumes": INFLATION["nii.gz: 30,000 volumes"],
}  # fmt: skip


def main() -> None:
    """Start the servers, upload, and print what was measured."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kinds", nargs="*", default=list(HOSTILE))
    parser.add_argument("--servers", type=int, default=1)
    parser.add_argument("--mixed", action="store_true")
    given = parser.parse_args()
    browser_help.TIMEOUT_MS = 400_000  # of a busy machine
    sets = [] if given.mixed else [[kind] * 4 for kind in given.kinds]
    sets += [given.kinds[k : k + 4] for k in range(0, len(given.kinds) - 3, 4)]
    with tempfile.TemporaryDirectory() as temporary, chromium() as browser:
        folder = Path(temporary)
        exams = _write_exam(folder / "small", tiny_exam()), _write_exam(folder / "large", make_exam(seed=1))
        print("| four at once | MB before | MB at most | answer s | notch before s | notch s | new page s | s | said |")
        print("|---|---|---|---|---|---|---|---|---|")
        files = {}
        for kinds in sets:
            for kind in kinds:
                if kind not in files:
                    (folder / str(len(files))).mkdir()
                    files[kind] = HOSTILE[kind](folder / str(len(files)) / "phase")
            _measure(browser, exams, kinds, files, given.servers)


def _measure(browser, exams, kinds, files, servers) -> None:
    with contextlib.ExitStack() as stack:
        started = [stack.enter_context(serving(*exams, "--model", "phantom")) for _ in range(servers)]
        processes = [psutil.Process(process.pid) for process, _ in started]
        others = [open_page(browser, started[k % servers][1]) for k in range(len(kinds))]
        page = open_page(browser, started[0][1])
        page.locator("#exams .v-list-item").nth(1).click()
        page.wait_for_function("document.querySelector('#title').innerText.trim() === 'large'")
        wait_until_idle(page)
        page.evaluate(WATCH)
        box = page.locator(".remote-controlled-area").nth(HOVERED).bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.wait_for_timeout(500)
        before, quiet = _megabytes(processes), max(_notch(page) for _ in range(5))
        memory = _Memory(processes)
        for other, kind in zip(others, kinds, strict=True):
            _send(other, files[kind])
        answer = notch = new = 0.0
        begin, said = time.monotonic(), [""] * len(kinds)
        while not all(said) and time.monotonic() - begin < _SECONDS:
            start = time.monotonic()
            urlopen(page.url, timeout=60).read()
            answer, notch = max(answer, time.monotonic() - start), max(notch, _notch(page))
            for k, other in enumerate(others):
                said[k] = said[k] or _ending(other)
            new = new or _open_one(browser, started[0][1])
        seconds, peak = time.monotonic() - begin, memory.end()
        for other in (*others, page):
            other.context.close()
    shown = f"4 x {kinds[0]}" if len(set(kinds)) == 1 else " + ".join(kinds)
    numbers = f"{before:.0f} | {peak:.0f} | {answer:.2f} | {quiet:.2f} | {notch:.2f} | {new:.1f} | {seconds:.0f}"
    print(f"| {shown} | {numbers} | {'; '.join(dict.fromkeys(said))[:230]} |", flush=True)


def _send(page, file: Path) -> None:
    """Send a file as all three phases."""
    page.click("#bring")
    for name in ("pre", "early", "late"):
        page.set_input_files(f"#upload input[name={name}]", file)
    page.evaluate("() => document.querySelector('#upload').requestSubmit()")


def _open_one(browser, address) -> float:
    """Return the seconds until a new page shows its exam; close it."""
    start = time.monotonic()
    open_page(browser, address, wait_still=False).context.close()
    return time.monotonic() - start


def _ending(page) -> str:
    """Return what a page says at the end of an upload, "" before it."""
    if page.locator("#problem").count():
        return page.inner_text("#problem").splitlines()[0]
    return "opened" if page.inner_text("#title").strip().startswith("uploaded exam") else ""


def _write_exam(folder: Path, exam) -> Path:
    folder.mkdir()
    for name, array in zip((*PHASE_NAMES, "tumour"), (*exam.phases, np.asarray(exam.mask)), strict=True):
        write_nifti(array, exam.geometry, folder / f"{name}.nii.gz")
    return folder


def _notch(page) -> float:
    """Return the seconds from a notch of the wheel to its picture."""
    page.evaluate("() => { window.shown = []; window.turned = []; }")
    page.mouse.wheel(0, 100 if int(time.monotonic() * 10) % 2 else -100)
    try:
        page.wait_for_function(f"() => window.shown.some(([number]) => number === {HOVERED})", timeout=20_000)
    except Exception:
        return 20.0
    found = page.evaluate(f"() => window.shown.find(([n]) => n === {HOVERED})[1] - window.turned[0]")
    page.wait_for_timeout(100)
    return found / 1000


class _Memory(threading.Thread):
    """Notes the peak of servers and their processes."""

    def __init__(self, processes) -> None:
        super().__init__(daemon=True)
        self._processes, self._peak, self._ended = processes, 0.0, threading.Event()
        self.start()

    def run(self) -> None:
        while not self._ended.wait(0.1):
            self._peak = max(self._peak, _megabytes(self._processes))

    def end(self) -> float:
        """Return the peak in MB."""
        self._ended.set()
        self.join()
        return self._peak


def _megabytes(servers) -> float:
    """Return the memory of servers and their processes; pages that they share count in parts."""
    total = 0
    for server in servers:
        for process in (server, *server.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                total += process.memory_full_info().pss
    return total / MB


if __name__ == "__main__":
    main()
