"""`pcr select`: a configuration by nested cross-validation."""

from pathlib import Path
from typing import Annotated

import typer
from PCRPredictorLib.commands.options import DeviceOption

from ..calls.train import divide_by_site, read_config
from ..run_folder import read_json
from . import options
from .endings import print_end, unused


def select(
    cohorts: options.CohortsArgument,
    configs: Annotated[list[Path], typer.Option(help="JSON files, as for pcr train --config.")],
    out: Annotated[Path, typer.Option(help="Folder of the selection; new, or one to be resumed.")],
    inner: Annotated[int, typer.Option(min=2, help="Folds inside each fold's training patients.")] = 4,
    least_attention: Annotated[
        float, typer.Option(min=0, max=1, help="Share inside the tumour below which a configuration is not chosen.")
    ] = 0.6,
    resume: options.ResumeOption = False,
    clinical_rows: options.ClinicalRowsOption = [],  # noqa: B006
    leave_site_out: options.LeaveSiteOutOption = False,
    sites: options.SitesOption = [],  # noqa: B006
    device: DeviceOption = "cpu",
    workers: options.WorkersOption = None,
    cluster: options.ClusterOption = None,
) -> None:
    """Choose among configurations by nested cross-validation; the result is of patients no choice has seen."""
    from ..runs.select import select

    read = {path.stem: read_config(str(path)) for path in configs}
    settings = {name: divide_by_site(config, leave_site_out, sites) for name, config in read.items()}
    with options.job(cohorts, out, device, workers, cluster, resume, clinical_rows) as job:
        select(job, settings, inner=inner, least_attention=least_attention)
    final = read_json(job.folder.selection)["final"]
    config = next((path for path in configs if path.stem == final), None)
    if config is None:  # resumed with others than it was begun with
        print_end(job.folder)
        return
    words = [*cohorts, "--config", config, "--out", unused(out.with_name(f"{out.name}-model"))]
    words += options.as_words("--clinical-rows", clinical_rows) + options.as_words("--sites", sites)
    words += ["--leave-site-out"] if leave_site_out else []
    print_end(job.folder, (f"Train {final} on all patients", ["train", *words]))
