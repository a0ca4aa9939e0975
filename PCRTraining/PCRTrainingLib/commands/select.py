"""`pcr select`: a configuration by nested cross-validation."""

from pathlib import Path
from typing import Annotated

import typer
from PCRPredictorLib.commands.options import DeviceOption

from ..calls.train import divide_by_site, read_config
from . import options


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
        job.progress.say(f"Written to {job.folder.selection}")
