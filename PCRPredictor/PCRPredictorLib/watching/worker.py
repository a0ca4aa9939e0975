"""The process that predicts the studies of a watch: what one of them does to it leaves the watch as it is.

It ends with the watch, however that ends, and after some studies, so that its memory does not grow for days.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Protocol

from ..engine.sparing import spared_ctrl_c
from ..errors import DataError, trace_of
from ..pacs.configuration import Configuration
from ..pacs.connection import connect
from .one import Task, predict_one
from .records import Outcome
from .stopping import Stopped, Stopping

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    if sys.platform == "win32":
        from multiprocessing.connection import PipeConnection as Pipe
    else:
        from multiprocessing.connection import Connection as Pipe

STUDIES = 50  # that a process predicts
_LOOK_S = 0.2  # between two looks whether the end is asked for
_SPAWN = get_context("spawn")
Say = Callable[[str], None]


class Died(Exception):
    """The process has ended in the middle of a study: killed by the system, or by what the study holds."""


class Runner(Protocol):
    """Predicts studies one after the other."""

    def run(self, task: Task) -> Outcome:
        """Return what became of a study.

        Raises:
            Died: if what predicts has ended with it.
            Stopped: if the end is asked for while the PACS is waited for.
            DataError: if no study can be predicted.
        """

    def close(self) -> None:
        """End at once; it starts again with the next study."""


class Worker:
    """A process that is started with the first study, and again when it has ended.

    Args:
        configuration: of the PACS.
        stopping: whether the end is asked for.
        say: called with what is done.
    """

    def __init__(self, configuration: Configuration, stopping: Stopping, say: Say = lambda _: None) -> None:
        self._configuration, self._stopping, self._say = configuration, stopping, say
        self._process: BaseProcess | None = None
        self._left = 0

    def run(self, task: Task) -> Outcome:
        """Return what became of a study.

        Raises:
            Died: see `Runner`, also for other errors.
        """
        if self._process is None or not self._process.is_alive() or self._left <= 0:
            self._start()
        self._left -= 1
        try:
            self._pipe.send(task)
            return self._answer(task)
        except (EOFError, OSError):
            self.close()
            raise Died from None

    def close(self) -> None:
        """End the process, whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._pipe.close()
            self._life.close()
            self._process = None

    def _start(self) -> None:
        self.close()
        self._pipe, pipe = _SPAWN.Pipe()
        self._life, life = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_work, args=(pipe, life, self._configuration), daemon=True)
        with spared_ctrl_c():  # until it hears no signals itself
            self._process.start()
        pipe.close()
        life.close()
        self._left = STUDIES

    def _answer(self, task: Task) -> Outcome:
        """Return the outcome; what is said before it is passed on, and the wish to end is, too."""
        told = False
        while True:
            if self._stopping.asked and not told:
                self._life.send("end")
                told = True
            if not self._pipe.poll(_LOOK_S):
                continue
            answer = self._pipe.recv()
            if isinstance(answer, str):
                self._say(f"study {task.study}: {answer}")
            elif isinstance(answer, BaseException):
                raise answer
            else:
                return answer


def _work(pipe: Pipe, life: Pipe, configuration: Configuration) -> None:
    """Predict the studies that come through a pipe, until it is closed."""
    for number in (signal.SIGINT, signal.SIGTERM):  # they are for the process that started this one
        signal.signal(number, signal.SIG_IGN)
    stopping = Stopping()
    threading.Thread(target=_end_with, args=(life, stopping), daemon=True).start()
    try:
        connection = connect(configuration, pipe.send, stopping.wait)
        while True:
            task = pipe.recv()
            pipe.send(_outcome(connection, task))
    except (EOFError, OSError):  # that process has ended
        return
    except DataError as error:  # the configuration cannot be used
        pipe.send(error)


def _outcome(connection: Any, task: Task) -> Outcome | Exception:  # noqa: ANN401
    try:
        return predict_one(connection, task)
    except (Stopped, DataError) as error:
        return error
    except Exception as error:  # outside what is done with one study
        what = " in ".join([*trace_of(error).splitlines()[:1], *trace_of(error).splitlines()[-1:]])
        return DataError(f"no study can be predicted: it ended with an unexpected {what}; please report this")


def _end_with(life: Pipe, stopping: Stopping) -> None:
    """Pass the wish to end on; end at once when the process that started this one has ended."""
    try:
        while True:
            life.recv()
            stopping.ask()
    except (EOFError, OSError):
        os._exit(130)
