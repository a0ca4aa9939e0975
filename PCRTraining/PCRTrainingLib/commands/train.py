"""`pcr train`: the curriculum on one cohort or several."""

from pathlib import Path
from typing import Annotated

import typer
from PCRPredictorLib.commands.options import DeviceOption

from . import options


def train(
    cohorts: options.CohortsArgument,
    out: Annotated[Path, typer.Option(help="Run folder; new, or one to be resumed.")],
    config: options.ConfigOption = "full",
    resume: options.ResumeOption = False,
    seed: Annotated[int | None, typer.Option(min=0, help="Instead of the configuration's.")] = None,
    clinical_rows: options.ClinicalRowsOption = [],  # noqa: B006
    leave_site_out: options.LeaveSiteOutOption = False,
    sites: options.SitesOption = [],  # noqa: B006
    card: Annotated[Path | None, typer.Option(help="JSON with texts of the model card.")] = None,
    device: DeviceOption = "cpu",
    processes: options.ProcessesOption = None,
) -> None:
    """Train the curriculum on cohorts: global, attention, clinical. Leaves OUT/bundle; runs under torchrun."""
    from ..runs.train import train

    settings = options.divide_by_site(options.read_config(config, seed), leave_site_out, sites)
    with options.job(cohorts, out, device, processes, resume, clinical_rows) as job:
        train(job, settings, card)
        if job.worker.first:
            job.progress.say(f"Report: {job.folder.report}")
            job.progress.say(f"Model: {job.folder.bundle}, for pcr predict --model")
