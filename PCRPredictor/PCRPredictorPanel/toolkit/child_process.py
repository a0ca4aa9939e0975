"""The command line as a child process, followed without blocking the user interface."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import qt
from PCRPredictorLib.child import CHILD
from slicer.i18n import tr as _

_INTERVAL_MS = 100
_MOST_LINES = 200  # of standard error that are kept


class ChildProcess:
    """One run of `pcr`.

    Args:
        on_event: called with every event, a dict with the key "event".
        on_end: called once, with the exit code, None if it was cancelled, and with what was written to standard error.
        log: called with every other line.
    """

    def __init__(
        self,
        on_event: Callable[[dict], None],
        on_end: Callable[[int | None, str], None],
        log: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._on_event, self._on_end, self._log = on_event, on_end, log
        self._process: subprocess.Popen | None = None
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._errors: list[str] = []
        self._readers: list[threading.Thread] = []
        self._cancelled = False
        self._timer = qt.QTimer()
        self._timer.setInterval(_INTERVAL_MS)
        self._timer.connect("timeout()", self._check)

    @property
    def running(self) -> bool:
        """Whether `on_end` is still to be called."""
        return self._process is not None

    def start(self, arguments: Sequence[str], module: str = "PCRPredictorLib.command_line") -> None:
        """Start `python -m module arguments`; if Python cannot be started, `on_end` is called at once."""
        self._cancelled = False
        self._errors.clear()
        roots = [str(path) for path in _library_folders()] + [os.environ.get("PYTHONPATH", "")]
        try:
            self._process = self._launch(arguments, module, roots)
        except OSError as error:
            self._on_end(127, _("Python cannot be started: {reason}").format(reason=error.strerror or error))
            return
        streams = ((self._process.stdout, self._lines.put), (self._process.stderr, self._note_error))
        self._readers = [threading.Thread(target=_read, args=stream, daemon=True) for stream in streams]
        for reader in self._readers:
            reader.start()
        self._timer.start()

    @staticmethod
    def _launch(arguments: Sequence[str], module: str, roots: Sequence[str]) -> subprocess.Popen:
        return subprocess.Popen(
            [python_executable(), "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            env={**os.environ, CHILD: "1", "PYTHONPATH": os.pathsep.join(filter(None, roots)), "PYTHONUTF8": "1"},
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )

    def cancel(self) -> None:
        """Ask it to end; it and its own children do when their input is closed."""
        if self._process is not None:
            self._cancelled = True
            self._process.stdin.close()

    def close(self) -> None:
        """Cancel, and call nothing any more."""
        self.cancel()
        self._timer.stop()
        self._process = None

    def _note_error(self, line: str) -> None:
        self._errors.append(line)
        del self._errors[:-_MOST_LINES]
        self._lines.put(line)

    def _check(self) -> None:
        over = self._process is not None and self._process.poll() is not None
        if over:
            for reader in self._readers:
                reader.join(1)
        while not self._lines.empty():
            line = self._lines.get()
            event = _parse(line)
            if event is None:
                self._log(line)
            elif not self._cancelled:
                self._on_event(event)
        if over and self._process is not None:
            code, self._process = self._process.returncode, None
            self._timer.stop()
            self._on_end(None if self._cancelled else code, "".join(self._errors).strip())


def last_sentence(errors: str, code: int) -> str:
    """Return the last line that a command wrote to standard error, or that it was ended from outside."""
    if code < 0:
        return _("The process was ended from outside (signal {number}).").format(number=-code)
    lines = [line for line in errors.splitlines() if line.strip()]
    if lines:
        return lines[-1].removeprefix("pcr: ")
    return _("The process ended with code {code} and no message.").format(code=code)


def python_executable() -> str:
    """Return Slicer's own Python without the application, or this one outside Slicer."""
    return shutil.which("PythonSlicer") or sys.executable


def _library_folders() -> list[Path]:
    """Return the folders of the libraries: one in an installed extension, one per module in the source tree."""
    own = Path(__file__).resolve().parents[2]
    training = own.parent / "PCRTraining"
    return [own, training] if training.is_dir() else [own]


def _read(stream: object, put: Callable[[str], None]) -> None:
    for line in stream:  # type: ignore[attr-defined]
        put(line)


def _parse(line: str) -> dict | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "event" in event else None
