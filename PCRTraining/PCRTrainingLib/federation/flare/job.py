"""The job that NVIDIA FLARE distributes: names of components that every machine has installed, and no code.

Needs the optional package nvflare.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from nvflare.job_config.api import FedJob
from PCRPredictorLib.writing import write_json

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


def run_simulator(folder: Path, names: Sequence[str], least: int) -> int:
    """Run a federation with FLARE's simulator, a process for each site; return its exit code.

    Args:
        folder: of the federation.
        names: of the sites, whose settings the file in the variable `ENVIRONMENT` has.
        least: sites that it needs.
    """
    workspace = folder / "flare"
    _allow(workspace / "local" / "resources.json.default")
    job = make_job("federation", folder, least)
    return job.simulator_run(str(workspace), clients=list(names), threads=len(names), log_config=None) or 0


def _allow(file: Path) -> None:
    """Let FLARE build our components, and no others than those and its own two standard ones."""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_json({"format_version": 2, "class_allow_list": allowed_classes()}, file)


def allowed_classes() -> Sequence[str]:
    """Return the components that a machine of the federation builds when a job names them."""
    return COMPONENTS


if __name__ == "__main__":
    sys.exit(run_simulator(Path(sys.argv[1]), sys.argv[3:], int(sys.argv[2])))
