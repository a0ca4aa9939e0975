"""Several processes of one run: those that torchrun starts, or a pool of our own on one machine.

The networks are small and folds are independent, so each process trains whole folds and nothing is exchanged but files
in the run folder, which all machines must see: no backend is needed, results do not depend on the number of processes,
and no batch norm is split. When one dies, torchrun starts all again and they go on from their last epoch. On a CPU each
process has one thread, which for these networks is faster than two and makes sums come out the same everywhere.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.managers import SyncManager
from pathlib import Path
from queue import Empty
from typing import Any, TypeVar

import torch
from PCRPredictorLib.errors import DataError

from ..progress import Progress

_POLL = 0.2  # seconds between two looks
T = TypeVar("T")
Task = Callable[[T, str, Progress], None]  # (what, device, progress)


@dataclass(frozen=True)
class Worker:
    """One of `count` processes that torchrun started.

    Args:
        rank: which one; 0 prepares and finishes.
        count: of processes.
        device: a torch device, its own GPU where there are several.
        processes: of our own pool, where torchrun started none.
    """

    rank: int = 0
    count: int = 1
    device: str = "cpu"
    processes: int = 1

    @property
    def first(self) -> bool:
        """Whether it prepares and finishes the run."""
        return self.rank == 0

    def wait_for(self, paths: Iterable[Path]) -> None:
        """Until all these files are there: other processes, maybe on other machines, write them."""
        for path in paths:
            while not path.is_file():
                time.sleep(_POLL)

    def share(self, function: Task[T], tasks: Sequence[T], units: int, progress: Progress) -> None:
        """Do this process's share of the tasks: all of them, on its own pool, without torchrun.

        Args:
            function: picklable; called with a task, the device and a progress.
            units: of progress in a task.

        Raises:
            DataError: if a task raised it, or a process of the pool died; the other tasks are ended then.
        """
        tasks = list(tasks[self.rank :: self.count])
        progress.start("Training", units * len(tasks))
        if self.count == 1 and min(self.processes, len(tasks)) > 1:
            _run_pool(function, tasks, self.device, min(self.processes, len(tasks)), progress)
            return
        for task in tasks:
            function(task, self.device, progress)


def _run_pool(function: Task[T], tasks: Sequence[T], device: str, processes: int, progress: Progress) -> None:
    context, this = multiprocessing.get_context("spawn"), (os.getpid(),)
    manager = SyncManager(ctx=context)
    manager.start(end_with_parent, this)
    with manager, ProcessPoolExecutor(processes, context, _start_child, this) as pool:
        news = manager.Queue()
        futures = [pool.submit(function, task, device, _Relay(news)) for task in tasks]
        try:
            _follow(futures, news, progress)
        except BrokenProcessPool:
            raise DataError("a training process died (out of memory?); go on with --resume") from None
        except BaseException:  # a fold's error, Ctrl-C
            for child in multiprocessing.active_children():  # the pool would wait for whole folds
                child.kill()
            raise
        finally:
            for future in futures:
                future.cancel()


def _follow(futures: Sequence[Future], news: Any, progress: Progress) -> None:  # noqa: ANN401  a manager's proxy
    """Pass on the progress until all is done or one failed."""
    done = False
    while not done:
        finished, running = wait(futures, timeout=0.2, return_when=FIRST_EXCEPTION)
        done = not running or any(future.exception() for future in finished)
        try:
            while True:
                progress.advance(*news.get_nowait())
        except Empty:
            pass
    for future in futures:
        if future.done():
            future.result()


class _Relay:
    """A progress that reports to the parent process."""

    def __init__(self, news: Any) -> None:  # noqa: ANN401
        self._news = news

    def start(self, stage: str, total: int) -> None:
        """The parent has started it."""

    def advance(self, detail: str = "", units: int = 1) -> None:
        """Passed on."""
        self._news.put((detail, units))

    def say(self, message: str) -> None:
        """Children say nothing."""


def _start_child(parent: int) -> None:
    torch.set_num_threads(1)
    end_with_parent(parent)


def end_with_parent(parent: int) -> None:
    """End this process when its parent is gone, even if that was killed: nobody writes into the run folder then."""

    def watch() -> None:
        if pool := multiprocessing.parent_process():  # also on Windows, where a dead parent's number stays
            pool.join()
        while not pool and os.getppid() == parent:
            time.sleep(_POLL)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def workers(device: str = "cpu", processes: int | None = None) -> Iterator[Worker]:
    """This process among those that torchrun started; the only one without torchrun.

    Args:
        device: "cpu" or "cuda".
        processes: of the pool without torchrun; None for one a core, or one on a GPU.

    Raises:
        DataError: if the device is missing.
    """
    if not (device == "cpu" or (device.startswith("cuda") and torch.cuda.is_available())):
        raise DataError(f"device {device!r} is not available on this machine; use cpu")
    if device == "cpu":
        torch.set_num_threads(1)
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        default = 1 if device != "cpu" else os.cpu_count() or 1
        yield Worker(device=device, processes=processes or default)
        return
    end_with_parent(os.getppid())
    if device == "cuda":
        device = f"cuda:{int(os.environ['LOCAL_RANK']) % torch.cuda.device_count()}"
        torch.cuda.set_device(device)
    yield Worker(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]), device)


def restarted() -> bool:
    """Whether torchrun started the processes again after one of them died."""
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")) > 0
