"""`pcr train`: the curriculum on a cohort."""

from pathlib import Path
from typing import Annotated

import typer
from PCRPredictorLib.commands.options import DeviceOption

from . import options


def train(
    cohort: options.CohortArgument,
    out: Annotated[Path, typer.Option(help="Run folder; new, or one to be resumed.")],
    config: options.ConfigOption = "full",
    resume: options.ResumeOption = False,
    seed: Annotated[int | None, typer.Option(min=0, help="Instead of the configuration's.")] = None,
    clinical_rows: options.ClinicalRowsOption = None,
    card: Annotated[Path | None, typer.Option(help="JSON with texts of the model card.")] = None,
    device: DeviceOption = "cpu",
    processes: options.ProcessesOption = None,
) -> None:
    """Train the curriculum on a cohort: global, attention, clinical. Leaves OUT/bundle; runs under torchrun."""
    from ..runs.train import train

    settings = options.read_config(config, seed)
    with options.job(cohort, out, device, processes, resume, clinical_rows) as job:
        train(job, settings, card)
        if job.worker.first:
            job.progress.say(f"Report: {job.folder.report}")
            job.progress.say(f"Model: {job.folder.bundle}, for pcr predict --model")
