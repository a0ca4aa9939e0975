"""How long a run took, over every time that it was started: a session may end by Ctrl-C, a kill or a power cut."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from PCRPredictorLib.errors import DataError
from PCRPredictorLib.writing import write_whole_json

from .run_files import refusing_damage
from .run_folder import RunFolder, read_json


@contextmanager
def session(folder: RunFolder, started: float) -> Iterator[None]:
    """Record how long the block takes, in s; if the process is killed in it, its last epoch stands for its end.

    Args:
        started: when the command began, s on the clock of `time.monotonic`, which no one sets.
    """
    before = _recorded(folder)
    write_whole_json([*before, {"began": time.time(), "started": started}], folder.sessions)
    try:
        yield
    finally:
        with suppress(DataError):  # the disk is full, which is reported already
            write_whole_json([*before, {"seconds": round(time.monotonic() - started, 1)}], folder.sessions)


def total_seconds(folder: RunFolder, started: float) -> float:
    """Return the seconds of all sessions, with the one that began at `started`, s of `time.monotonic`."""
    earlier = sum(each["seconds"] for each in _recorded(folder, started))
    return round(earlier + time.monotonic() - started, 1)


def _recorded(folder: RunFolder, running: float | None = None) -> list[dict[str, Any]]:
    """Return the sessions that have ended; one that was killed took until its last epoch.

    Args:
        running: when the session that has not ended yet began, s of `time.monotonic`, if there is one.
    """
    try:
        with refusing_damage(folder.sessions):
            found = [_checked(each) for each in read_json(folder.sessions)] if folder.sessions.is_file() else []
    except DataError:  # half-written by another program: the time is lost, not the run
        return []
    found = [each for each in found if "seconds" in each or running is None or each.get("started") != running]
    epochs = [_changed(path) for path in folder.path.rglob("history.csv")] if found else []
    last = max(epochs, default=0.0)
    return [each if "seconds" in each else {"seconds": _until(last, each)} for each in found]


def _until(last: float, killed: Mapping[str, Any]) -> float:
    """Return the seconds of a session that was killed, until its last epoch.

    If the clock was set meanwhile, they are no more than have passed since on one that nobody sets; it begins anew
    when the machine does.
    """
    passed = time.monotonic() - killed.get("started", math.inf)
    return round(min(max(last - killed["began"], 0.0), passed if passed > 0 else math.inf), 1)


def _checked(session: dict[str, Any]) -> dict[str, Any]:
    """Return a session that has a beginning or a length, a number."""
    float(session["seconds"] if "seconds" in session else session["began"])
    return session


def _changed(path: Path) -> float:
    """Return when a file was last written, s since 1970."""
    return path.stat().st_mtime
