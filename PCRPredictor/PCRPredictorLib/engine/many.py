"""Many tasks of one kind: how many processes pay for them, and tasks that are tried again."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..formatting import count, first_few
from .engine import Done, Engine
from .tasks import Function, Killing, R, T

PAUSES_S = (2.0, 10.0)  # before the second and the third try
START_S = 6.0  # until the processes of a local cluster have loaded torch


@dataclass(frozen=True)
class Place:
    """Where the user wants many tasks to be done.

    Args:
        cluster: address or file, see `open_engine`; None for this machine.
        workers: at most; None for one per core, or for this process alone if more do not pay.
    """

    cluster: str | None = None
    workers: int | None = None

    def workers_for(self, tasks: int, seconds: float) -> int | None:
        """Return the number of processes for some tasks: 1 if more take longer to start than they save.

        Args:
            seconds: that a task takes in one process.
        """
        if self.cluster is not None:
            return self.workers
        if self.workers is not None:
            return max(min(self.workers, tasks), 1)
        workers = max(min(os.cpu_count() or 1, tasks), 1)
        return workers if tasks * seconds * (1 - 1 / workers) > START_S else 1


def run_again(
    engine: Engine,
    function: Function[T, R],
    tasks: Iterable[T],
    failed: Callable[[Done[T, R]], bool],
    say: Callable[[str], None],
    name: Callable[[T], str] | None = None,
) -> Iterator[Done[T, R]]:
    """Yield each task as it ends; those that failed for a reason that may pass are tried twice more, after a pause.

    The last try is one task at a time, for those that have too little memory beside others. One that has killed its
    workers again and again is not tried again.

    Args:
        failed: returns True for a task that is to be tried again.
        say: called with a sentence before each pause.
        name: returns what the sentence calls a task; None for their number alone.
    """
    again: list[T] = []
    for done in engine.run(function, tasks):
        if _again(done, failed):
            again.append(done.task)
        else:
            yield done
    for number, pause in enumerate(PAUSES_S, 1):
        if not again:
            return
        say(f"{_name(again, name)} failed for a reason that may pass: tried again in {pause:g} s")
        time.sleep(pause)
        last, tried, again = number == len(PAUSES_S), again, []
        for part in [[task] for task in tried] if last else [tried]:
            for done in engine.run(function, part):
                if not last and _again(done, failed):
                    again.append(done.task)
                else:
                    yield done


def _name(tasks: Sequence[T], name: Callable[[T], str] | None) -> str:
    return count(len(tasks), "task") if name is None else first_few(map(name, tasks))


def _again(done: Done[T, R], failed: Callable[[Done[T, R]], bool]) -> bool:
    return not isinstance(done.error, Killing) and failed(done)
