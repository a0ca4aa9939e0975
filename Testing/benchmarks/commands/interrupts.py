"""Interrupt every command at random moments, as Ctrl-C does in a terminal, and judge how it ends.

Each call runs in a process group of its own, all of which gets SIGINT, as a terminal sends it. It must end in one last
line on standard error, with exit code 130, and leave no process; the command that the line names, if it names one, must
then end well (tried once in `_GOES_ON_EVERY`). Of a command that does not go on, no results may be left. The first
moments, until Python hears signals, are left out: there the system ends the process without a word. With --term, the
first process alone gets SIGTERM, as `kill` sends it. A new FOLDER is filled with tiny cohorts first.

    PYTHONPATH=Testing python Testing/benchmarks/commands/interrupts.py FOLDER [--times 40] [--only train] [--term]
"""

import argparse
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from support.own_cohort import write_dicom_patient
from support.response.visit_tables import only, simulate, write_csv
from support.training_cohort import QUICK, write_cohort

INTERRUPTED = 130
FIRST_S = 0.08  # until Python and the first module are there
_LONGEST_S, _GRACE_S = 900, 60
_GOES_ON_EVERY = 4  # tries
_PCR = [sys.executable, "-c", "from PCRPredictorLib.commands.interrupts import start; start()"]


@dataclass(frozen=True)
class Call:
    """A command line.

    Args:
        words: after pcr.
        goes_on: word that goes on with it; "" if the same words do, None if it begins anew.
        out: removed before each try.
    """

    words: tuple[str, ...]
    goes_on: str | None
    out: str


def prepare(folder: Path) -> None:
    """Write the cohorts, tables and the configuration that the calls read."""
    write_cohort(folder / "cohort", 16)
    write_cohort(folder / "other", 6, prefix="Q", seed=50)
    for number in range(1, 5):
        write_dicom_patient(folder / "dicom", number)
    seen = simulate(60)
    write_csv(only(seen, [name for name in seen if "_T" in name or name == "patient_id"]), folder / "visits.csv")
    (folder / "tiny.json").write_text(QUICK.replace('"epochs": 2', '"epochs": 1'))


def calls(folder: Path) -> dict[str, Call]:
    """Return what is tried, with paths inside the folder."""
    cohort, other, out, tiny = (str(folder / name) for name in ("cohort", "other", "out", "tiny.json"))
    phases = tuple(map(str, sorted((folder / "other" / "images" / "Q0").iterdir())))
    mask = str(folder / "other" / "segmentations" / "expert" / "q0.nii.gz")
    own, to = ("--config", tiny), ("--out", out)
    resumed = {
        "train": ("train", cohort, *to, *own, "--keep-anyway", "--workers", "2"),
        "train, one process": ("train", cohort, *to, *own, "--keep-anyway", "--workers", "1"),
        "select": ("select", cohort, *to, "--configs", tiny, "--inner", "2", "--workers", "1"),
        "experiment": ("experiment", cohort, *to, *own, "--seeds", "1", "--workers", "1"),
        "predict --cohort": ("predict", "--cohort", other, "--model", "phantom", *to),
    }
    again = {
        "import": ("import", str(folder / "dicom"), out),
        "federate": ("federate", "simulate", cohort, other, *to, *own),
    }
    anew = {
        "predict": ("predict", "--phases", *phases, "--mask", mask, "--model", "phantom", *to),
        "evaluate": ("evaluate", other, "--model", "phantom", *to),
        "follow": ("follow", "--table", str(folder / "visits.csv"), *to),
        "recalibrate": ("bundle", "recalibrate", "phantom", cohort, *to),
        "demo": ("demo", *to),
        "phantom": ("phantom", out, "--patients", "4"),
        "check": ("check", cohort),
        "estimate": ("estimate", cohort, *own),
        "doctor": ("doctor",),
        "view": ("view", "--port", "0", "--no-browser"),
    }
    return {
        **{name: Call(words, "--resume", out) for name, words in resumed.items()},
        **{name: Call(words, "", out) for name, words in again.items()},
        **{name: Call(words, None, out) for name, words in anew.items()},
    }


def try_once(call: Call, seconds: float, term: bool = False) -> tuple[str, str, int]:
    """Interrupt or end a call after some time; return what was wrong ("" if nothing), standard error and exit code."""
    process = subprocess.Popen(
        [*_PCR, *call.words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    time.sleep(seconds)
    if process.poll() is None:
        os.kill(process.pid, signal.SIGTERM) if term else os.killpg(process.pid, signal.SIGINT)
    try:
        _, told = process.communicate(timeout=_GRACE_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return "did not end", process.communicate()[1], -9
    wrong = []
    lines = told.splitlines()
    if process.returncode not in (0, INTERRUPTED):
        wrong.append(f"exit code {process.returncode}")
    if "Traceback" in told or "Exception ignored" in told or len(lines) > 1:
        wrong.append(f"{len(lines)} lines")
    if process.returncode == INTERRUPTED:
        last = lines[-1] if lines else ""
        expected = "begin anew" if call.goes_on is None else f"go on with: pcr {call.words[0]}"
        if expected not in last or not last.endswith(call.goes_on or ""):
            wrong.append(f"last line {last!r}")
        if call.goes_on is None and Path(call.out).exists():
            wrong.append(f"results in {call.out}")
        if hidden := [path.name for path in Path(call.out).parent.glob(".*-pcr-*")]:
            wrong.append(f"left {hidden}")
    if left := _left(process.pid):
        wrong.append(f"left {left}")
    return ", ".join(wrong), told, process.returncode


def _left(group: int) -> str:
    """Return the processes of a group that are left a moment later."""
    time.sleep(0.3)
    found = subprocess.run(["ps", "-eo", "pgid=,stat=,args="], capture_output=True, text=True, check=True).stdout
    lines = [line.split(maxsplit=2) for line in found.splitlines()]
    return "; ".join(args[:120] for number, state, args in lines if number == str(group) and state[0] != "Z")


def go_on(call: Call, told: str) -> str:
    """Run the command that the last line names, or the same one again; return what was wrong."""
    named = shlex.split(told.rsplit("go on with: pcr ", 1)[-1]) if "go on with" in told else [*call.words]
    if call.words[0] == "view":
        return ""
    done = subprocess.run([*_PCR, *named], capture_output=True, text=True, timeout=_LONGEST_S, check=False)
    return f"going on: exit code {done.returncode}, {done.stderr[-500:]}" if done.returncode else ""


def main() -> None:
    """Try every command, and print a line for each and every fault."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--term", action="store_true")
    words = parser.parse_args()
    if not words.folder.exists():
        prepare(words.folder)
    failed = 0
    for name, call in calls(words.folder).items():
        if not words.only or name in words.only:
            failed += try_often(name, call, words.times, random.Random(f"{words.seed} {name}"), words.term)
    sys.exit(1 if failed else 0)


def try_often(name: str, call: Call, times: int, draw: random.Random, term: bool) -> int:
    """Interrupt a call at random moments of its usual time; return how many ends had a fault."""
    longest, failed = _time(call), 0
    ends: Counter[int] = Counter()
    for number in range(times):
        _clean(call)
        seconds = draw.uniform(FIRST_S, longest)
        wrong, told, code = try_once(call, seconds, term)
        if number % _GOES_ON_EVERY == 0 and code == INTERRUPTED:
            wrong += go_on(call, told)
        ends[code] += 1
        if wrong:
            failed += 1
            print(f"  {name} after {seconds:.2f} s: {wrong}\n{told[-1500:]}", flush=True)
    found = f"exit codes {dict(ends)}, {failed} faults"
    print(f"{name}: {times} interrupts within {longest:.1f} s, {found}", flush=True)
    return failed


def _time(call: Call) -> float:
    """Return how long a call takes if nobody interrupts it, s; of the page, a few seconds."""
    _clean(call)
    if call.words[0] == "view":
        return 6.0
    begun = time.monotonic()
    done = subprocess.run([*_PCR, *call.words], capture_output=True, text=True, timeout=_LONGEST_S, check=False)
    if done.returncode:
        print(f"  {call.words[0]} alone: exit code {done.returncode}\n{done.stderr[-1500:]}")
    return time.monotonic() - begun


def _clean(call: Call) -> None:
    shutil.rmtree(call.out, ignore_errors=True)


if __name__ == "__main__":
    main()
