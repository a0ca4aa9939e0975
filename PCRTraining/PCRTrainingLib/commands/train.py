"""`pcr train`: the curriculum on a cohort."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from PCRPredictorLib.commands.options import DeviceOption

from .options import (
    ClinicalRowsOption,
    CohortArgument,
    ConfigOption,
    ProcessesOption,
    ResumeOption,
    job,
    read_config,
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
    with job(cohort, out, device, processes, resume, clinical_rows) as this:
        train(this, settings, card)
        if this.worker.first:
            this.progress.say(f"Report: {this.folder.report}")
            this.progress.say(f"Model: {this.folder.bundle}, for pcr predict --model")
