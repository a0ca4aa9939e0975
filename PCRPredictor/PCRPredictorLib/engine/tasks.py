"""A task where it is performed: what it may report, and the checks before it. No torch here unless a task wants it."""

from __future__ import annotations

import pickle
import platform
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Generic, TypeVar

from .. import __version__
from ..errors import DataError, ignore_warnings_of_libraries

T = TypeVar("T")
R = TypeVar("R")
Report = Callable[..., None]  # called with plain values: texts and numbers
Function = Callable[[T, Report], R]  # of module level; both it and its task travel to other processes


class Ended(BaseException):
    """End a task whose run has ended; no `except Exception` of the task keeps it going."""


class Unfit(Exception):
    """Refuse a task because this worker cannot do what its run needs."""


@dataclass(frozen=True)
class Needs:
    """What a run needs of each of its workers.

    Args:
        versions: see `find_versions`.
        files: of this run, which the worker must see under the same path.
        threads: of torch in each task; None for as many as it has.
    """

    versions: Mapping[str, str]
    files: tuple[Path, ...] = ()
    threads: int | None = None


class Killing(DataError):
    """Report a task whose workers die of it, each time that it is tried."""


class Trace(Exception):
    """Show where an error was raised on a worker, as the cause of that error."""


@dataclass(frozen=True, eq=False)
class Job(Generic[T, R]):
    """What travels to a worker: a function and its task, which are not unpacked before the worker is found fit.

    Args:
        number: of the task in its run, by which its reports are told apart.
        topic: that reports are sent to.
    """

    function: Function[T, R] | None
    task: Any
    number: int
    topic: str
    needs: Needs

    def __reduce__(self) -> tuple:
        packed = self.task if self.function is None else pickle.dumps((self.function, self.task))
        return Job, (None, packed, self.number, self.topic, self.needs)

    def unpack(self) -> tuple[Function[T, R], T]:
        """Return function and task, also of a job that has travelled."""
        return (self.function, self.task) if self.function is not None else pickle.loads(self.task)


def find_fault(needs: Needs, dask_worker: Any) -> str:  # noqa: ANN401  a worker of distributed, which passes itself
    """Return why a worker cannot be used and what to do, the end of a sentence; "" if it can."""
    if difference := describe_difference(needs.versions, find_versions()):
        return f"must have the versions of this machine, got {difference}; install the same ones there"
    if (threads := dask_worker.state.nthreads) != 1:
        return (
            f"must run one task at a time, got {threads} threads; start it with --nthreads 1, and with --nworkers for "
            "several on a machine"
        )
    if unseen := [file.parent for file in needs.files if not file.exists()]:
        return f"must see {unseen[0]} under the same path, got none there; choose a folder on a disk that all share"
    return ""


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
        Unfit: if the worker cannot be used.
    """
    from distributed import get_worker
    from distributed.worker import thread_state

    worker, key = get_worker(), thread_state.key
    if fault := find_fault(job.needs, worker):
        raise Unfit(fault)

    def report(*news: Any) -> None:  # noqa: ANN401  plain values
        state = worker.state.tasks.get(key)
        if state is None or state.state != "executing" or worker.status.name not in ("running", "paused"):
            raise Ended
        worker.log_event(job.topic, [job.number, *news])

    try:
        report()  # that the task has begun
        limit_threads(job.needs.threads)
        ignore_warnings_of_libraries()
        function, task = job.unpack()
        return function(task, report), None, ""
    except Ended as error:
        return None, error, ""
    except Exception as error:
        return None, portable(error), traceback.format_exc()


def portable(error: Exception) -> Exception:
    """Return an error that another process can read."""
    try:
        pickle.loads(pickle.dumps(error))  # our own bytes
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
