"""The scene of a prediction, written by a second process, which loads Slicer's core while this one predicts."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from ..engine.sparing import spared_ctrl_c

if TYPE_CHECKING:
    if sys.platform == "win32":
        from multiprocessing.connection import PipeConnection as Connection
    else:
        from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    from ..exam import Exam
    from ..outputs import SceneWriter
    from ..prediction import Prediction

_SPAWN = get_context("spawn")  # as on every system; a copy of a process with threads may hang


@contextmanager
def scene_beside() -> Iterator[SceneWriter]:
    """Yield the writer of one scene, see `outputs.write_prediction`; its process has ended when the block ends.

    There is no process without Slicer's core, nor if this process has loaded it already.
    """
    if "slicer" in sys.modules or find_spec("slicer") is None:
        from ..mrml.scene import scene_here

        yield scene_here
        return
    pipe, other_end = _SPAWN.Pipe()
    process = _SPAWN.Process(target=_write_when_asked, args=(other_end,), daemon=True)
    with spared_ctrl_c():
        process.start()
    other_end.close()
    helper = _Helper(process, pipe)
    try:
        yield helper.write
    finally:
        helper.end()
        pipe.close()


@dataclass(frozen=True)
class _Helper:
    """The process and the pipe to it."""

    process: BaseProcess
    pipe: Connection

    @contextmanager
    def write(self, exam: Exam, prediction: Prediction, path: Path) -> Iterator[None]:
        """Have the scene written during the block; if the process ends early, write it here after the block."""
        from ..mrml.scene import scene_here

        with ThreadPoolExecutor(1) as sender:  # sending waits until that process has loaded Slicer
            sent = sender.submit(self.pipe.send, (exam, prediction, path))
            try:
                yield
            except BaseException:
                self.end()  # before the folder goes that it writes into
                raise
            try:
                sent.result()
                failure = self.pipe.recv()
            except (EOFError, OSError):
                failure = None
                with scene_here(exam, prediction, path):
                    pass
        if failure is not None:
            raise failure

    def end(self) -> None:
        """End the process, whatever it does."""
        self.process.kill()
        self.process.join()


def _write_when_asked(pipe: Connection) -> None:
    """Load Slicer's core, wait for a prediction, write its scene and send the error, or None; a closed pipe ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the process that started this one
    from ..mrml.scene import scene_here, slicer_core_available

    slicer_core_available()
    try:
        exam, prediction, path = pipe.recv()
        try:
            with scene_here(exam, prediction, path):
                failure = None
        except Exception as error:  # is raised there
            failure = error
        pipe.send(failure)
    except (EOFError, OSError):  # that process has ended, or needs no scene
        return
