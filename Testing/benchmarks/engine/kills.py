"""Train the same folds in one process, in two, and on a Dask cluster of two workers that are started by hand.

Then once more on such a cluster while its workers are killed ten times and its scheduler twice (kill -9, at random
moments), resuming whenever the run has ended. Printed: the largest difference of the out-of-fold logits, and what is
left.

Run: .venv/bin/python Testing/benchmarks/engine/kills.py [--seed 0] [--work folder]. A few minutes of two cores.
"""

import argparse
import contextlib
import csv
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

PCR = [sys.executable, "-m", "PCRTrainingLib.command_line"]
DASK = [sys.executable, "-m", "dask"]
PATIENTS, FOLDS, EPOCHS, WORKERS = 24, 4, 8, 2
KILLS = {"worker": 10, "scheduler": 2}
CONFIG = {
    "steps": [
        {"name": "step1", "epochs": EPOCHS},
        {"name": "step2", "epochs": EPOCHS, "after": "step1", "attention": True, "guidance": "mask cross-entropy"},
        {
            "name": "step3",
            "epochs": EPOCHS,
            "after": "step2",
            "attention": True,
            "clinical": True,
            "clinical_fit": True,
        },
    ],
    "split": {"folds": FOLDS},
    "widths": [4, 6, 8],
    "batch_size": 4,
}


class Cluster:
    """A scheduler and two workers on 127.0.0.1, as a user starts them."""

    def __init__(self, folder: Path) -> None:
        self.file, self._log = folder / "scheduler.json", (folder / "dask.log").open("a")
        self.scheduler, self.workers = None, []

    def start(self) -> None:
        """Start whatever does not run."""
        if self.scheduler is None or self.scheduler.poll() is not None:
            self.stop()
            self.file.unlink(missing_ok=True)
            here = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show"]
            self.scheduler = self._run("scheduler", *here, "--scheduler-file", self.file)
            while not self.file.is_file():
                time.sleep(0.1)
            self.workers = [self._run(*self._worker(k)) for k in range(WORKERS)]

    def _worker(self, number: int) -> list[object]:
        limits = ["--nthreads", 1, "--memory-limit", 0, "--no-dashboard", "--host", "127.0.0.1"]
        return ["worker", "--scheduler-file", self.file, *limits, "--name", f"hand-{number}"]

    def _run(self, *words: object) -> psutil.Popen:
        return psutil.Popen([*DASK, *map(str, words)], stdout=self._log, stderr=self._log)

    def processes(self) -> list[psutil.Process]:
        """Return the processes that train, one for each worker: the children of their nannies."""
        found = []
        for nanny in self.workers:
            with contextlib.suppress(psutil.Error):
                found += [child for child in nanny.children() if "resource_tracker" not in " ".join(child.cmdline())]
        return found

    def stop(self) -> None:
        """End all, as Ctrl-C does."""
        for process in (*self.workers, self.scheduler):
            if process is not None and process.poll() is None:
                process.terminate()
        for process in (*self.workers, self.scheduler):
            if process is not None:
                try:
                    process.wait(30)
                except psutil.TimeoutExpired:  # a worker that looks for its scheduler does not listen
                    for each in (*process.children(recursive=True), process):
                        each.kill()


def train(cohort: Path, config: Path, out: Path, *options: object) -> subprocess.Popen:
    """Start a run, or resume it."""
    words = ["train", cohort, "--out", out, "--config", config, "--resume", "--keep-anyway", *options]
    return subprocess.Popen([*PCR, *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def epochs_done(out: Path) -> int:
    """Return the number of epochs in a run's histories."""
    return sum(max(len(file.read_text().splitlines()) - 1, 0) for file in out.glob("fold_*/*/history.csv"))


def train_while_killing(cluster: Cluster, cohort: Path, config: Path, out: Path, moments: random.Random) -> list[str]:
    """Train, kill, and resume until the run is finished; return what happened, a line each."""
    events = [kind for kind, number in KILLS.items() for _ in range(number)]
    moments.shuffle(events)
    happened: list[str] = []
    run = train(cohort, config, out, "--cluster", cluster.file)
    while True:
        before = epochs_done(out)
        while events and run.poll() is None and epochs_done(out) == before:
            time.sleep(0.05)
        if run.poll() is not None or not events:
            errors = run.communicate()[1].strip().splitlines()
            if run.returncode == 0:
                break
            happened.append(f"run ended with {run.returncode}: {errors[-1] if errors else ''}")
            cluster.start()
            run = train(cohort, config, out, "--cluster", cluster.file)
            continue
        time.sleep(moments.uniform(0, 1.5))
        kind = events.pop()
        victims = cluster.processes() if kind == "worker" else [cluster.scheduler]
        if not victims:
            events.append(kind)
            continue
        moments.choice(victims).kill()
        happened.append(f"{kind} killed after {epochs_done(out)} epochs")
    return [*happened, *(f"not reached: {kind}" for kind in events)]


def logits(out: Path) -> dict[str, float]:
    """Return the out-of-fold logit of each patient."""
    with (out / "oof.csv").open(newline="") as file:
        return {row["patient_id"]: float(row["logit"]) for row in csv.DictReader(file)}


def finish(run: subprocess.Popen) -> None:
    """Wait for a run, which must succeed."""
    _, errors = run.communicate()
    if run.returncode:
        sys.exit(errors)


def main() -> None:
    """Train four times and compare."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, help="keeps everything; another seed trains only its own run")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    work = options.work or Path(tempfile.mkdtemp(prefix="pcr-engine-"))
    work.mkdir(parents=True, exist_ok=True)
    cohort, config = work / "cohort", work / "config.json"
    config.write_text(json.dumps(CONFIG))
    if not cohort.is_dir():
        subprocess.run([*PCR, "phantom", str(cohort), "--patients", str(PATIENTS), "--seed", "1"], check=True)
    cluster, killed = Cluster(work), work / f"killed-{options.seed}"
    ways = {"one": ["--workers", 1], "two": ["--workers", 2], "hand": ["--cluster", cluster.file]}
    try:
        for name, words in ways.items():
            if name == "hand":
                cluster.start()
            if not (work / name / "summary.json").is_file():  # of an earlier call
                finish(train(cohort, config, work / name, *words))
        print(*train_while_killing(cluster, cohort, config, killed, random.Random(options.seed)), sep="\n")
    finally:
        cluster.stop()
    first = logits(work / "one")
    for out in (*(work / name for name in ways), killed):
        found = logits(out)
        difference = max(abs(found[patient] - first[patient]) for patient in first)
        print(f"{out.name}: {len(found)} patients, largest difference of a logit {difference:g}")
    left = [path.relative_to(work) for path in work.glob("*/fold_*/*/checkpoint.pt*")]
    print(f"checkpoints left: {len(left)}; children left: {len(psutil.Process().children(recursive=True))}")


if __name__ == "__main__":
    main()
