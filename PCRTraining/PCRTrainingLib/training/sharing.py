"""Folds as tasks of an engine: whole folds are independent, and their processes share nothing but the run folder.

On a CPU each process has one thread: for these networks it is faster than two, and sums are the same on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from filelock import FileLock, Timeout
from PCRPredictorLib.engine.engine import Engine
from PCRPredictorLib.engine.opening import GPU, open_engine
from PCRPredictorLib.engine.tasks import Function, R, Report, T, limit_threads
from PCRPredictorLib.model.predictor import check_device

from ..progress import Progress
from .folds import FoldTask

_LOOK_AGAIN_S = 1.0


@contextmanager
def open_training(
    device: str = "cpu",
    workers: int | None = None,
    cluster: str | None = None,
    say: Callable[[str], None] = lambda _text: None,
) -> Iterator[Engine]:
    """Yield the engine of a run.

    Args:
        device: "cpu" or "cuda".
        workers, cluster, say: see `open_engine`.

    Raises:
        DataError: if the device is missing here, or the cluster cannot be used.
    """
    on_gpu = device != "cpu"
    threads = None if on_gpu else 1
    if cluster is None:
        prepare_device(device)
    limit_threads(threads)
    with open_engine(cluster, workers, threads, {GPU: 1} if on_gpu else {}, say) as engine:
        yield engine


def prepare_device(device: str) -> str:
    """Return the device, with one thread of torch if it is the CPU.

    Raises:
        DataError: if it is missing.
    """
    check_device(device)
    limit_threads(1 if device == "cpu" else None)
    return device


@dataclass(frozen=True, eq=False)
class Placed:
    """A fold to be trained, and on which device."""

    fold: FoldTask
    device: str


def train_fold(task: Placed, report: Report) -> None:
    """Train a fold from its last epoch on; it waits for a worker that was taken for lost and still writes there.

    Args:
        report: called with the epochs that are done of this fold, and what is being done.

    Raises:
        DataError: if a file cannot be written.
    """
    progress = Relay(report)
    lock = FileLock(task.fold.lock)
    while not lock.is_locked:
        try:
            lock.acquire(timeout=_LOOK_AGAIN_S)
        except Timeout:
            progress.advance(f"fold {task.fold.number} waits for an earlier worker", 0)
    try:
        task.fold.train(prepare_device(task.device), progress)
    finally:
        lock.release()


@dataclass(frozen=True)
class Units:
    """The progress of a task: units in all, and those that were done before the command began."""

    total: int
    done: int = 0


def share(
    engine: Engine, function: Function[T, R], tasks: Sequence[T], units: Sequence[Units], progress: Progress
) -> dict[T, R]:
    """Return what a function returns for each task, and advance by what the tasks report through a `Relay`.

    Args:
        tasks: hashable, each once.
        units: of progress of each.

    Raises:
        DataError: if a task raises it, or the cluster is lost; the other tasks end, too.
    """
    whole = dict(zip(tasks, units, strict=True))
    done = {task: each.done for task, each in whole.items()}

    def advance(task: T, reported: int, detail: str = "") -> None:
        progress.advance(detail, max(reported - done[task], 0))  # a task that begins again reports less
        done[task] = max(reported, done[task])

    found = {}
    for each in engine.run(function, tasks, advance):
        found[each.task] = each.result()
        advance(each.task, whole[each.task].total)
    return found


class Relay(Progress):
    """Reports the units of one task that are done to the process that started it, which shows them."""

    def __init__(self, report: Report) -> None:
        self._report, self._done = report, 0

    def advance(self, detail: str = "", units: int = 1) -> None:
        """Report all units until now."""
        self._done += units
        self._report(self._done, detail)
