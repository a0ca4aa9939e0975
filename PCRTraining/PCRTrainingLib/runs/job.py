"""The protocol of train, experiment and select: start or resume, share the folds, wait, record time and versions."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.predictor import library_versions
from PCRPredictorLib.writing import write_whole_json

from ..config import TrainingConfig
from ..progress import Progress
from ..run_folder import RunFolder, read_json
from ..training.folds import FoldTask
from ..training.machine import describe_machine
from ..training.workers import Worker, restarted


@dataclass(frozen=True)
class Job:
    """One command on one cohort or several, into one run folder.

    Args:
        cohorts: name to folder.
        folder: new or empty, unless resumed.
        worker: this process among those of the job.
        resume: continue a job that was stopped; it keeps its configuration, options and clinical rows.
        clinical_rows: tables with labels of more patients, for the fit of the clinical branch.
    """

    cohorts: Mapping[str, Path]
    folder: RunFolder
    worker: Worker
    progress: Progress
    resume: bool = False
    clinical_rows: Sequence[Path] = ()
    started: float = field(default_factory=time.time)

    @property
    def title(self) -> str:
        """Names of the cohorts."""
        return " + ".join(self.cohorts)

    @contextmanager
    def hold(
        self, kind: str, config: TrainingConfig, ready: Path, options: Mapping[str, object] = {}
    ) -> Iterator[tuple[TrainingConfig, dict[str, Any]]]:
        """Lock the folder, and yield configuration and options as they stand in it.

        Args:
            kind: the command.
            config: of a new job.
            ready: file that the first process writes last before training; the others wait for it.
            options: of a new job, plain values.

        Raises:
            DataError: if the folder is in use, holds anything else, or cannot be written.
        """
        tables = [str(table.resolve()) for table in self.clinical_rows]
        options = {**options, "cohorts": list(self.cohorts), "clinical_rows": tables}
        if not self.worker.first:
            self.worker.wait_for([ready])
            yield self._checked(*self.folder.read_started(kind, options))
            return
        with self.folder.locked():
            config, options = self._checked(
                *self.folder.start(kind, config, options, resume=self.resume or restarted())
            )
            if self.folder.origin.is_file():
                self._add_machine(config)
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
        tables = options["clinical_rows"] or []  # an earlier version kept one path, or none
        return config, {**options, "clinical_rows": [tables] if isinstance(tables, str) else tables}

    def train_tasks(self, tasks: Sequence[FoldTask]) -> None:
        """Train this process's share of the tasks, then wait for the results of all.

        Raises:
            DataError: see `Worker.run_tasks`.
        """
        self.worker.run_tasks(FoldTask.train, tasks, max(task.epochs for task in tasks), self.progress)
        self.worker.wait_for(file for task in tasks for file in task.results())

    def write_origin(self, config: TrainingConfig) -> None:
        """Record cohorts, versions and machine."""
        folders = {name: str(path.resolve()) for name, path in self.cohorts.items()}
        where = {"cohort": next(iter(folders.values()))} if len(folders) == 1 else {"cohorts": folders}
        content = {**where, "versions": library_versions(), "machines": [describe_machine(self.worker, config)]}
        write_whole_json(content, self.folder.origin)

    def _add_machine(self, config: TrainingConfig) -> None:
        """Record the machine that a run is resumed on, if it is a different one."""
        machine, content = describe_machine(self.worker, config), read_json(self.folder.origin)
        if machine not in content.get("machines", []):
            content["machines"] = [*content.get("machines", []), machine]
            write_whole_json(content, self.folder.origin)

    def time_and_versions(self) -> dict[str, object]:
        """Return the duration of the job in seconds, and the versions that made its results."""
        return {"seconds": round(time.time() - self.started, 1), "versions": library_versions()}
