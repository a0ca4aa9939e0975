"""The controller that NVIDIA FLARE runs in the server's job process: it carries `rounds.Federation` to the sites.

Loaded by FLARE by its name in the job; needs the optional package nvflare.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from nvflare.app_common.abstract.fl_model import FLModel
from nvflare.app_common.workflows.base_fedavg import BaseFedAvg
from PCRPredictorLib.errors import DataError

from ...progress import Progress
from ..folder import FederationFolder
from ..messages import ANSWER, NOTHING, TASK, Answer, Arrays, Task
from ..rounds import Federation


class Curriculum(BaseFedAvg):
    """The three steps over all sites, averaged by FLARE's FedAvg; state lives in the federation's folder.

    Args:
        folder: of the federation, on the server's machine.
    """

    def __init__(self, folder: str) -> None:
        super().__init__(persistor_id="", ignore_result_error=True)
        self.folder = folder

    def run(self) -> None:
        """Go on from the state in the folder, until the end or until a site is back that this job cannot reach."""
        try:
            Federation(FederationFolder(Path(self.folder)), FlareHub(self), _Log(self)).run()
        except DataError as error:
            self.error(str(error))


class FlareHub:
    """The sites of a running job. One that does not answer in time is not waited for again: see `paused`."""

    def __init__(self, controller: Curriculum) -> None:
        self._controller = controller
        self._folder = FederationFolder(Path(controller.folder))
        self._plan = self._folder.read_plan()
        there = {each.name for each in controller.engine.get_clients()}
        self._away = {name: time.time() for name in self._plan.sites if name not in there}
        self._folder.regroup.unlink(missing_ok=True)
        self._write_away()

    def ask(self, task: Task, weights: Arrays) -> Mapping[str, Answer]:
        """Send a task to all sites of the job, and wait for the answers as the plan says."""
        names = [each.name for each in self._controller.engine.get_clients() if each.name not in self._away]
        if not names:
            return {}
        model = FLModel(params=dict(weights) or {NOTHING: np.zeros(1)}, meta={TASK: task.to_text()})
        found = self._controller.broadcast_model(
            data=model,
            targets=names,
            min_responses=min(self._plan.least, len(names)),
            wait_time_after_min_received=int(self._plan.grace),
        )
        answers = {}
        for result in found:
            try:
                answers[result.meta["client_name"]] = Answer.from_text(result.meta[ANSWER], result.params or {})
            except (DataError, KeyError):  # not of our own site's software
                answers[result.meta["client_name"]] = Answer(task.position)
        self._away |= {name: time.time() for name in names if name not in answers}
        self._write_away()
        return answers

    def average(self, answers: Mapping[str, Answer], shares: Mapping[str, float]) -> Arrays:
        """Return FLARE's weighted average, in the order of the names."""
        models = []
        for name in sorted(answers):
            params = {key: np.asarray(array, np.float64) for key, array in answers[name].weights.items()}
            meta = {"client_name": name, "NUM_STEPS_CURRENT_ROUND": shares[name]}
            models.append(FLModel(params=params, meta=meta, current_round=0))
        return self._controller.aggregate(models).params

    def paused(self) -> bool:
        """Return True if the server has seen a site again that this job lost."""
        return self._folder.regroup.is_file()

    def _write_away(self) -> None:
        self._folder.away.write_text(json.dumps(self._away), encoding="utf-8")


class _Log(Progress):
    """Writes into FLARE's log, and into the one of the federation."""

    def __init__(self, controller: Curriculum) -> None:
        self._controller = controller
        self._file = FederationFolder(Path(controller.folder)).log

    def say(self, message: str) -> None:
        """Add a line to both."""
        self._controller.info(message)
        with self._file.open("a", encoding="utf-8") as file:
            file.write(f"{message}\n")

    def advance(self, detail: str = "", units: int = 1) -> None:
        """Add what is done."""
        if detail:
            self.say(f"done: {detail}")
