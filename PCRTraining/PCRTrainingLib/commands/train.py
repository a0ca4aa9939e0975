"""`pcr train`: the curriculum on one cohort or several, or a response model on tables with visits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from PCRPredictorLib.commands.options import DeviceOption, console, print_line

from ..calls.train import Place, Wanted, train_on
from ..progress import ProgressBar
from . import options
from .endings import end_without_model, print_end


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
    keep_anyway: options.KeepAnywayOption = False,
    device: DeviceOption = "cpu",
    workers: options.WorkersOption = None,
    cluster: options.ClusterOption = None,
) -> None:
    """Train the curriculum on cohorts: global, attention, clinical. Leaves OUT/bundle.

    With tables of patients at several visits instead of folders, train a response model, for pcr follow.
    """
    wanted = Wanted(
        config,
        resume,
        seed,
        pretrain,
        tuple(clinical_rows),
        leave_site_out,
        tuple(sites),
        start,
        card,
        mapping,
        tuple(unit),
        Place(device, workers, cluster),
        keep_anyway,
    )
    with ProgressBar(console) as progress:
        trained = train_on(cohorts, out, wanted, progress)
    if trained.refused:
        end_without_model(trained.folder, trained.refused)
    print_line(f"Model: {trained.folder.bundle}")
    if trained.kind == "image":
        following = ("See where it looks", ["view", *cohorts, "--model", trained.folder.bundle])
    else:
        following = ("What it is", ["bundle", "info", trained.folder.bundle])
    print_end(trained.folder, following)
