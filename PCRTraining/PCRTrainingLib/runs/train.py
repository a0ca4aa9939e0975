"""A training run: a folder that explains itself, can be resumed, and ends with a bundle. Its files: `run_folder`."""

from __future__ import annotations

from pathlib import Path

from PCRPredictorLib.writing import write_whole_json

from ..config import TrainingConfig
from ..evaluation.card import read_texts
from .finish import finish
from .job import Job
from .preparation import prepare


def train(job: Job, config: TrainingConfig, card: Path | None = None) -> None:
    """Train a cohort into a run folder.

    Args:
        config: of a new run.
        card: JSON with texts of the model card, see `card.read_texts`.

    Raises:
        DataError: if the cohort or the folder cannot be used; what was done until then is kept.
    """
    texts = read_texts(card) if card else None
    with job.begin("train", config, job.folder.splits) as (config, options):
        if texts is not None and job.worker.first:
            write_whole_json(texts, job.folder.card)
        run = prepare(job, config, options["clinical_rows"])
        job.share(run.tasks())
        if job.worker.first:
            finish(job, run)
