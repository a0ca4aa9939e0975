"""A federation as in production, on this machine: certificates, TLS on 127.0.0.1, a process tree for each hospital.

    python Testing/benchmarks/federation/production.py [--out FOLDER]

The server is `pcr federate serve`, each hospital `pcr federate join`. In the second step one hospital is killed with
all its processes (kill -9), and started again some rounds later. The end result must arrive, the killed one must miss
rounds and take part again, and nobody else may miss one. Needs nvflare; takes about five minutes on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from PCRPredictorLib.model.bundle import load_bundle
from PCRPredictorLib.writing import read_csv
from PCRTrainingLib.federation.folder import FederationFolder
from support.training_cohort import QUICK, write_cohort

NAMES, KILLED = ("north", "south", "west"), "west"
PCR = [sys.executable, "-m", "PCRTrainingLib.command_line", "federate"]


def start(words: list[str], log: Path) -> subprocess.Popen:
    """Start a command in a session of its own, so that all of it can be killed."""
    with log.open("ab") as file:
        return subprocess.Popen([*PCR, *words], stdout=file, stderr=file, start_new_session=True)


def join(out: Path, name: str) -> subprocess.Popen:
    """Start a hospital."""
    return start(["join", str(out / "server/kits" / name), str(out / name)], out / f"{name}.log")


def wait_for(true: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise SystemExit(f"{what} did not happen within {seconds:.0f} s")
        time.sleep(0.5)


def kill(process: subprocess.Popen, kit: Path) -> int:
    """Kill a hospital at once, with FLARE's processes that have their own sessions; return how many there were."""
    found = 0
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if str(kit).encode() in words or int(entry.name) == process.pid:
            os.kill(int(entry.name), signal.SIGKILL)
            found += 1
    process.wait()
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=Path("build/federation-production"))
    parser.add_argument("--port", type=int, default=8102)
    parser.add_argument(
        "--epochs",
        type=int,
        default=4,
        help="of each step, and rounds; with fewer, it may end before the hospital is back",
    )
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    folder = FederationFolder(out / "server")
    for k, name in enumerate(NAMES):
        write_cohort(out / name, 24, prefix=name[0].upper(), seed=k)
    config = {**json.loads(QUICK), "clinical": ["age", "hr"]}
    config["steps"] = [{**step, "epochs": arguments.epochs} for step in config["steps"]]
    (out / "config.json").write_text(json.dumps(config), encoding="utf-8")
    options = ["--config", str(out / "config.json"), "--port", str(arguments.port), "--grace", "1", "--wait", "10"]
    server = start(["serve", "--out", str(folder.path), "--sites", *NAMES, *options], out / "server.log")
    sites: dict[str, subprocess.Popen] = {}
    try:
        wait_for(lambda: (folder.path / "kits" / NAMES[-1] / "breastpcr.json").is_file(), 120, "the kits")
        sites = {name: join(out, name) for name in NAMES}
        drive(folder, out, server, sites, arguments.epochs)
    finally:
        for process in [server, *sites.values()]:
            if process.poll() is None:
                process.terminate()
                process.wait(60)
    check(folder, out)


def drive(folder: FederationFolder, out: Path, server: subprocess.Popen, sites: dict, epochs: int) -> None:
    """Kill a hospital in the second step, start it again two rounds later, and wait for the end."""
    second = 1 + epochs + 2
    wait_for(lambda: folder.read_state().done >= second or server.poll() is not None, 600, "the second step")
    print(f"killed {kill(sites[KILLED], out / 'server/kits' / KILLED)} processes of {KILLED} in step 2", flush=True)
    at = folder.read_state().done
    wait_for(lambda: folder.read_state().done >= at + 2 or server.poll() is not None, 600, "rounds without it")
    sites[KILLED] = join(out, KILLED)
    print(f"{KILLED} started again after {folder.read_state().done - at} rounds", flush=True)
    wait_for(lambda: server.poll() is not None, 900, "the end")


def check(folder: FederationFolder, out: Path) -> None:
    """Print who took part, and fail if anything is lost."""
    rows = read_csv(folder.rounds)
    for name in NAMES:
        took = [row["took_part"] for row in rows if row["site"] == name]
        print(f"{name}: {took.count('yes')} exchanges, left out of {took.count('no')}: {''.join(t[0] for t in took)}")
    others = [row for row in rows if row["site"] != KILLED and row["took_part"] == "no"]
    here = [row["took_part"] for row in rows if row["site"] == KILLED]
    assert folder.read_state().finished, "the federation has not finished"
    assert not others, "a hospital that was there was left out"
    assert "no" in here and here[-1] == "yes", "the killed hospital must miss rounds and come back"
    print(load_bundle(folder.bundle).card.training_data)
    for name in NAMES:
        print(f"{name}: {load_bundle(out / 'server/kits' / name / 'site/bundle').card.name}")


if __name__ == "__main__":
    main()
