"""The protocol of train, experiment and select: start or resume, share the folds, wait, record time and versions."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PCRPredictorLib.model.predictor import library_versions
from PCRPredictorLib.writing import write_whole_json

from ..config import TrainingConfig
from ..progress import Progress
from ..run_folder import RunFolder
from ..training.folds import FoldTask
from ..training.workers import Worker, restarted


@dataclass(frozen=True)
class Job:
    """One command on one cohort, into one run folder.

    Args:
        cohort: folder of a cohort.
        folder: new or empty, unless resumed.
        worker: this process among those of the job.
        resume: continue a job that was stopped; it keeps its configuration, options and clinical rows.
        clinical_rows: table with labels of more patients, for the fit of the clinical branch.
    """

    cohort: Path
    folder: RunFolder
    worker: Worker
    progress: Progress
    resume: bool = False
    clinical_rows: Path | None = None
    started: float = field(default_factory=time.time)

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
        table = str(self.clinical_rows.resolve()) if self.clinical_rows else None
        options = {**options, "clinical_rows": table}
        if not self.worker.first:
            self.worker.wait_for([ready])
            yield self.folder.read_started(kind, options)
            return
        with self.folder.locked():
            yield self.folder.start(kind, config, options, resume=self.resume or restarted())

    def train_tasks(self, tasks: Sequence[FoldTask]) -> None:
        """Train this process's share of the tasks, then wait for the results of all.

        Raises:
            DataError: see `Worker.run_tasks`.
        """
        self.worker.run_tasks(FoldTask.train, tasks, max(task.epochs for task in tasks), self.progress)
        self.worker.wait_for(file for task in tasks for file in task.results())

    def write_origin(self) -> None:
        """Record cohort and versions."""
        write_whole_json({"cohort": str(self.cohort.resolve()), "versions": library_versions()}, self.folder.origin)

    def time_and_versions(self) -> dict[str, object]:
        """Return the duration of the job in seconds, and the versions that made its results."""
        return {"seconds": round(time.time() - self.started, 1), "versions": library_versions()}
