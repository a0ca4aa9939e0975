"""What runs tasks, and the engine of a single process."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from .tasks import Function, R, T, limit_threads

V = TypeVar("V")
Heard = Callable[..., None]  # called with a task and what it reports


@dataclass(frozen=True)
class Done(Generic[T, R]):
    """A task that has ended: its value, or the error that it raised."""

    task: T
    value: R | None = None
    error: Exception | None = None

    def result(self) -> R:
        """Return the value.

        Raises:
            Exception: the task's own, if it failed.
        """
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]  # None is one if R says so


def ignore(*_news: Any) -> None:  # noqa: ANN401
    """Listen to no reports."""


class Engine(ABC):
    """Runs tasks, one at a time in each worker.

    Args:
        workers: the most that it has now.
        address: of the cluster; "" without one.
        dashboard: address of its page; "" without one.
    """

    workers: int = 1
    address: str = ""
    dashboard: str = ""

    @abstractmethod
    def run(self, function: Function[T, R], tasks: Iterable[T], heard: Heard = ignore) -> Iterator[Done[T, R]]:
        """Yield each task as it ends, in any order; few tasks wait at a time, so that there may be any number.

        If the caller stops early, the tasks that are left are not begun, and those that run end at their next report.

        Args:
            function: of module level, called with a task and a function that reports plain values; it writes its files
                whole and returns little. It may be called again for a task whose worker has died.
            tasks: picklable and small: paths and numbers, not tensors.
            heard: called with a task and what it reports.

        Raises:
            DataError: if the cluster is lost or its workers have other versions; a task's own error is in its `Done`.
        """

    @abstractmethod
    def everywhere(self, function: Callable[..., V], *arguments: object) -> list[V]:
        """Return what a function of module level returns on every worker."""

    @abstractmethod
    def check_folder(self, folder: Path) -> None:
        """Check that all workers see the files in a folder of this machine.

        Raises:
            DataError: naming a worker that does not.
        """


class ThisProcess(Engine):
    """Performs one task after the other in this process.

    Args:
        threads: of torch; None for as many as it has.
    """

    def __init__(self, threads: int | None = None) -> None:
        self._threads = threads

    def run(self, function: Function[T, R], tasks: Iterable[T], heard: Heard = ignore) -> Iterator[Done[T, R]]:
        """Yield each task as it ends, in order."""
        for task in tasks:
            limit_threads(self._threads)
            try:
                value = function(task, lambda *news, task=task: heard(task, *news))
            except Exception as error:
                yield Done(task, error=error)
            else:
                yield Done(task, value)

    def everywhere(self, function: Callable[..., V], *arguments: object) -> list[V]:
        """Return what it returns here."""
        return [function(*arguments)]

    def check_folder(self, folder: Path) -> None:
        """Accept any folder."""
