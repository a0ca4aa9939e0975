"""The job that NVIDIA FLARE distributes: names of components that every machine has installed, and no code.

Needs the optional package nvflare.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from nvflare.job_config.api import FedJob
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.writing import write_json

from ..settings import ENVIRONMENT
from .server import Curriculum
from .site import SiteExecutor

COMPONENTS = [f"{each.__module__}.{each.__qualname__}" for each in (Curriculum, SiteExecutor)]
_LIBRARIES = ["PCRTrainingLib", "PCRPredictorLib"]


def make_job(name: str, folder: Path, least: int) -> FedJob:
    """Return the job of a federation.

    Args:
        folder: of the federation, at the server.
        least: sites that it needs.
    """
    job = FedJob(name=name, min_clients=least)
    job.set_app_packages(_LIBRARIES)
    job.to_server(Curriculum(str(folder.resolve())))
    job.to_clients(SiteExecutor(), tasks=["train"])
    return job


def run_simulator(folder: Path, sites: Mapping[str, Mapping[str, object]], least: int) -> None:
    """Run a federation with FLARE's simulator, a process for each site.

    Args:
        folder: of the federation.
        sites: settings of each, see `SiteSettings`.

    Raises:
        DataError: if the simulator ends with an error.
    """
    settings = folder / "sites.json"
    write_json(dict(sites), settings)
    os.environ[ENVIRONMENT] = str(settings.resolve())
    workspace = folder / "flare"
    _allow(workspace / "local" / "resources.json.default")
    job = make_job("federation", folder, least)
    code = job.simulator_run(str(workspace), clients=list(sites), threads=len(sites), log_config=None)
    if code:
        raise DataError(f"{workspace}: FLARE's simulator ended with {code}; see its log there, then repeat the call")


def _allow(file: Path) -> None:
    """Let FLARE build our components, and no others than those and its own two standard ones."""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_json({"format_version": 2, "class_allow_list": allowed_classes()}, file)


def allowed_classes() -> Sequence[str]:
    """Return the components that a machine of the federation builds when a job names them."""
    return COMPONENTS
