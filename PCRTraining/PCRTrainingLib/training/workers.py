"""Several processes of one run: those that torchrun starts, or a pool of our own on one machine.

The networks are small and the folds independent, so each process trains whole folds. Processes exchange nothing but
files in the run folder, which all machines must see. No backend is needed, no batch norm is split, and results do not
depend on the number of processes. When a process dies, torchrun restarts all, and they continue from their last epoch.
On a CPU each process has one thread: for these networks it is faster than two, and sums are the same on every machine.
"""

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

_POLL = 0.2  # seconds between checks
T = TypeVar("T")
Task = Callable[[T, str, Progress], None]  # (task, device, progress)


@dataclass(frozen=True)
class Worker:
    """One of `count` processes that torchrun started.

    Args:
        rank: its number; 0 prepares and finishes.
        count: of processes.
        device: a torch device; its own GPU if there are several.
        processes: of our own pool, if torchrun started none.
    """

    rank: int = 0
    count: int = 1
    device: str = "cpu"
    processes: int = 1

    @property
    def first(self) -> bool:
        """True for the process that prepares and finishes the run."""
        return self.rank == 0

    def wait_for(self, paths: Iterable[Path]) -> None:
        """Wait until other processes, on this machine or others, have written all these files."""
        for path in paths:
            while not path.is_file():
                time.sleep(_POLL)

    def run_tasks(self, function: Task[T], tasks: Sequence[T], units: int, progress: Progress) -> None:
        """Run the tasks of this process; without torchrun all of them, on its own pool.

        Args:
            function: picklable; called with a task, the device and a progress.
            units: of progress per task.

        Raises:
            DataError: if a task raises it or a process of the pool dies; the other tasks end, too.
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
            raise DataError("a training process died (out of memory?); continue with --resume") from None
        except BaseException:  # an error of a fold, or Ctrl-C
            for child in multiprocessing.active_children():  # the pool would wait for whole folds
                child.kill()
            raise
        finally:
            for future in futures:
                future.cancel()


def _follow(futures: Sequence[Future], news: Any, progress: Progress) -> None:  # noqa: ANN401  a manager's proxy
    """Pass on the progress until all tasks are done or one has failed."""
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


class _Relay(Progress):
    """Reports units to the parent process, which starts the stage and writes the messages."""

    def __init__(self, news: Any) -> None:  # noqa: ANN401
        self._news = news

    def advance(self, detail: str = "", units: int = 1) -> None:
        """Pass it on."""
        self._news.put((detail, units))


def _start_child(parent: int) -> None:
    torch.set_num_threads(1)
    end_with_parent(parent)


def end_with_parent(parent: int) -> None:
    """End this process when its parent ends, even if it is killed: no orphan then writes into the run folder."""

    def watch() -> None:
        if pool := multiprocessing.parent_process():  # also on Windows, where the number of a dead parent stays
            pool.join()
        while not pool and os.getppid() == parent:
            time.sleep(_POLL)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def workers(device: str = "cpu", processes: int | None = None) -> Iterator[Worker]:
    """Yield this process among those that torchrun started; the only one without torchrun.

    Args:
        device: "cpu" or "cuda".
        processes: of the pool without torchrun; None for one per core, or one on a GPU.

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
    """Return True if torchrun has restarted the processes after one of them died."""
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")) > 0
