"""Interrupt every command at random moments, as Ctrl-C does in a terminal, and judge how it ends.

Each call runs in a process group of its own, all of which gets SIGINT, as a terminal sends it. It must end in one last
line on standard error, with exit code 130, and leave no process. The first moments, until Python hears signals, are
left out: there the system ends the process without a word. With --term, the first process alone gets SIGTERM, as `kill`
sends it. Of a command that does not go on, no results may be left.

    python Testing/benchmarks/commands/interrupts.py FOLDER [--times 40] [--only train] [--seed 0] [--term]
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

FIRST_S = 0.08  # until Python and the first module are there
_LONGEST_S, _GRACE_S = 900, 60
_PCR = [sys.executable, "-c", "from PCRPredictorLib.commands.interrupts import start; start()"]


@dataclass(frozen=True)
class Call:
    """A command line: its words, the word that goes on with it, and whether its results are removed before each try."""

    words: tuple[str, ...]
    goes_on: str | None = None
    out: str | None = None
    keep: bool = False


def calls(folder: Path) -> dict[str, Call]:
    """Return what is tried, with paths inside the folder."""
    cohort, other, out = (str(folder / name) for name in ("cohort", "other", "out"))
    train = ("--config", "quick", "--keep-anyway", "--workers", "2")
    tiny = str(folder / "tiny.json")
    return {
        "train": Call(("train", cohort, "--out", out, *train), "--resume", out, keep=True),
        "select": Call(("select", cohort, "--out", out, "--configs", tiny, "--inner", "2"), "--resume", out, keep=True),
        "experiment": Call(
            ("experiment", cohort, "--out", out, "--config", tiny, "--seeds", "1"), "--resume", out, keep=True
        ),
        "evaluate": Call(("evaluate", other, "--model", "phantom", "--out", out), None, out),
        "predict": Call(("predict", "--cohort", other, "--model", "phantom", "--out", out), "--resume", out, keep=True),
        "import": Call(("import", str(folder / "dicom"), out), "", out, keep=True),
        "follow": Call(("follow", "--table", str(folder / "visits"), "--out", out), None, out),
        "demo": Call(("demo", "--out", out), None, out),
        "phantom": Call(("phantom", out, "--patients", "4"), None, out),
        "check": Call(("check", cohort)),
        "estimate": Call(("estimate", cohort, "--config", "quick")),
        "view": Call(("view", "--port", "0", "--no-browser")),
        "federate": Call(("federate", "simulate", cohort, other, "--out", out, "--config", tiny), "", out, keep=True),
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
    if process.returncode not in (0, 130):
        wrong.append(f"exit code {process.returncode}")
    if "Traceback" in told or "Exception ignored" in told or len(lines) > 1:
        wrong.append(f"{len(lines)} lines")
    if process.returncode == 130:
        last = lines[-1] if lines else ""
        if "interrupted" not in last or (call.goes_on and call.goes_on not in last):
            wrong.append(f"last line {last!r}")
        if call.out is not None and not call.keep and Path(call.out).exists():
            wrong.append(f"results in {call.out}")
        if hidden := [
            path.name for path in Path(call.words[-1] if call.out is None else call.out).parent.glob(".*-pcr-*")
        ]:
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


def main() -> None:
    """Try every command, and print a line for each and every fault."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--term", action="store_true")
    words = parser.parse_args()
    word = "ends" if words.term else "interrupts"
    draw = random.Random(words.seed)
    failed = 0
    for name, call in calls(words.folder).items():
        if words.only and name not in words.only:
            continue
        longest = _time(call)
        ends: Counter[int] = Counter()
        for _ in range(words.times):
            _clean(call)
            seconds = draw.uniform(FIRST_S, longest)
            wrong, told, code = try_once(call, seconds, words.term)
            ends[code] += 1
            if wrong:
                failed += 1
                print(f"  {name} after {seconds:.2f} s: {wrong}\n{told[-1500:]}", flush=True)
        print(f"{name}: {words.times} {word} within {longest:.1f} s, exit codes {dict(ends)}", flush=True)
    sys.exit(1 if failed else 0)


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
    if call.out is not None:
        shutil.rmtree(call.out, ignore_errors=True)


if __name__ == "__main__":
    main()
