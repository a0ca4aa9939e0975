"""Dask clusters: processes of this machine, one that exists, or one that Dask's own launchers start."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..errors import DataError
from .cluster import Cluster

_POLL_S = 0.2
_CONNECT_S = 10.0


@contextmanager
def open_local(
    workers: int, threads: int | None, resources: dict[str, float], say: Callable[[str], None]
) -> Iterator[Cluster]:
    """Yield a cluster of processes of this machine, which listen on its loopback alone."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address=None,
            memory_limit=0,
            silence_logs=logging.ERROR,
            resources=resources,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        engine = Cluster(client, "this machine", threads, resources)
        engine.dashboard = ""
        yield engine


@contextmanager
def open_cluster(
    where: str, workers: int | None, threads: int | None, resources: dict[str, float], say: Callable[[str], None]
) -> Iterator[Cluster]:
    """Yield the cluster at an address.

    Raises:
        DataError: if it does not answer, or its workers cannot be used.
    """
    from distributed import Client

    try:
        client = Client(where, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise DataError(f"{where}: no Dask scheduler answers ({error}); check the address") from None
    with client:
        cluster = Cluster(client, where, threads, resources)
        if cluster.dashboard:
            say(f"Dashboard: {cluster.dashboard}")
        wait_for_worker(cluster, say)
        cluster.check_versions()
        yield cluster


def wait_for_worker(cluster: Cluster, say: Callable[[str], None]) -> None:
    """Wait until there is a worker."""
    if not cluster.workers:
        say(f"waiting for a worker of {cluster.address}")
    while not cluster.workers:
        time.sleep(_POLL_S)
