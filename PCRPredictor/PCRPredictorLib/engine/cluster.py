"""Tasks on a Dask cluster. A worker that dies costs its running task only, which another one begins again."""

from __future__ import annotations

import math
import queue
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic

from ..errors import DataError
from .engine import Done, Engine, Heard, V, ignore
from .tasks import Ended, Function, Job, Killing, Needs, R, T, Trace, Unfit, find_fault, find_versions, perform

if TYPE_CHECKING:
    from distributed import Client, Future

_POLL_S = 0.5  # in which an interrupt is noticed on any system
_COUNT_S = 2.0
_DEATHS = 3  # of workers, each in the same task, after which it is the task that kills them
_KILLS = "workers died of this task again and again (out of memory?); give them more memory, or use fewer at once"
_WAITING = 2  # tasks per worker that are sent ahead


class Cluster(Engine):
    """Runs tasks on the workers of a scheduler.

    Args:
        client: connected.
        name: of the cluster for messages.
        threads: of torch in each task; None for as many as it has.
        resources: that every task needs, such as {"GPU": 1}; workers announce them.
        say: called with lines for the user.
    """

    def __init__(
        self, client: Client, name: str, threads: int | None, resources: dict[str, float], say: Callable[[str], None]
    ) -> None:
        self._client, self.name, self._resources, self.say = client, name, resources, say
        self.needs = Needs(find_versions(), threads=threads)
        self.address = client.scheduler.address
        with suppress(KeyError):  # a scheduler without one
            self.dashboard = client.dashboard_link or ""
        self._counted, self._count = -math.inf, 0

    @property
    def workers(self) -> int:  # type: ignore[override]
        """Number of workers, asked for every few seconds; the last one known if the scheduler is lost."""
        now = time.monotonic()
        if now - self._counted > _COUNT_S and self._client.status == "running":
            self._counted, self._count = now, len(self.describe_workers())
        return self._count

    def describe_workers(self) -> dict[str, Any]:
        """Return what the scheduler knows of its workers, by address."""
        with suppress(OSError):  # it is being lost
            return self._client.scheduler_info(n_workers=-1)["workers"]
        return {}

    def run(self, function: Function[T, R], tasks: Iterable[T], heard: Heard = ignore) -> Iterator[Done[T, R]]:
        """Yield each task as it ends, in any order."""
        yield from _Running(self, self._client, function, heard).finish(iter(tasks))

    def everywhere(self, function: Callable[..., V], *arguments: object) -> list[V]:
        """Return what a function of module level returns on every worker."""
        return list(self._client.run(function, *arguments).values())

    def wait_for_worker(self) -> None:
        """Wait until there is a worker; an empty task waits, too, without which an adaptive cluster starts none.

        Raises:
            DataError: if the scheduler is lost.
        """
        if self.describe_workers():
            return
        self.say(f"Waiting for a worker of {self.address}")
        empty = self._client.submit(int, pure=False, resources=self._resources or None)
        while not self.describe_workers():
            if self._client.status != "running":
                raise DataError(f"the connection to {self.name} was lost before it had a worker; start it again")
            time.sleep(_POLL_S)
        empty.release()

    def check_folder(self, folder: Path) -> None:
        """Check that all workers see the files in a folder, those that join later, too.

        Raises:
            DataError: naming a worker that does not.
        """
        sign = folder / f".seen-{uuid.uuid4().hex}"
        sign.touch()
        self.needs = replace(self.needs, files=(*self.needs.files, sign))
        self.check_workers()

    def check_workers(self) -> None:
        """Check that the workers can do what tasks need.

        Raises:
            DataError: naming a worker that cannot.
        """
        for address, fault in self._client.run(find_fault, self.needs, on_error="return").items():
            if isinstance(fault, Exception):
                fault = f"cannot load BreastPCR ({fault}); install version {self.needs.versions['BreastPCR']} there"
            if fault:
                raise DataError(f"the worker {address} {fault}")
        for name, amount in self._resources.items():
            if not any(worker["resources"].get(name, 0) >= amount for worker in self.describe_workers().values()):
                raise DataError(
                    f"no worker of {self.name} announces a {name}; start one per {name} with "
                    f'dask worker {self.address} --nthreads 1 --resources "{name}={amount:g}"'
                )

    def close(self) -> None:
        """Remove the files by which workers were checked."""
        for file in self.needs.files:
            file.unlink(missing_ok=True)

    def submit(self, job: Job[T, R]) -> Future:
        """Send a job."""
        return self._client.submit(perform, job, pure=False, resources=self._resources or None)


class _Running(Generic[T, R]):
    """Tasks on their way through a cluster."""

    def __init__(self, cluster: Cluster, client: Client, function: Function[T, R], heard: Heard) -> None:
        self._cluster, self._client, self._function, self._heard = cluster, client, function, heard
        self._topic = f"breastpcr-{uuid.uuid4().hex}"
        self._inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()  # futures that are done, and reports
        self._jobs: dict[Future, Job] = {}
        self._begun: Counter[int] = Counter()  # how often each job was begun since it last reported
        self._running: set[int] = set()  # jobs that were begun

    def finish(self, tasks: Iterator[T]) -> Iterator[Done[T, R]]:
        """Yield the tasks as they end."""
        self._client.subscribe_topic(self._topic, lambda event: self._inbox.put(event[1]))
        jobs = (
            Job(self._function, task, number, self._topic, self._cluster.needs) for number, task in enumerate(tasks)
        )
        try:
            self._send(jobs, self._room)
            while self._jobs:
                if (done := self._next()) is not None:
                    yield done
                self._send(jobs, self._room)
        finally:
            self._end()

    @property
    def _room(self) -> int:
        """Number of tasks to be sent now: few, so that memory does not grow with their number."""
        return max(max(self._cluster.workers, 1) * (1 + _WAITING) - len(self._jobs), 0)

    def _send(self, jobs: Iterable[Job], room: int) -> None:
        for job in islice(jobs, room):
            future = self._cluster.submit(job)
            self._jobs[future] = job
            future.add_done_callback(self._inbox.put)

    def _next(self) -> Done | None:
        """Return a task that has ended, if one has; pass on a report."""
        try:
            news = self._inbox.get(timeout=_POLL_S)
        except queue.Empty:
            return None
        if not isinstance(news, list | tuple):
            return self._judge(news) if news in self._jobs else None
        number, *rest = news
        if not rest and number in self._running:
            self._cluster.say(f"A worker was lost; what it did goes on in another one of {self._cluster.name}")
        self._running.add(number)
        self._begun[number] = 0 if rest else self._begun[number] + 1
        for job in self._jobs.values():
            if job.number == number and rest:
                self._heard(job.task, *rest)
        return None

    def _judge(self, future: Future) -> Done | None:
        """Return what became of a task; None if it was sent again."""
        from distributed import KilledWorker

        job = self._jobs.pop(future)
        if future.status not in ("finished", "error"):
            raise DataError(f"the connection to {self._cluster.name} was lost; start it again and use --resume")
        failure = future.exception()
        value, error, trace = (None, failure, "") if failure else future.result()
        if isinstance(error, Unfit):
            raise DataError(f"a worker of {self._cluster.name} {error}")
        if isinstance(error, KilledWorker):
            self._begun[job.number] += 1
            if self._begun[job.number] > _DEATHS:
                return Done(job.task, error=Killing(_KILLS))
        if isinstance(error, KilledWorker | Ended):  # it got on, or waited where others ran, or its worker is closing
            self._send([job], room=1)
            return None
        if trace and not isinstance(error, DataError):
            error.__cause__ = Trace(trace)
        del self._begun[job.number]
        self._running.discard(job.number)
        return Done(job.task, value, error)

    def _end(self) -> None:
        if self._client.status == "running":
            self._client.cancel(list(self._jobs), force=True)
            self._client.unsubscribe_topic(self._topic)
