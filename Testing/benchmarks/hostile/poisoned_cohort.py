"""Poisoned patients in a cohort, of each kind, read by `check`, `predict`, `train`, the panel and the page.

    python Testing/benchmarks/hostile/poisoned_cohort.py [KIND ...] [--alone] [--faces check predict ...]

By default, one patient of each kind is put into one cohort, beside 29 sound ones. With --alone, each kind gets a cohort
of its own, of 30 patients. Each face must have a result of every sound patient, and a sentence of every other one.

Prints what is not as it must be; for each face the patients with a result, the seconds of CPU, the peak memory of the
process and its children, and the lines that a user sees; for each kind its sentence. Commands, panel and page are the
real ones; model and exams are tiny, and training is of one epoch.
"""

import argparse
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from faces import FACES, act, load
from support.hostile.patients import KINDS, LOST, NAMES_WITHOUT_A_ROW, UNSEEN
from support.models.tiny import write_tiny_bundle
from support.training_cohort import TABLE, write_cohort

SOUND, TIMEOUT_S = 29, 900


def main():
    """Try kinds and faces, and print what came of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kinds", nargs="*", default=list(KINDS))
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--faces", nargs="+", default=list(FACES))
    given = parser.parse_args()
    load()
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="cohorts-") as temporary:
        folder = Path(temporary)
        model = write_tiny_bundle(folder / "model")
        together = [[kind] for kind in given.kinds] if given.alone else [given.kinds]
        intact = write_cohort(folder / "intact", SOUND + max(map(len, together)))
        print("| kinds | face | results of others | sentences | CPU s | MB | s |\n|---|---|---|---|---|---|---|")
        for kinds in together:
            poisoned = {f"P{SOUND + k}": kind for k, kind in enumerate(kinds)}
            for face in given.faces:
                found = try_one(folder, intact, poisoned, face, model)
                wrong += report(poisoned, face, found)
    print(f"{len(given.kinds)} kinds, {len(given.faces)} faces, {wrong} not as they must be")


def try_one(folder, intact, poisoned, face, model):
    """Return what a face says of a cohort with these patients."""
    cohort = copy(intact, folder / "cohort", poisoned)
    for name, kind in poisoned.items():
        KINDS[kind](cohort, name)
    ours, theirs = multiprocessing.Pipe(duplex=False)
    asked = face, cohort, folder / "out", model, theirs
    process = multiprocessing.get_context("fork").Process(target=act, args=asked)
    start, peak = time.monotonic(), 0
    process.start()
    theirs.close()
    while process.is_alive() and not ours.poll(0.2) and time.monotonic() - start < TIMEOUT_S:
        peak = max(peak, memory_of(process.pid))
    found = {"failed": "did not end", "rows": [], "lines": [], "problems": {}, "cpu": 0}
    try:
        found = json.loads(ours.recv_bytes()) if ours.poll() else found
    except EOFError:
        found["failed"] = "its process died"
    process.kill()
    process.join()
    errors = folder / "errors.txt"
    found["errors"] = errors.read_text() if errors.is_file() else ""
    shutil.rmtree(cohort)
    shutil.rmtree(folder / "out", ignore_errors=True)
    return {**found, "memory": peak / 2**20, "seconds": time.monotonic() - start}


def copy(intact, cohort, poisoned):
    """Copy a cohort by links, but for what poisoning changes."""
    changed = {name.lower() for name in poisoned}

    def put(source, target):
        stem = Path(source).name.split(".")[0].split("_")[0]
        own = stem in changed or Path(source).name == TABLE
        return shutil.copy(source, target) if own else os.link(source, target)

    return shutil.copytree(intact, cohort, copy_function=put)


def memory_of(pid):
    """Return the memory of a process and its children; pages that they share count in parts."""
    total = 0
    try:
        for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
            total += process.memory_full_info().pss
    except psutil.Error:
        pass
    return total


def report(poisoned, face, found):
    """Print what came of a cohort; return the number of patients that are not as they must be."""
    sound = {f"P{k}" for k in range(SOUND)}
    rows, text = set(found["rows"]), "\n".join(found["lines"])
    faults = {name: "has no result" for name in sorted(sound - rows)}
    sentences = {}
    for name, kind in poisoned.items():
        new = getattr(KINDS[kind], "new", name)
        shown = {new, new.encode("unicode_escape").decode(), new.encode("ascii", "backslashreplace").decode()}
        said = [found["problems"][each] for each in shown & found["problems"].keys()]
        said += [line for line in found["lines"] if any(each in line for each in shown)] if kind in UNSEEN else []
        sentences[kind] = said[0] if said else ""
        lost = kind in LOST or kind in UNSEEN or (kind in NAMES_WITHOUT_A_ROW and face in ("check", "train"))
        if lost == bool(shown & rows):
            faults[kind] = "has a result" if lost else "has none"
        elif lost != bool(said) or "unexpected" in sentences[kind]:
            faults[kind] = f"got {sentences[kind] or 'no sentence'}"
    if found.get("failed") or "Traceback" in found["errors"] + text:
        faults["all"] = f"{found.get('failed', '')} {found['errors'][-2000:]}"
    kinds = next(iter(poisoned.values())) if len(poisoned) == 1 else f"{len(poisoned)} kinds"
    numbers = f"{found['cpu']:.1f} | {found['memory']:.0f} | {found['seconds']:.1f}"
    print(f"| {kinds} | {face} | {len(rows & sound)} | {len([s for s in sentences.values() if s])} | {numbers} |")
    for line in found["lines"] * (len(poisoned) > 1):
        print(f"    {line[:200]}")
    for kind, sentence in sentences.items():
        print(f"  {kind}: {sentence[:160]}")
    for name, fault in faults.items():
        print(f"**wrong** {face}, {name}: {fault}")
    sys.stdout.flush()
    return len(faults)


if __name__ == "__main__":
    main()
