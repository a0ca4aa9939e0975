"""Copies of this process that perform tasks, each one after the other: a task that ends its copy ends nothing else."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

from ..child import is_program
from .engine import Done, Engine, Heard, V, ignore
from .tasks import Function, Killing, R, T, Trace, limit_threads, portable

_TRIES = 2  # of a task whose process died: the first time, other programs may have taken the memory
_GRACE_S = 2.0  # that the process has to tidy up when it is ended
_ENDS = {signal.SIGINT, signal.SIGTERM}
_POSIX: Any = signal  # what Windows lacks, where `is_possible` is false
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


def is_possible() -> bool:
    """Return True if a copy of this process is made at once and safely: of the program `pcr`, on Linux.

    Elsewhere it would load torch anew. The loaders of PyTorch do so, too.
    """
    return sys.platform == "linux" and is_program()


class Apart(Engine):
    """Performs tasks in copies of this process, for tasks without a GPU.

    A task whose process dies is tried again in a new one, and then given up.

    Args:
        threads: of torch in each; None for as many as it has.
        workers: number of copies.
    """

    def __init__(self, threads: int | None = None, workers: int = 1) -> None:
        self._threads, self.workers = threads, workers

    def run(self, function: Function[T, R], tasks: Iterable[T], heard: Heard = ignore) -> Iterator[Done[T, R]]:
        """Yield each task in order."""
        free: list[_Copy] = []
        running: deque[tuple[T, _Copy]] = deque()
        try:
            for task in tasks:
                done = self._finish(running, free, heard) if len(running) == self.workers else None
                running.append((task, free.pop() if free else _Copy(function, self._threads)))
                running[-1][1].begin(task)
                if done is not None:
                    yield done
            while running:
                yield self._finish(running, free, heard)
        finally:
            for copy in (*free, *(copy for _, copy in running)):
                copy.end()

    @staticmethod
    def _finish(running: deque[tuple[T, _Copy]], free: list[_Copy], heard: Heard) -> Done[T, Any]:
        """Wait for the task that was begun first."""
        for tried in range(_TRIES):
            task, copy = running[0]
            if (done := copy.finish(task, heard)) is not None:
                break
            code = copy.end()
            running[0] = task, copy.again()
            if tried < _TRIES - 1:
                running[0][1].begin(task)
        free.append(running.popleft()[1])
        return done or Done(task, error=Killing(_describe(code)))

    def everywhere(self, function: Callable[..., V], *arguments: object) -> list[V]:
        """Return what it returns here, once for each copy."""
        return [function(*arguments)] * self.workers

    def check_folder(self, folder: Path) -> None:
        """Accept any folder."""


class _Copy:
    """A copy of this process that waits for tasks."""

    def __init__(self, function: Function, threads: int | None) -> None:
        context: Any = multiprocessing.get_context("fork")
        self._asked = function, threads
        self._end, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(self._end, theirs, function, threads, os.getpid()))
        before = _POSIX.pthread_sigmask(_POSIX.SIG_BLOCK, _ENDS)  # the copy has the handlers of this process at first
        try:
            self._process.start()
        finally:
            _POSIX.pthread_sigmask(_POSIX.SIG_SETMASK, before)
        theirs.close()
        self._is_dead = False

    def again(self) -> _Copy:
        """Return a new copy, for the same function."""
        return _Copy(*self._asked)

    def begin(self, task: object) -> None:
        """Send a task."""
        with suppress(ConnectionError):  # it has died, which is noticed when its answer is read
            self._end.send(task)

    def finish(self, task: T, heard: Heard) -> Done[T, Any] | None:
        """Return what became of a task that was begun, None if the process has died of it."""
        try:
            while (news := self._end.recv())[0]:
                heard(task, *news[1:])
        except (EOFError, ConnectionError):
            self._is_dead = True
            return None
        _, value, error, trace = news
        if trace:
            error.__cause__ = Trace(trace)
        return Done(task, value, error)

    def end(self) -> int:
        """End the process, and return its exit code, a negative signal if one has ended it."""
        self._end.close()
        if not self._is_dead:
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
    _POSIX.pthread_sigmask(_POSIX.SIG_UNBLOCK, _ENDS)
    _die_with(parent)
    sys.stdout = sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  no thread holds it
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

    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, _POSIX.SIGKILL)
    if os.getppid() != parent:  # it has ended meanwhile
        os._exit(1)


def _describe(code: int) -> str:
    """Return the sentence about a task that ends its processes."""
    how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return (
        f"the process that worked on it died each time ({how}; out of memory, or damaged files); close other programs, "
        "or export it again"
    )
