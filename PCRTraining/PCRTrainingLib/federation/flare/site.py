"""The executor that NVIDIA FLARE runs at a hospital, and the loop of its Client API.

Both are part of the installed package: a job that the server sends holds their names and no code. Needs the optional
package nvflare.
"""

import os
from pathlib import Path

import nvflare.client as flare
import torch
from nvflare.app_common.executors.client_api_executor import ClientAPIExecutor, ExecutionMode
from nvflare.client.config import ExchangeFormat
from PCRPredictorLib.errors import DataError

from ...progress import Progress
from ..messages import ANSWER, NOTHING, TASK, Task
from ..settings import ENVIRONMENT, SiteSettings
from ..site import Site


class SiteExecutor(ClientAPIExecutor):
    """Runs `script.py` of the installed package in the job's process."""

    def __init__(self) -> None:
        super().__init__(
            execution_mode=ExecutionMode.IN_PROCESS,
            task_script_path=str(Path(__file__).with_name("script.py")),
            params_exchange_format=ExchangeFormat.NUMPY,
            server_expected_format=ExchangeFormat.NUMPY,
        )


class _Lines(Progress):
    """Appends to a log at the site."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def say(self, message: str) -> None:
        """Add a line."""
        with self._file.open("a", encoding="utf-8") as file:
            file.write(f"{message}\n")


def answer_tasks() -> None:
    """Answer the server's tasks until the job ends.

    Raises:
        DataError: if this process was not started by pcr federate.
    """
    torch.set_num_threads(1)
    flare.init()
    site: Site | None = None
    while flare.is_running():
        model = flare.receive()
        if model is None:
            break
        site = site or _open_site(flare.get_site_name())
        weights = {name: array for name, array in model.params.items() if name != NOTHING}
        answer = site.answer(Task.from_text(model.meta[TASK]), weights)
        sent = dict(answer.weights)
        metrics = None if sent else {"answered": 1.0}  # FLARE sends no message without either
        flare.send(flare.FLModel(params=sent or None, metrics=metrics, meta={ANSWER: answer.to_text()}))


def _open_site(name: str) -> Site:
    file = os.environ.get(ENVIRONMENT)
    if not file:
        raise DataError(f"{ENVIRONMENT} must name the settings of this site; start it with pcr federate join")
    settings = SiteSettings.read(Path(file), name)
    folder = Path(settings.folder)
    folder.mkdir(parents=True, exist_ok=True)
    return Site(settings, _Lines(folder / "log.txt"))
