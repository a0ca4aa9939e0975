"""`pcr evaluate`: models on cohorts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from PCRPredictorLib.commands.options import DEFAULT_MODEL, DeviceOption, console, print_line

from ..calls.evaluate import evaluate_on
from ..calls.train import Place
from ..progress import ProgressBar
from . import options
from .endings import print_end


def evaluate(
    cohorts: Annotated[
        list[Path],
        typer.Argument(
            help="Folders of cohorts that no model was trained on; for response models, tables of patients at several "
            "visits, joined by patient."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the results.")],
    model: Annotated[
        list[str],
        typer.Option(help=f"Bundle folders or bundled models; default: {DEFAULT_MODEL}, for tables response."),
    ] = [],  # noqa: B006
    maps: Annotated[
        bool,
        typer.Option(
            "--maps",
            help="Also measure what the maps do: deletion, insertion, other backgrounds, random weights. "
            "About a second per patient and network.",
        ),
    ] = False,
    leave_out_known: Annotated[
        bool,
        typer.Option(
            "--leave-out-known", help="Leave out patients that a model was trained on, and evaluate the others."
        ),
    ] = False,
    mapping: options.MappingOption = None,
    unit: options.UnitOption = [],  # noqa: B006
    device: DeviceOption = "cpu",
    workers: options.WorkersOption = None,
    cluster: options.ClusterOption = None,
) -> None:
    """Evaluate models on cohorts: metrics with intervals, comparison, calibration, subgroups and attention.

    With tables of patients at several visits, evaluate response models after each visit.
    """
    place = Place(device, workers, cluster)
    with ProgressBar(console) as progress:
        wanted = {"maps": maps, "leave_out_known": leave_out_known}
        folder = evaluate_on(cohorts, out, model, place, progress, **wanted, mapping=mapping, units=unit)
    print_line(f"Per patient: {folder.predictions}")
    print_end(folder, *_next(cohorts, model))


def _next(cohorts: list[Path], model: list[str]) -> list[tuple[str, list[object]]]:
    """Return what can be done after an evaluation on cohorts of images: look at the patients."""
    if not all(cohort.is_dir() for cohort in cohorts):
        return []
    return [("Look at single patients", ["view", *cohorts, "--model", model[0] if model else DEFAULT_MODEL])]
