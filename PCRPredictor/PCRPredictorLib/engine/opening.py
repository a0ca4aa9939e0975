"""Open the engine that a user asked for: this process, processes of this machine, or a cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec

from ..errors import DataError
from ..extras.install import install_line
from .apart import Apart, is_possible
from .engine import Engine, ThisProcess
from .local import Local, find_gpus

GPU = "GPU"  # resource that a worker with a GPU announces


@contextmanager
def open_engine(
    where: str | None = None,
    workers: int | None = None,
    threads: int | None = None,
    resources: Mapping[str, float] = {},
    say: Callable[[str], None] = lambda _text: None,
    *,
    apart: bool = False,
) -> Iterator[Engine]:
    """Yield an engine; when it is left, in whatever way, its processes end.

    Args:
        where: address of a Dask scheduler (tcp:// or tls://), file with the settings of a cluster (`launchers`), or
            None for this machine.
        workers: at most; None for one per core of this machine, or one per GPU if tasks need one; of a cluster, for
            as many as it has.
        threads: of torch in each task; None for as many as it has.
        resources: that every task needs of a worker, such as {GPU: 1}.
        say: called with lines for the user.
        apart: a single process is one of its own, too, where that is possible: a task may end it, as by a damaged file.

    Raises:
        DataError: if a package is missing, or the cluster cannot be used.
    """
    if where is not None:
        _require_dask("--cluster")
        from .launchers import open_cluster

        with open_cluster(where, workers, threads, dict(resources), say) as engine:
            yield engine
        return
    gpus = find_gpus() if GPU in resources else []
    number = workers or (len(gpus) if gpus else os.cpu_count()) or 1
    if number > 1 and not find_spec("distributed"):
        if workers is not None:
            _require_dask(f"--workers {workers}")
        say(f"One process works on this; for all cores, install distributed: {install_line('cluster')}")
        number = 1
    single = Apart(threads) if apart and GPU not in resources and is_possible() else ThisProcess(threads)
    if number == 1:
        yield single
        return
    with Local(number, threads, gpus, say, single) as engine:
        yield engine


def _require_dask(what: str) -> None:
    if not find_spec("distributed"):
        raise DataError(f"{what} needs the package distributed; install it with: {install_line('cluster')}")
