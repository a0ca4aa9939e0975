"""The protocol of train, experiment and select: start or resume, train the folds, record time and versions."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from PCRPredictorLib.engine.engine import Engine
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.predictor import library_versions
from PCRPredictorLib.writing import write_whole_json

from ..cohort.cache import GridCache
from ..config import TrainingConfig
from ..evaluation.description import count_reasons
from ..formats import RUN
from ..progress import Progress
from ..run_files import refusing_damage
from ..run_folder import RunFolder, read_json
from ..sessions import session, total_seconds
from ..training.folds import FoldTask
from ..training.machine import describe_machine
from ..training.sharing import Placed, Units, share, train_fold


@dataclass(frozen=True)
class Job:
    """One command on one cohort or several, into one run folder.

    Args:
        cohorts: name to folder.
        folder: new or empty, unless resumed.
        engine: that trains the folds.
        resume: continue a job that was stopped; it keeps its configuration, options and clinical rows.
        clinical_rows: tables with labels of more patients, for the fit of the clinical branch.
        keep_anyway: make a bundle also of a model whose attention is at chance.
    """

    cohorts: Mapping[str, Path]
    folder: RunFolder
    engine: Engine
    progress: Progress
    device: str = "cpu"
    resume: bool = False
    clinical_rows: Sequence[Path] = ()
    keep_anyway: bool = False
    started: float = field(default_factory=time.monotonic)

    @property
    def title(self) -> str:
        """Names of the cohorts."""
        return " + ".join(self.cohorts)

    @property
    def is_new(self) -> bool:
        """True unless it goes on with a run that is there."""
        return not (self.resume and self.folder.config.is_file())

    @property
    def own_device(self) -> str:
        """Device of this process, for what is not a task: that of the workers if it is here, too."""
        return self.device if torch.cuda.is_available() else "cpu"

    @contextmanager
    def hold(
        self, kind: str, config: TrainingConfig, options: Mapping[str, object] = {}
    ) -> Iterator[tuple[TrainingConfig, dict[str, Any]]]:
        """Lock the folder, and yield configuration and options as they stand in it.

        Args:
            kind: the command.
            config: of a new job.
            options: of a new job, plain values.

        Raises:
            DataError: if the folder is in use, holds anything else, or cannot be written or is not seen by all workers.
        """
        tables = [str(table.resolve()) for table in self.clinical_rows]
        options = {**options, "cohorts": list(self.cohorts), "clinical_rows": tables}
        with self.folder.locked():
            config, options = self._checked(*self.folder.start(kind, config, options, resume=self.resume))
            with session(self.folder, self.started):
                self.engine.check_folder(self.folder.path)
                if self.folder.origin.is_file():
                    self._add_machines(config)
                yield config, options

    def _checked(self, config: TrainingConfig, options: dict[str, Any]) -> tuple[TrainingConfig, dict[str, Any]]:
        """Return configuration and options of a run; refuse other cohorts than it was begun with.

        Raises:
            DataError: if they are different ones, by number or, of several, by name.
        """
        before, now = options["cohorts"], list(self.cohorts)
        if len(before) != len(now) or (len(now) > 1 and before != now):
            raise DataError(
                f"{self.folder.path}: the run was begun with {', '.join(before)}, got {', '.join(now)}; give the same "
                "cohorts in the same order, or start a run in a new folder"
            )
        return config, options

    def train_tasks(self, tasks: Sequence[FoldTask]) -> None:
        """Train all folds.

        Raises:
            DataError: if a fold raises it, or the cluster is lost; the other folds end, too.
        """
        units = [Units(task.epochs, task.epochs_done()) for task in tasks]
        self.progress.start("Training", sum(each.total for each in units), sum(each.done for each in units))
        placed = [Placed(task, self.device) for task in tasks]
        share(self.engine, train_fold, placed, units, self.progress)

    def write_origin(self, config: TrainingConfig, cache: GridCache) -> None:
        """Record cohorts, how many patients are used and why others are left out, versions and machine."""
        folders = {name: str(path.resolve()) for name, path in self.cohorts.items()}
        where = {"cohort": next(iter(folders.values()))} if len(folders) == 1 else {"cohorts": folders}
        content = {
            "format": RUN,
            **where,
            "patients": len(cache),
            "left_out": count_reasons(cache),
            "versions": library_versions(),
            "machines": self._machines(config),
        }
        write_whole_json(content, self.folder.origin)

    def _add_machines(self, config: TrainingConfig) -> None:
        """Record the machines that a run is resumed on, if they are different ones."""
        content = read_json(self.folder.origin)
        with refusing_damage(self.folder.origin):
            before = list(content.get("machines", []))
        if new := [machine for machine in self._machines(config) if machine not in before]:
            write_whole_json({**content, "machines": [*before, *new]}, self.folder.origin)

    def _machines(self, config: TrainingConfig) -> list[dict[str, object]]:
        """Return the different machines of the engine, with the number of their processes."""
        found = self.engine.everywhere(describe_machine, config, self.device)
        different = [machine for k, machine in enumerate(found) if machine not in found[:k]]
        return [{**machine, "processes": found.count(machine)} for machine in different]

    def time_and_versions(self) -> dict[str, object]:
        """Return the seconds of the job, those before it was resumed too, and the versions that made its results."""
        return {"seconds": total_seconds(self.folder, self.started), "versions": library_versions()}
