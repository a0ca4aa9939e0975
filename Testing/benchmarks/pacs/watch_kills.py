"""`pcr pacs watch` killed again and again, and its PACS restarted: each study is predicted and stored exactly once.

    .venv/bin/python Testing/benchmarks/pacs/watch_kills.py --studies 50 --kills 10 --restarts 3

Studies of small phantoms arrive in Orthanc in random order, their images in random order, several at a time. Meanwhile
`kill -9` ends the watch at random moments, and it is started again at once; Orthanc is killed and comes back after a
random while. At the end the watch is stopped by SIGTERM. Counted are the instances that each study has in Orthanc and
the rows of the journal. Needs Orthanc with its DICOMweb plugin: apt-get install orthanc orthanc-dicomweb.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import requests

sys.path.insert(0, str(Path(__file__).parents[2]))

from support.models.tiny import write_tiny_bundle
from support.pacs.orthanc import Orthanc
from support.pacs.studies import MadeStudy, make_studies
from support.waiting import wait_until

RESULTS = 4  # objects that are stored per study
ROOT = Path(__file__).parents[3]
AT_ONCE = 4  # studies that arrive beside each other
LONGEST_S = 3600.0


@dataclass
class Watching:
    """A watch in a process of its own, which is killed and started again.

    Args:
        folder: of its configuration, model, results and log.
        settle: seconds that a study must not change for.
    """

    folder: Path
    settle: float
    process: subprocess.Popen | None = None
    said: int = 0  # bytes of the log before it was started
    left: set[int] = field(default_factory=set)  # processes that were there when it was killed

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def start(self) -> None:
        words = ["pacs", "watch", "--store", "--days", "0", "--every", "1s", "--settle", f"{self.settle}s"]
        files = ["--pacs", "pacs.json", "--model", "bundle", "--out", "out"]
        path = os.pathsep.join(
            [str(ROOT / "PCRPredictor"), str(ROOT / "PCRTraining"), os.environ.get("PYTHONPATH", "")]
        )
        environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
        with (self.folder / "log").open("ab") as log:
            self.said = log.tell()
            command = [sys.executable, "-m", "PCRTrainingLib.command_line", *words, *files]
            self.process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log, env=environment)

    def kill(self) -> None:
        """End it as a power cut does; what it has started must end by itself."""
        self.left |= {child.pid for child in psutil.Process(self.process.pid).children(recursive=True)}
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Ask it to end as soon as it has begun, and return its exit code."""
        wait_until(lambda: (self.folder / "log").stat().st_size > self.said or self.process.poll() is not None, 300)
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(300)

    def clear(self) -> None:
        """End it, if it has not ended."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def predicted(self) -> Counter[str]:
        """Return how often each study has a line in the journal that says that it was predicted."""
        found: Counter[str] = Counter()
        journal = self.out / "watch.jsonl"  # comes a moment after its folder
        for line in journal.read_text().splitlines()[1:] if journal.exists() else []:
            try:
                entry = json.loads(line)
            except ValueError:  # being written
                continue
            if entry["rows"][0]["state"] == "predicted":
                found[entry["patient"]] += 1
        return found


class Arriving:
    """The studies on their way to the PACS, image by image."""

    def __init__(self, studies: list[MadeStudy], chance: random.Random) -> None:
        self._waiting = chance.sample(studies, len(studies))
        self._sent: list[list[bytes]] = []
        self._chance = chance

    def send_one(self, pacs: Orthanc) -> bool:
        """Send one image of one of the studies that are arriving; return False if none is left."""
        while len(self._sent) < AT_ONCE and self._waiting:
            files = self._waiting.pop().files
            self._sent.append(self._chance.sample(files, len(files)))
        if not self._sent:
            return False
        study = self._sent.pop(self._chance.randrange(min(2, len(self._sent))))  # none waits for long
        try:
            pacs.upload_bytes(study[-1])
            study.pop()
        except requests.RequestException:  # it is being restarted: sent again later
            pass
        self._sent += [study] if study else []
        return True


def run(
    folder: Path,
    studies: int,
    kills: int,
    restarts: int,
    seed: int,
    within: float = 8.0,
    settle: float = 4.0,
    say: Callable = print,
) -> dict[str, object]:
    """Return the figures of one run.

    Args:
        within: seconds after some prediction, in which a kill or restart comes.
        settle: seconds that a study must not change for.
    """
    chance = random.Random(seed)
    pacs, made = Orthanc(folder / "orthanc").start(), make_studies(studies)
    watching, arriving = Watching(folder, settle), Arriving(made, chance)
    write_tiny_bundle(folder / "bundle")
    (folder / "pacs.json").write_text(json.dumps({"url": pacs.url, "retries": 1, "timeout": 10}))
    began = time.monotonic()
    due = [(chance.randrange(studies), what) for what in ["kill"] * kills + ["restart"] * restarts]
    due, at = sorted(due, reverse=True), None
    try:
        watching.start()
        while time.monotonic() - began < LONGEST_S:
            is_coming, now = arriving.send_one(pacs), time.monotonic()
            predicted = len(watching.predicted())
            if at is None and due and predicted >= due[-1][0]:
                at = now + chance.uniform(0, within)
            if at is not None and now > at:
                say(f"{due[-1][1]} with {predicted} predicted")
                _do(due.pop()[1], watching, pacs, chance)
                at = None
            if predicted == studies and not due:
                break
            time.sleep(chance.uniform(0, 0.1) if is_coming else 0.1)
        took, code = time.monotonic() - began, watching.stop()
        figures = _count(watching, pacs, made)
    finally:
        watching.clear()
        pacs.stop(kill=True)
    asked = {"studies": studies, "kills": kills, "restarts": restarts, "seed": seed}
    return {**asked, **figures, "exit_code": code, "seconds": round(took, 1)}


def _do(what: str, watching: Watching, pacs: Orthanc, chance: random.Random) -> None:
    if what == "kill":
        watching.kill()
        watching.start()
        return
    pacs.stop(kill=True)
    time.sleep(chance.uniform(0.2, 4))
    pacs.start()


def _count(watching: Watching, pacs: Orthanc, made: list[MadeStudy]) -> dict[str, object]:
    """Return what is in the PACS and in the journal."""
    stored = [len(pacs.instances(study.uid)) - len(study.files) for study in made]
    predicted = watching.predicted()
    lines = (watching.out / "watch.jsonl").read_text().splitlines()
    return {
        "stored_once": sum(number == RESULTS for number in stored),
        "stored_twice": sum(number > RESULTS for number in stored),
        "stored_in_part": sum(0 < number < RESULTS for number in stored),
        "not_stored": sum(number == 0 for number in stored),
        "rows_predicted_once": sum(predicted[study.uid] == 1 for study in made),
        "rows_predicted_more": sum(predicted[study.uid] > 1 for study in made),
        "lost": sum(predicted[study.uid] == 0 for study in made),
        "lines_unreadable": sum(not _is_json(line) for line in lines),
        "processes_left": sum(psutil.pid_exists(pid) and _runs(pid) for pid in watching.left),
        "left_on_disk": sorted(path.name for path in watching.out.iterdir() if path.name.startswith(".")),
    }


def _is_json(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _runs(pid: int) -> bool:
    try:
        return "spawn_main" in " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return False


def main() -> None:
    """Run and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("studies", 50), ("kills", 10), ("restarts", 3), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = vars(parser.parse_args())
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "orthanc").mkdir()
        print(json.dumps(run(Path(folder), **given), indent=2))


if __name__ == "__main__":
    main()
