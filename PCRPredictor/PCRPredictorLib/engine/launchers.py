"""Dask clusters that exist, or that Dask's own launchers start for this run.

A file of settings (JSON or YAML) has the `address` of a scheduler, as `dask scheduler --scheduler-file` writes it, or
the `kind` of a launcher; its other entries are the arguments of that launcher, which the project does not know.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..errors import DataError
from ..extras.install import install_line, package_line
from .cluster import Cluster
from .local import silence_dask

_JOBS = "dask_jobqueue"
KINDS = {  # module, class and package of each launcher
    "slurm": (_JOBS, "SLURMCluster", "dask-jobqueue"),
    "pbs": (_JOBS, "PBSCluster", "dask-jobqueue"),
    "sge": (_JOBS, "SGECluster", "dask-jobqueue"),
    "lsf": (_JOBS, "LSFCluster", "dask-jobqueue"),
    "htcondor": (_JOBS, "HTCondorCluster", "dask-jobqueue"),
    "kubernetes": ("dask_kubernetes.operator", "KubeCluster", "dask-kubernetes"),
    "ssh": ("distributed", "SSHCluster", "asyncssh"),
}
_EXTRAS = {"dask-jobqueue": "slurm", "dask-kubernetes": "kubernetes"}  # of which a package is part
_CONNECT_S = 10.0


@contextmanager
def open_cluster(
    where: str, workers: int | None, threads: int | None, resources: dict[str, float], say: Callable[[str], None]
) -> Iterator[Cluster]:
    """Yield the cluster at an address or of a file.

    Raises:
        DataError: if the file cannot be read, no scheduler answers, or its workers cannot be used.
    """
    settings = {"address": where} if "://" in where else read_settings(Path(where))
    with _connect(where, settings, workers) as client:
        cluster = Cluster(client, where, threads, resources, say)
        if cluster.dashboard:
            say(f"Dashboard: {cluster.dashboard}")
        if not _is_closed(cluster.address):
            say(f"{cluster.address} is open: whoever reaches it can run programs there; tls:// is safe")
        cluster.wait_for_worker()
        cluster.check_workers()
        try:
            yield cluster
        finally:
            cluster.close()


def read_settings(path: Path) -> dict[str, Any]:
    """Return the settings of a cluster.

    Raises:
        DataError: if they cannot be read, or name neither an address nor a kind that is known.
    """
    yaml: Any = import_module("yaml")
    try:
        if not path.is_file():  # a pipe would wait for ever
            raise FileNotFoundError(path)
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError:
        raise DataError(f"{path}: no such file; give an address such as tcp://host:8786, or a file") from None
    except (ValueError, yaml.YAMLError) as error:
        raise DataError(f"{path}: must be JSON or YAML ({str(error).splitlines()[0]}); correct it") from None
    if not isinstance(content, dict) or not ("address" in content or content.get("kind") in KINDS):
        got = repr(content.get("kind")) if isinstance(content, dict) else "no entries"
        raise DataError(f"{path}: must have an address, or a kind among {', '.join(KINDS)}, got {got}; add it")
    return content


@contextmanager
def _connect(where: str, settings: dict[str, Any], workers: int | None) -> Iterator[Any]:
    """Yield a client of the cluster of settings."""
    from distributed import Client

    silence_dask()
    if "address" in settings:
        try:
            client = Client(settings["address"], security=_security(settings), timeout=_CONNECT_S, set_as_default=False)
        except (OSError, ValueError, TypeError, TimeoutError, RuntimeError) as error:
            raise DataError(f"{where}: no Dask scheduler answers ({error}); start it, or check the address") from None
        with client:
            yield client
        return
    with launch(where, settings, workers) as cluster, Client(cluster, set_as_default=False) as client:
        yield client


def launch(where: str, settings: dict[str, Any], workers: int | None) -> Any:  # noqa: ANN401  one of Dask's clusters
    """Return the cluster that a launcher starts.

    Args:
        where: file of the settings, for messages.
        workers: to start, instead of the settings' own number.

    Raises:
        DataError: if the launcher is not installed, or refuses its arguments.
    """
    module, name, package = KINDS[settings["kind"]]
    if not find_spec(module.partition(".")[0]) or not find_spec(package.replace("-", "_")):
        extra = _EXTRAS.get(package)
        line = install_line(extra) if extra else package_line([package])
        raise DataError(f"{where}: needs the package {package}; install it with: {line}")
    arguments = {key: value for key, value in settings.items() if key not in ("kind", "workers")}
    arguments = (_for_jobs(arguments) if module == _JOBS else arguments) | _security_of(settings)
    try:
        with ExitStack() as stack:
            cluster = getattr(import_module(module), name)(**arguments)
            stack.callback(cluster.close)
            _scale(cluster, workers or settings.get("workers"))
            stack.pop_all()
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DataError(f"{where}: the {settings['kind']} cluster cannot be started ({reason})") from error
    return cluster


def _scale(cluster: Any, number: Any) -> None:  # noqa: ANN401  what a file says
    if isinstance(number, dict):
        cluster.adapt(**number)
    elif number:
        cluster.scale(int(number))


def _for_jobs(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a queue of jobs, with one thread per process, and encrypted unless told otherwise."""
    cores = arguments.get("cores", 1)
    return {"cores": cores, "processes": cores, "security": True, "protocol": "tls://", **arguments}


def _security_of(settings: dict[str, Any]) -> dict[str, Any]:
    return {"security": _security(settings)} if isinstance(settings.get("security"), dict) else {}


def _security(settings: dict[str, Any]) -> Any:  # noqa: ANN401
    """Return Dask's description of certificates; None for what Dask's own configuration has."""
    from distributed import Security

    given = settings.get("security")
    return Security(**given) if isinstance(given, dict) else None


def _is_closed(address: str) -> bool:
    """Return True if a scheduler is encrypted, in this process, or on this machine."""
    protocol, _, place = address.partition("://")
    if protocol in ("tls", "wss", "inproc"):
        return True
    host = place.rpartition(":")[0].strip("[]")
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
