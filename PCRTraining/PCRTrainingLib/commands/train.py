"""`pcr train`: the curriculum on a cohort."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from PCRPredictorLib.commands.options import DeviceOption, console

from ..progress_bar import ProgressBar
from .options import (
    ClinicalRowsOption,
    CohortArgument,
    ConfigOption,
    ProcessesOption,
    ResumeOption,
    read_config,
    workers,
)


def train(
    cohort: CohortArgument,
    out: Annotated[Path, typer.Option(help="Run folder; new, or one to be resumed.")],
    config: ConfigOption = "full",
    resume: ResumeOption = False,
    seed: Annotated[int | None, typer.Option(min=0, help="Instead of the configuration's.")] = None,
    clinical_rows: ClinicalRowsOption = None,
    card: Annotated[Path | None, typer.Option(help="JSON with texts of the model card.")] = None,
    device: DeviceOption = "cpu",
    processes: ProcessesOption = None,
) -> None:
    """Train the curriculum on a cohort: global, attention, clinical. Leaves OUT/bundle; runs under torchrun."""
    from ..runs.train import train

    settings = read_config(config, seed)
    with workers(device, processes) as worker, ProgressBar(console, quiet=not worker.first) as progress:
        train(cohort, out, settings, worker, progress, resume=resume, clinical_rows=clinical_rows, card=card)
        if worker.first:
            progress.say(f"Report: {out / 'report.html'}")
            progress.say(f"Model: {out / 'bundle'}, for pcr predict --model")
