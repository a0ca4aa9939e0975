"""`pcr experiment`: baselines against the curriculum."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from PCRPredictorLib.commands.options import DeviceOption

from ..calls.train import divide_by_site, read_config
from . import options
from .endings import print_end, unused


def experiment(
    cohorts: options.CohortsArgument,
    out: Annotated[Path, typer.Option(help="Folder of the experiment; new, or one to be resumed.")],
    external: Annotated[list[Path], typer.Option(help="Cohorts of other hospitals.")] = [],  # noqa: B006
    config: options.ConfigOption = "full",
    seeds: Annotated[int, typer.Option(min=1, help="Number of repetitions, each with its own seed.")] = 3,
    without: Annotated[
        list[str], typer.Option(help="Row of the table that is not trained, such as step 2, no swap.")
    ] = [],  # noqa: B006
    resume: options.ResumeOption = False,
    keep_anyway: options.KeepAnywayOption = False,
    clinical_rows: options.ClinicalRowsOption = [],  # noqa: B006
    leave_site_out: options.LeaveSiteOutOption = False,
    sites: options.SitesOption = [],  # noqa: B006
    device: DeviceOption = "cpu",
    workers: options.WorkersOption = None,
    cluster: options.ClusterOption = None,
) -> None:
    """Compare baselines with the curriculum, step by step, with seeds and external cohorts."""
    from ..runs.experiment import run_experiment

    settings = divide_by_site(read_config(config), leave_site_out, sites)
    numbers = range(settings.seed, settings.seed + seeds)
    with options.job(cohorts, out, device, workers, cluster, resume, clinical_rows) as job:
        run_experiment(replace(job, keep_anyway=keep_anyway), settings, numbers, external, without)
    words = [*cohorts, "--config", config, "--out", unused(out.with_name(f"{out.name}-model"))]
    words += options.as_words("--clinical-rows", clinical_rows) + options.as_words("--sites", sites)
    words += ["--leave-site-out"] if leave_site_out else []
    print_end(job.folder, ("A model of step 3", ["train", *words]))
