"""One process beside this one that performs tasks one after the other: a task that ends it ends nothing else."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

from .engine import Done, Engine, Heard, V, ignore
from .tasks import Function, Killing, R, T, Trace, limit_threads, portable

_TRIES = 2  # of a task whose process died: the first time, other programs may have taken the memory
_GRACE_S = 2.0  # that the process has to tidy up when it is ended
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


def is_possible() -> bool:
    """Return True where a copy of this process is made at once and safely; on Linux, as PyTorch's loaders do."""
    return sys.platform == "linux"


class Apart(Engine):
    """Performs one task after the other in a copy of this process, for tasks without a GPU.

    A task whose process dies is tried again in a new one, and then given up.

    Args:
        threads: of torch; None for as many as it has.
    """

    def __init__(self, threads: int | None = None) -> None:
        self._threads = threads

    def run(self, function: Function[T, R], tasks: Iterable[T], heard: Heard = ignore) -> Iterator[Done[T, R]]:
        """Yield each task as it ends, in order."""
        copy: _Copy | None = None
        try:
            for task in tasks:
                for _ in range(_TRIES):
                    copy = copy or _Copy(function, self._threads)
                    if (done := copy.perform(task, heard)) is not None:
                        break
                    code, copy = copy.end(), None
                yield done or Done(task, error=Killing(_describe(code)))
        finally:
            if copy is not None:
                copy.end()

    def everywhere(self, function: Callable[..., V], *arguments: object) -> list[V]:
        """Return what it returns here."""
        return [function(*arguments)]

    def check_folder(self, folder: Path) -> None:
        """Accept any folder."""


class _Copy:
    """A copy of this process that waits for tasks."""

    def __init__(self, function: Function, threads: int | None) -> None:
        context = multiprocessing.get_context("fork")
        self._end, theirs = context.Pipe()
        asked = self._end, theirs, function, threads, os.getpid()
        self._process = context.Process(target=_serve, args=asked)
        self._process.start()
        theirs.close()
        self._is_working = False

    def perform(self, task: T, heard: Heard) -> Done[T, Any] | None:
        """Return what became of a task, None if the process has died of it."""
        self._is_working = True
        try:
            self._end.send(task)
            while (news := self._end.recv())[0]:
                heard(task, *news[1:])
            _, value, error, trace = news
        except (EOFError, ConnectionError):
            news = None
        self._is_working = False
        if news is None:
            return None
        if trace:
            error.__cause__ = Trace(trace)
        return Done(task, value, error)

    def end(self) -> int:
        """End the process, and return its exit code, a negative signal if one has ended it."""
        self._end.close()
        if self._is_working:  # on what nobody waits for any more
            self._process.terminate()
        self._process.join(_GRACE_S)
        self._process.kill()
        self._process.join()
        return self._process.exitcode or 0


def _serve(ours: Connection, end: Connection, function: Function, threads: int | None, parent: int) -> NoReturn:
    """Perform tasks until the other end is closed; in the copy."""
    ours.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that this is a copy of
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # half-written results are removed
    _die_with(parent)
    sys.stdout = sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115  the copy lacks threads that may hold the others
    try:
        while True:
            task = end.recv()
            limit_threads(threads)
            end.send((False, *_perform(function, task, lambda *news: end.send((True, *news)))))
    except (EOFError, ConnectionError):
        os._exit(0)


def _perform(function: Function[T, R], task: T, report: Callable[..., None]) -> tuple[R | None, Exception | None, str]:
    """Return the value of a task, or its error with its trace."""
    try:
        return function(task, report), None, ""
    except Exception as error:
        return None, portable(error), traceback.format_exc()


def _die_with(parent: int) -> None:
    """Be killed when the other process ends in whatever way: nobody would hear of what is done."""
    import ctypes

    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:  # it has ended meanwhile
        os._exit(1)


def _describe(code: int) -> str:
    """Return the sentence about a task that ends its processes."""
    how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return (
        f"the process that worked on it died each time ({how}; out of memory, or damaged files); close other programs, "
        "or export it again"
    )
