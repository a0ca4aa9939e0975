"""The processes of NVIDIA FLARE that a command starts, follows and ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil
from PCRPredictorLib.errors import DataError

from ..progress import Progress

_POLL = 1.0  # seconds


def run_process(
    module: str, words: Sequence[str], output: Path, log: Path, progress: Progress, more: Mapping[str, str]
) -> int:
    """Run a Python module as a process until it ends, and show the lines that it adds to a log.

    Args:
        output: file for all else that it writes.
        log: for people.
        more: variables of its environment.

    Returns:
        Its exit code.
    """
    shown = len(_lines(log))
    with output.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", module, *words],
            stdout=file,
            stderr=file,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **more},
            start_new_session=True,
        )
        try:
            while process.poll() is None:
                time.sleep(_POLL)
                shown = show_lines(log, shown, progress)
        finally:
            end_group(process)
    show_lines(log, shown, progress)
    return process.returncode


def check_running(process: subprocess.Popen, log: Path) -> None:
    """Refuse to go on without FLARE's server.

    Raises:
        DataError: if it has ended, naming its log.
    """
    if (code := process.poll()) is not None:
        raise DataError(f"FLARE's server ended by itself (exit {code}); see {log}, mend that and repeat the call")


def show_lines(log: Path, shown: int, progress: Progress) -> int:
    """Show the lines of a log that are new, and return how many it has now."""
    lines = _lines(log)
    for line in lines[shown:]:
        progress.say(line)
    return len(lines)


def _lines(log: Path) -> list[str]:
    return log.read_text(encoding="utf-8").splitlines() if log.is_file() else []


def end_group(process: subprocess.Popen) -> None:
    """End a process that was started in its own session, with all that it started."""
    if sys.platform == "win32":
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(process.pid).children(recursive=True):
                with suppress(psutil.Error):
                    child.kill()
        process.kill()
    else:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
    process.wait()
