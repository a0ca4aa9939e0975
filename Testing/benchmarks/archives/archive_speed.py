"""An archive of simulated slabs: exams a second by workers, memory, a kill in the middle, bad exams, a busy machine.

    .venv/bin/python Testing/benchmarks/archives/archive_speed.py rates --exams 150 --pairs 3
    .venv/bin/python Testing/benchmarks/archives/archive_speed.py whole --exams 1000
    .venv/bin/python Testing/benchmarks/archives/archive_speed.py busy --exams 15 --pairs 2 --before CHECKOUT

`pcr phantom` makes 50 patients; each is there under many names, as hard links. Rates are of the exams between the first
row and the last, without the start; so are CPU seconds, of the command with all of its processes. On a machine that
others use, the efficiency by CPU seconds is the one that does not depend on them.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

PATIENTS = 50
ROOT = Path(__file__).parents[3]
BAD = {
    "cut short": lambda file: file.write_bytes(file.read_bytes()[:3000]),
    "empty": lambda file: file.write_bytes(b""),
    "text": lambda file: file.write_text("not an image"),
    "gone": lambda _file: None,
    "a page": lambda file: file.write_text("<!doctype html><title>Log in</title>"),
}


@dataclass
class Run:
    """A command that was run: seconds at which rows came; CPU seconds and megabytes by the number of rows."""

    rows: list[float] = field(default_factory=list)
    cpu: dict[int, float] = field(default_factory=dict)  # parent and workers
    memory: dict[int, tuple[float, float, int]] = field(default_factory=dict)  # parent, all, processes
    killed: bool = False
    code: int = 0

    @property
    def cpu_each(self) -> float:
        """CPU seconds an exam, once all processes have begun."""
        (first, before), *_, (last, after) = self.cpu.items()
        return (after - before) / (last - first)

    @property
    def rate(self) -> float:
        """Exams a second."""
        return (len(self.rows) - 1) / (self.rows[-1] - self.rows[0])


def make_slabs(folder: Path, exams: int) -> Path:
    """Return a cohort of so many exams."""
    source, cohort = folder / "phantom", folder / f"slabs-{exams}"
    if not source.is_dir():
        subprocess.run(command("phantom", source, "--patients", PATIENTS), check=True, stdout=subprocess.DEVNULL)
    if cohort.is_dir():
        return cohort
    with (source / "clinical_and_imaging_info.csv").open() as file:
        rows = list(csv.DictReader(file))
    named = [{**rows[k % PATIENTS], "patient_id": f"SLAB_{k:05d}"} for k in range(exams)]
    for k, row in enumerate(named):
        old, new = rows[k % PATIENTS]["patient_id"], row["patient_id"]
        files = [*(source / "images" / old).iterdir(), source / "segmentations" / "expert" / f"{old.lower()}.nii.gz"]
        for file in files:
            target = cohort / file.relative_to(source).parent / file.name.replace(old.lower(), new.lower())
            target = Path(str(target).replace(f"images/{old}", f"images/{new}"))
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(file, target)
    with (cohort / "clinical_and_imaging_info.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(named[0]))
        writer.writeheader()
        writer.writerows(named)
    return cohort


def spoil(cohort: Path) -> list[str]:
    """Spoil five exams, and return their names."""
    names = [f"SLAB_{k:05d}" for k in range(3, 1000, 211)]
    for name, damage in zip(names, BAD.values(), strict=True):
        file = cohort / "images" / name / f"{name.lower()}_0001.nii.gz"
        content = file.read_bytes() if file.exists() else b""
        file.unlink(missing_ok=True)  # it is a link: the others keep theirs
        if content and damage is not BAD["gone"]:
            file.write_bytes(content)
        damage(file)
    return names


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "PCRTrainingLib.command_line", *map(str, words)]


def run(cohort: Path, out: Path, *words: object, root: Path = ROOT, kill_at: int | None = None) -> Run:
    """Predict a cohort, and watch it."""
    paths = os.pathsep.join(str(root / name) for name in ("PCRPredictor", "PCRTraining"))
    environment = {name: value for name, value in os.environ.items() if "_NUM_THREADS" not in name}
    process = psutil.Popen(
        command("predict", "--cohort", cohort, "--out", out, *words),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**environment, "BREASTPCR_CHILD": "1", "PYTHONPATH": paths},
    )
    found = Run()
    for line in process.stdout:
        if not line.startswith('{"event": "patient",'):
            continue
        found.rows.append(time.perf_counter())
        if len(found.rows) % 50 == 0:
            found.memory[len(found.rows)] = measure_memory(process)
        if len(found.rows) % 10 == 0:
            found.cpu[len(found.rows)] = sum(sum(each.cpu_times()[:2]) for each in (process, *children_of(process)))
        if len(found.rows) == kill_at:
            process.send_signal(signal.SIGKILL)
            found.killed = True
    found.code = process.wait()
    return found


def children_of(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [child for child in process.children(recursive=True) if child.is_running()]
    except psutil.NoSuchProcess:
        return []


def measure_memory(process: psutil.Process) -> tuple[float, float, int]:
    """Return MB of the parent and of all processes, shared pages once (USS), and the number of processes."""
    sizes = [each.memory_full_info().uss / 2**20 for each in (process, *children_of(process))]
    return sizes[0], sum(sizes), len(sizes)


@contextmanager
def busy_loops(count: int) -> Iterator[None]:
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def spread(values: list[float], digits: int = 2) -> str:
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def measure_rates(folder: Path, exams: int, pairs: int, model: str) -> None:
    """Exams a second with one worker and with two, in turns."""
    cohort = make_slabs(folder, exams)
    found: dict[int, list[Run]] = {1: [], 2: []}
    for pair in range(pairs):
        for workers in (1, 2):
            done = run(cohort, folder / f"rates-{time.time_ns()}", "--workers", workers, "--model", model)
            found[workers].append(done)
            text = f"{done.rate:.2f} exams/s, {done.cpu_each:.3f} CPU s each"
            print(f"pair {pair + 1}, {workers} workers: {text}", flush=True)
    ratios = [two.rate / (2 * one.rate) for one, two in zip(found[1], found[2], strict=True)]
    print(f"rates {spread([r.rate for r in found[1]])} and {spread([r.rate for r in found[2]])} exams/s")
    cpu = [one.cpu_each / two.cpu_each for one, two in zip(found[1], found[2], strict=True)]
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    print(f"efficiency {spread(ratios)} by time, {spread(cpu)} by CPU seconds; {load}")


def measure_whole(folder: Path, exams: int, model: str) -> None:
    """Predict all with two workers and five bad exams, kill the command in the middle, and go on."""
    cohort, out = make_slabs(folder, exams), folder / f"whole-{time.time_ns()}"
    names = spoil(cohort)
    first = run(cohort, out, "--workers", 2, "--model", model, kill_at=exams // 2)
    kept = len((out / "predictions.jsonl").read_bytes().splitlines()) - 1
    with (out / "predictions.jsonl").open("ab") as file:
        file.write(b'{"patient": "SLAB_00')  # as if the line was being written
    second = run(cohort, out, "--workers", 2, "--model", model, "--resume")
    for name, each in (("until killed", first), ("resumed", second)):
        rows = {n: f"{parent:.0f} + {total - parent:.0f} MB" for n, (parent, total, _) in each.memory.items()}
        print(f"{name}: code {each.code}, {each.rate:.2f} exams/s; parent + workers by rows: {json.dumps(rows)}")
    with (out / "predictions.csv").open() as file:
        table = list(csv.DictReader(file))
    errors = {row["patient_id"]: row["error"] for row in table if row["error"]}
    order = [row["patient_id"] for row in table] == [f"SLAB_{k:05d}" for k in range(exams)]
    print(f"{kept} kept, {len(table)} rows, in order and each once: {order}; {len(table) - len(errors)} predicted")
    assert sorted(errors) == names, sorted(errors)
    for name, error in errors.items():
        print(f"  {name}: {error}")
    values = [{k: v for k, v in row.items() if k != "patient_id"} for row in table]
    pairs = [(row, values[k - PATIENTS]) for k, row in enumerate(values) if k >= PATIENTS]
    differ = sum(row != same for row, same in pairs if not row["error"] and not same["error"])
    print(f"rows unlike that of the same phantom: {differ}")


def measure_busy(folder: Path, exams: int, pairs: int, model: str, before: Path | None) -> None:
    """Seconds an exam beside a busy loop on each core, as before and now, in turns."""
    cohort = make_slabs(folder, exams)
    versions: dict[str, tuple[Path, list[object]]] = {"now": (ROOT, []), "now, 2 workers": (ROOT, ["--workers", 2])}
    versions |= {"before": (before, [])} if before else {}
    found: dict[tuple[str, bool], list[float]] = {}
    for _ in range(pairs):
        for busy in (False, True):
            for name, (root, words) in versions.items():
                with busy_loops(os.cpu_count() if busy else 0):
                    done = run(cohort, folder / f"busy-{time.time_ns()}", *words, "--model", model, root=root)
                found.setdefault((name, busy), []).append(1 / done.rate)
                print(f"{name}, {'busy' if busy else 'quiet'}: {1 / done.rate:.2f} s an exam", flush=True)
    for name in versions:
        quiet, busy = found[name, False], found[name, True]
        ratio = [b / q for q, b in zip(quiet, busy, strict=True)]
        print(f"{name}: {spread(quiet)} s an exam, {spread(busy)} s beside busy loops, {spread(ratio, 1)} times")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("rates", "whole", "busy"))
    parser.add_argument("--exams", type=int, default=150)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--model", default="ispy2")
    parser.add_argument("--folder", type=Path, default=Path("build/archive"))
    parser.add_argument("--before", type=Path, help="checkout of an earlier version, for busy")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    if asked.what == "rates":
        measure_rates(asked.folder, asked.exams, asked.pairs, asked.model)
    elif asked.what == "whole":
        measure_whole(asked.folder, asked.exams, asked.model)
    else:
        measure_busy(asked.folder, asked.exams, asked.pairs, asked.model, asked.before)


if __name__ == "__main__":
    main()
