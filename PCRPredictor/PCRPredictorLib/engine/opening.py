"""Open the engine that a user asked for: this process, processes of this machine, or a cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec

from ..errors import DataError
from .engine import Engine, ThisProcess


@contextmanager
def open_engine(
    where: str | None = None,
    workers: int | None = None,
    threads: int | None = None,
    resources: Mapping[str, float] = {},
    say: Callable[[str], None] = lambda _text: None,
) -> Iterator[Engine]:
    """Yield an engine; when it is left, in whatever way, its processes end.

    Args:
        where: address of a Dask scheduler (tcp:// or tls://), file with the settings of a cluster (`launchers`), or
            None for this machine.
        workers: at most; None for one per core of this machine, or as many as a cluster has.
        threads: of torch in each task; None for as many as it has.
        resources: that every task needs of a worker, such as {"GPU": 1}.
        say: called with lines for the user.

    Raises:
        DataError: if a package is missing, or the cluster cannot be used.
    """
    if where is None:
        with _open_here(workers, threads, dict(resources), say) as engine:
            yield engine
        return
    _require_dask("--cluster")
    from .launchers import open_cluster

    with open_cluster(where, workers, threads, dict(resources), say) as engine:
        yield engine


@contextmanager
def _open_here(
    workers: int | None, threads: int | None, resources: dict[str, float], say: Callable[[str], None]
) -> Iterator[Engine]:
    wanted = (os.cpu_count() or 1) if workers is None else workers
    if wanted > 1 and workers is None and not find_spec("distributed"):
        say(f"one process is used; for all cores: {INSTALL}")
        wanted = 1
    if wanted == 1:
        yield ThisProcess(threads)
        return
    _require_dask(f"{wanted} workers")
    from .launchers import open_local

    with open_local(wanted, threads, resources, say) as engine:
        yield engine


INSTALL = 'python -m pip install "dask>=2026.1" "distributed>=2026.1"'


def _require_dask(what: str) -> None:
    if not find_spec("distributed"):
        raise DataError(f"{what} needs the package distributed; install it: {INSTALL}")
