"""One poisoned patient in a cohort of 30, of each kind, read by `check`, `predict`, `train`, the panel and the page.

    python Testing/benchmarks/hostile/poisoned_cohort.py [--kinds all | KIND ...] [--faces check predict ...]

Prints, for each kind and face, how many of the other 29 patients have a result, the sentences that name the poisoned
one, the peak memory of the process and its children beyond that of a sound cohort, and the seconds. Commands, panel and
page are the real ones; the model is `phantom`, the exams are tiny, and training is of one epoch a step.
"""

import argparse
import json
import multiprocessing
import shutil
import sys
import tempfile
import time
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from faces import FACES, act, load
from support.hostile.patients import GEOMETRIES, KINDS, LOST, NAMES_WITHOUT_A_ROW
from support.training_cohort import write_cohort

PATIENTS, POISONED, TIMEOUT_S = 30, "P7", 180
SOUND = "a sound cohort"
USUAL = [
    "empty file", "cut in the voxels", "a folder in place of a phase", "no mask", "a pipe as a phase",
    "a pipe as the mask", "/dev/zero as a phase", "a phase whose disk fails", "a link in a circle",
    "nii.gz: 24 MB behind its voxels", "nii.gz: promises 50 TB", "nrrd: bzip2 of 24 MB", "mha: zlib of 24 MB",
    "geometry: nii spacing nan", "geometry: nrrd two equal axes", "all NaN", "one voxel", "an empty mask",
    "a mask of 6,000 labels", "a mask on another grid", "SEG in RLE that expands", "SEG cut", "two rows",
    "times of 5,000 brackets", "an age of 5,000 digits", "a name with an escape sequence", "a name in brackets",
    "a name that is a formula", "a name that turns the text", "a name of 200 characters", "a name that is no text",
]  # fmt: skip


def main():
    """Try kinds and faces, and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kinds", nargs="+", default=USUAL)
    parser.add_argument("--faces", nargs="+", default=list(FACES))
    given = parser.parse_args()
    kinds = [kind for kind in KINDS if kind not in GEOMETRIES] if given.kinds == ["all"] else given.kinds
    load()
    failures = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        intact = write_cohort(folder / "intact", PATIENTS)
        least = {face: try_one(intact, folder, SOUND, face)["memory"] for face in given.faces}
        print("| kind | face | others | sentences | MB more | s | first sentence |\n|---|---|---|---|---|---|---|")
        for kind in kinds:
            for face in given.faces:
                found = try_one(intact, folder, kind, face)
                failures += not is_right(kind, face, found)
                print(describe(kind, face, found, least[face]), flush=True)
    print(f"{len(kinds)} kinds, {len(given.faces)} faces, {failures} not as they must be")


def try_one(intact, folder, kind, face):
    """Return what a face says of a cohort with one patient of a kind."""
    cohort = shutil.copytree(intact, folder / "cohort")
    if kind != SOUND:
        KINDS[kind](cohort, POISONED)
    ours, theirs = multiprocessing.Pipe(duplex=False)
    names = [f"P{k}" for k in range(PATIENTS)]
    asked = (face, cohort, folder / "out", names, theirs)
    process = multiprocessing.get_context("fork").Process(target=act, args=asked)
    start, peak = time.monotonic(), 0
    process.start()
    theirs.close()
    while process.is_alive() and not ours.poll(0.05) and time.monotonic() - start < TIMEOUT_S:
        peak = max(peak, memory_of(process.pid))
    try:
        found = json.loads(ours.recv_bytes()) if ours.poll() else {"failed": "did not end", "rows": [], "lines": []}
    except EOFError:
        found = {"failed": "its process died", "rows": [], "lines": []}
    process.kill()
    process.join()
    errors = folder / "errors.txt"
    found["trace"] = "Traceback" in (errors.read_text() if errors.is_file() else "") + "".join(found["lines"])
    for each in (cohort, folder / "out"):
        shutil.rmtree(each, ignore_errors=True)
    return {**found, "memory": peak / 2**20, "seconds": time.monotonic() - start}


def memory_of(pid):
    """Return the memory of a process and its children; pages that they share count in parts."""
    total = 0
    try:
        for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
            total += process.memory_full_info().pss
    except psutil.Error:
        pass
    return total


def sentences_of(kind, found):
    """Return the lines that name the poisoned patient."""
    name = getattr(KINDS[kind], "new", POISONED)
    shown = {name, name.encode("unicode_escape").decode(), name.encode("ascii", "backslashreplace").decode()}
    begin = tuple(f"{start}{each}{end}" for each in shown for start in ("", "warning: ") for end in (":", " "))
    return [line.strip() for line in found["lines"] if line.strip().startswith(begin)]


def is_right(kind, face, found):
    """Return True if every other patient has a result, and the poisoned one a sentence if it must have one."""
    others = {f"P{k}" for k in range(PATIENTS)} - {POISONED}
    lost = kind in LOST or (kind in NAMES_WITHOUT_A_ROW and face in ("check", "train"))
    rows = set(found["rows"])
    complete = len(rows) == PATIENTS - lost if face == "check" else others <= rows and len(rows) == PATIENTS - lost
    return complete and not found.get("failed") and not found["trace"] and (not lost or bool(sentences_of(kind, found)))


def describe(kind, face, found, least):
    """Return a row of the table."""
    said = sentences_of(kind, found)
    mark = "" if is_right(kind, face, found) else "**wrong** "
    text = found.get("failed") or (said[0][:90] if said else "").replace("|", "/")
    numbers = f"{len(found['rows'])} | {len(said)} | {max(found['memory'] - least, 0):.0f} | {found['seconds']:.1f}"
    return f"| {kind} | {mark}{face} | {numbers} | {text} |"


if __name__ == "__main__":
    main()
