"""Processes of this machine, started with the first tasks that need them. They listen on its loopback alone."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .cluster import Cluster
from .engine import Done, Engine, Heard, ThisProcess, V, ignore
from .sparing import spared_ctrl_c
from .tasks import Function, R, T

if TYPE_CHECKING:
    from distributed import LocalCluster

_SETTINGS = {
    "distributed.worker.profile.enabled": False,  # it wakes each worker a hundred times a second
    # without MALLOC_TRIM_THRESHOLD_ of Dask: it gives every large array back to the system, which doubles the time
    "distributed.nanny.pre-spawn-environ": dict.fromkeys(
        ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), 1
    ),
}
_GRACE_S = 0.5  # that a worker has to end by itself
_ANY_PORT = "127.0.0.1:0"
_GPUS = "CUDA_VISIBLE_DEVICES"


class Local(Engine):
    """Runs a single task in this process or one beside it, and several, and those after them, in a process for each.

    Args:
        workers: at most.
        threads: of torch in each task; None for as many as it has.
        gpus: names of GPUs for `CUDA_VISIBLE_DEVICES`, of which each worker sees one; none for workers without.
        say: called with lines for the user.
        single: runs a single task; by default this process.
    """

    def __init__(
        self,
        workers: int,
        threads: int | None,
        gpus: Sequence[str],
        say: Callable[[str], None],
        single: Engine | None = None,
    ) -> None:
        self.workers, self._single = workers, single or ThisProcess(threads)
        self._threads, self._gpus, self._say = threads, gpus, say
        self._stack = ExitStack()
        self._cluster: LocalCluster | None = None
        self._engine: Cluster | None = None

    def __enter__(self) -> Local:
        return self

    def __exit__(self, *reason: Any) -> None:  # noqa: ANN401
        self._stack.__exit__(*reason)

    def run(self, function: Function[T, R], tasks: Iterable[T], heard: Heard = ignore) -> Iterator[Done[T, R]]:
        """Yield each task as it ends, in any order."""
        tasks = iter(tasks)
        first = list(islice(tasks, self.workers))
        alone = len(first) < 2 and self._engine is None  # a task that was tried in a worker may kill this process
        engine = self._single if alone else self._started(len(first))
        yield from engine.run(function, chain(first, tasks), heard)

    def everywhere(self, function: Callable[..., V], *arguments: object) -> list[V]:
        """Return what a function returns here, once for every worker."""
        return [function(*arguments)] * self.workers

    def check_folder(self, folder: Path) -> None:
        """Accept any folder."""

    def _started(self, workers: int) -> Cluster:
        """Return the cluster, with this many workers or more."""
        if self._cluster is None or self._engine is None:
            self._cluster, client = self._stack.enter_context(_open(workers, self._gpus))
            self._engine = Cluster(client, "this machine", self._threads, {}, self._say)
            self.address, self.dashboard = self._engine.address, self._cluster.dashboard_link if _has_page() else ""
            self._say(f"{workers} processes" + (f"; dashboard: {self.dashboard}" if self.dashboard else ""))
        elif workers > len(self._cluster.worker_spec):
            self._cluster.scale(workers)
        return self._engine


def silence_dask() -> None:
    """Keep the lines of Dask's logger from the terminal for good: it gives it its level back as it ends.

    Those of tornado and asyncio are left alone: other parts of the program may use these.
    """
    import distributed  # noqa: F401  it adds its handlers when it is loaded

    logger = logging.getLogger("distributed")
    logger.handlers[:], logger.propagate = [logging.NullHandler()], False


@contextmanager
def _open(workers: int, gpus: Sequence[str]) -> Iterator[tuple[LocalCluster, Any]]:
    from dask import config
    from distributed import Client, LocalCluster

    config.set(_SETTINGS)
    silence_dask()
    with _loop() as loop:
        environment = dict(os.environ)
        try:
            cluster = LocalCluster(
                loop=loop,
                n_workers=workers,
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address=_ANY_PORT,  # without it, Dask listens on all interfaces
                worker_dashboard_address=_ANY_PORT,
                memory_limit=0,  # mapped files count as memory, and need none
                silence_logs=logging.CRITICAL,
                security=True if find_spec("cryptography") else None,
            )
        finally:
            os.environ.clear()
            os.environ.update(environment)  # which Dask has changed for its workers
        with cluster, Client(cluster, set_as_default=False) as client:
            client.register_plugin(prepare_worker(gpus))
            try:
                yield cluster, client
            finally:
                cluster.sync(_end_workers, cluster)


@contextmanager
def _loop() -> Iterator[Any]:
    """Yield the loop, in a thread, that starts the workers; they do not hear Ctrl-C, which is for this process."""
    from distributed.utils import LoopRunner

    runner = LoopRunner()
    with spared_ctrl_c():
        runner.start()
    try:
        yield runner.loop
    finally:
        runner.stop()


def _has_page() -> bool:
    """Return True if the package that draws the dashboard is installed."""
    return find_spec("bokeh") is not None


async def _end_workers(cluster: LocalCluster) -> None:
    """End all workers, in the middle of a task or not."""
    ends = (nanny.close(timeout=_GRACE_S) for nanny in list(cluster.workers.values()))
    await asyncio.gather(*ends, return_exceptions=True)


def prepare_worker(gpus: Sequence[str]) -> Any:  # noqa: ANN401  a class of distributed, which is loaded here
    """Return what a worker does first: leave Ctrl-C to this process, and take its GPU."""
    from distributed import WorkerPlugin

    class Preparation(WorkerPlugin):
        name = "breastpcr"

        def setup(self, worker: Any) -> None:  # noqa: ANN401
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            if gpus:
                os.environ[_GPUS] = gpus[int(worker.name) % len(gpus)]

    return Preparation()


def find_gpus(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return the names of the GPUs that this process may use, as `CUDA_VISIBLE_DEVICES` has them."""
    import torch

    count = torch.cuda.device_count()
    named = [name for name in environment.get(_GPUS, "").split(",") if name]
    return named[:count] or [str(k) for k in range(count)]
