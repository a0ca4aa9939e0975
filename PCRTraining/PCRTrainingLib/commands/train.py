"""`pcr train`: the curriculum on one cohort or several."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from PCRPredictorLib.commands.options import DeviceOption
from PCRPredictorLib.model.bundle import find_bundle, load_bundle

from . import options


def train(
    cohorts: options.CohortsArgument,
    out: Annotated[Path, typer.Option(help="Run folder; new, or one to be resumed.")],
    config: options.ConfigOption = "full",
    resume: options.ResumeOption = False,
    seed: Annotated[int | None, typer.Option(min=0, help="Instead of the configuration's.")] = None,
    pretrain: Annotated[
        int | None,
        typer.Option(min=0, help="Epochs of self-supervised training before step 1, also on patients without a label."),
    ] = None,
    clinical_rows: options.ClinicalRowsOption = [],  # noqa: B006
    leave_site_out: options.LeaveSiteOutOption = False,
    sites: options.SitesOption = [],  # noqa: B006
    start: Annotated[
        str | None,
        typer.Option("--from", help="Bundle or bundled model whose networks are trained further, at small rates."),
    ] = None,
    card: Annotated[Path | None, typer.Option(help="JSON with texts of the model card.")] = None,
    device: DeviceOption = "cpu",
    processes: options.ProcessesOption = None,
) -> None:
    """Train the curriculum on cohorts: global, attention, clinical. Leaves OUT/bundle; runs under torchrun."""
    from ..runs.train import train

    if start is not None and clinical_rows:
        raise typer.BadParameter("--clinical-rows fit a clinical branch anew; with --from it is the bundle's")
    bundle = load_bundle(find_bundle(start)) if start is not None else None
    settings = options.divide_by_site(options.read_config(config, seed), leave_site_out, sites)
    settings = settings if pretrain is None else replace(settings, pretraining=pretrain)
    with options.job(cohorts, out, device, processes, resume, clinical_rows) as job:
        train(job, settings, card, bundle)
        if job.worker.first:
            job.progress.say(f"Report: {job.folder.report}")
            job.progress.say(f"Model: {job.folder.bundle}, for pcr predict --model")
