"""`pcr train`: the curriculum on one cohort or several, or a response model on tables with visits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from PCRPredictorLib.commands.options import DeviceOption, console
from PCRPredictorLib.model.bundle import find_bundle, load_bundle

from ..progress import ProgressBar
from . import options

if TYPE_CHECKING:
    from ..visit_tables.patients import VisitPatients


def train(
    cohorts: options.CohortsOrTablesArgument,
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
    mapping: options.MappingOption = None,
    unit: options.UnitOption = [],  # noqa: B006
    device: DeviceOption = "cpu",
    workers: options.WorkersOption = None,
    cluster: options.ClusterOption = None,
) -> None:
    """Train the curriculum on cohorts: global, attention, clinical. Leaves OUT/bundle.

    With tables of patients at several visits instead of folders, train a response model, for pcr follow.
    """
    if tables := options.find_visits(cohorts):
        only = {"--pretrain": pretrain is not None, "--clinical-rows": clinical_rows, "--from": start}
        options.refuse_with_tables({**only, "--leave-site-out": leave_site_out, "--sites": sites})
        _train_response(options.read_tables(tables, mapping, unit), out, config, seed, card, resume=resume)
        return
    from ..runs.train import train

    if start is not None and clinical_rows:
        raise typer.BadParameter("--clinical-rows fit a clinical branch anew; with --from it is the bundle's")
    bundle = load_bundle(find_bundle(start)) if start is not None else None
    settings = options.divide_by_site(options.read_config(config, seed), leave_site_out, sites)
    settings = settings if pretrain is None else replace(settings, pretraining=pretrain)
    with options.job(cohorts, out, device, workers, cluster, resume, clinical_rows) as job:
        train(job, settings, card, bundle)
        job.progress.say(f"Report: {job.folder.report}")
        job.progress.say(f"Model: {job.folder.bundle}, for pcr predict --model")


def _train_response(
    patients: VisitPatients, out: Path, config: str, seed: int | None, card: Path | None, *, resume: bool
) -> None:
    from ..response.config import choose_config
    from ..response.train import train_response

    with ProgressBar(console) as progress:
        train_response(patients, out, choose_config(config, seed), progress, card, resume=resume)
        progress.say(f"Report: {out / 'report.html'}")
        progress.say(f"Model: {out / 'bundle'}, for pcr follow --model")
