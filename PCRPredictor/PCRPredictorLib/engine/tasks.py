"""A task where it is performed: what it may report, and the checks before it. No torch here unless a task wants it."""

from __future__ import annotations

import pickle
import platform
import traceback
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Generic, TypeVar

from .. import __version__

T = TypeVar("T")
R = TypeVar("R")
Report = Callable[..., None]  # called with plain values: texts and numbers
Function = Callable[[T, Report], R]  # of module level; both it and its task travel to other processes


class Ended(BaseException):
    """End a task whose run has ended; no `except Exception` of the task keeps it going."""


class Outdated(Exception):
    """Refuse a task because this worker has other versions than its run."""


class Trace(Exception):
    """Show where an error was raised on a worker, as the cause of that error."""


class Job(Generic[T, R]):
    """What travels to a worker: a function, its task, and what the worker must have.

    Args:
        number: of the task in its run, by which its reports are told apart.
        topic: that reports are sent to.
        versions: see `find_versions`.
        threads: see `limit_threads`.
    """

    def __init__(
        self,
        function: Function[T, R],
        task: T,
        number: int,
        topic: str,
        versions: Mapping[str, str],
        threads: int | None,
    ) -> None:
        self.function, self.task, self.number, self.topic = function, task, number, topic
        self.versions, self.threads = versions, threads


def find_versions() -> dict[str, str]:
    """Return the versions that must be the same on all workers: those that results and messages depend on."""
    found = {"BreastPCR": __version__, "python": ".".join(platform.python_version_tuple()[:2])}
    for name in ("torch", "numpy", "distributed"):
        try:
            found[name] = version(name).partition("+")[0]  # without the build, such as +cpu
        except PackageNotFoundError:
            found[name] = "none"
    return found


def describe_difference(here: Mapping[str, str], there: Mapping[str, str]) -> str:
    """Return what differs, such as "torch 2.8.0 instead of 2.13.0"; "" if nothing does."""
    found = {name: there.get(name, "none") for name in here}
    return ", ".join(f"{name} {found[name]} instead of {value}" for name, value in here.items() if value != found[name])


def limit_threads(threads: int | None) -> None:
    """Let torch and BLAS use this many threads in this process; None leaves them alone, and torch unloaded.

    Threads that wait for their share of work spin: beside other busy processes they cost several times what they save.
    BLAS is limited before each task, for a library that was loaded since has its own.
    """
    if threads is not None:
        import torch
        from threadpoolctl import threadpool_limits

        torch.set_num_threads(threads)
        threadpool_limits(threads, "blas")


def perform(job: Job[T, R]) -> tuple[R | None, BaseException | None, str]:
    """Perform a task on a Dask worker, and return its value or its error with its trace.

    An error is returned, not raised: Dask would write it to its log, with any patient's name in it.

    Raises:
        Outdated: if the versions differ.
    """
    from distributed import get_worker
    from distributed.worker import thread_state

    if difference := describe_difference(job.versions, find_versions()):
        raise Outdated(difference)
    worker, key = get_worker(), thread_state.key

    def report(*news: Any) -> None:  # noqa: ANN401  plain values
        task = worker.state.tasks.get(key)
        if task is None or task.state != "executing" or worker.status.name not in ("running", "paused"):
            raise Ended
        worker.log_event(job.topic, [job.number, *news])

    report()  # that the task has begun
    limit_threads(job.threads)
    try:
        return job.function(job.task, report), None, ""
    except Ended as error:
        return None, error, ""
    except Exception as error:
        return None, _portable(error), traceback.format_exc()


def _portable(error: Exception) -> Exception:
    """Return an error that another process can read."""
    try:
        pickle.loads(pickle.dumps(error))  # our own bytes
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
