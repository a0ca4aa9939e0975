"""`pcr evaluate`: models on cohorts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from PCRPredictorLib.commands.options import DEFAULT_MODEL, DeviceOption, console
from PCRPredictorLib.model.bundle import find_bundle, load_bundle

from ..progress import ProgressBar
from . import options

if TYPE_CHECKING:
    from ..visit_tables.patients import VisitPatients


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
    mapping: options.MappingOption = None,
    unit: options.UnitOption = [],  # noqa: B006
    device: DeviceOption = "cpu",
    workers: options.WorkersOption = None,
    cluster: options.ClusterOption = None,
) -> None:
    """Evaluate models on cohorts: metrics with intervals, comparison, calibration, subgroups and attention.

    With tables of patients at several visits, evaluate response models after each visit.
    """
    if tables := options.find_visits(cohorts):
        options.refuse_with_tables({"--maps": maps})
        _evaluate_response(options.read_tables(tables, mapping, unit), model, out)
        return
    from ..evaluation.evaluate import write_evaluation
    from ..run_folder import RunFolder
    from ..training.sharing import open_training

    bundles = [load_bundle(find_bundle(name)) for name in model or [DEFAULT_MODEL]]
    with ProgressBar(console) as progress, open_training(device, workers, cluster, progress.say) as engine:
        write_evaluation(cohorts, bundles, out, device, progress, engine, maps=maps)
        progress.say(f"Report: {RunFolder(out).evaluation_page}")


def _evaluate_response(patients: VisitPatients, model: list[str], out: Path) -> None:
    from PCRPredictorLib.response.bundle import DEFAULT, find_response, load_response

    from ..response.evaluate import evaluate_tables
    from ..run_folder import RunFolder

    models = [load_response(find_response(name)) for name in model or [DEFAULT]]
    with ProgressBar(console) as progress:
        evaluate_tables(patients, models, out, progress)
        progress.say(f"Report: {RunFolder(out).evaluation_page}")
