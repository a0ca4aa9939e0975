"""`pcr evaluate`: models on cohorts."""

from pathlib import Path
from typing import Annotated

import typer
from PCRPredictorLib.commands.options import DEFAULT_MODEL, DeviceOption, console
from PCRPredictorLib.model.bundle import find_bundle, load_bundle

from ..progress import ProgressBar
from .options import workers


def evaluate(
    cohorts: Annotated[list[Path], typer.Argument(help="Folders of cohorts that no model was trained on.")],
    out: Annotated[Path, typer.Option(help="Folder for the results.")],
    model: Annotated[list[str], typer.Option(help="Bundle folders or bundled models.")] = [DEFAULT_MODEL],  # noqa: B006
    maps: Annotated[
        bool,
        typer.Option(
            "--maps",
            help="Also measure what the maps do: deletion, insertion, other backgrounds, random weights. "
            "About a second per patient and network.",
        ),
    ] = False,
    device: DeviceOption = "cpu",
) -> None:
    """Evaluate models on cohorts: metrics with intervals, comparison, calibration, subgroups and attention."""
    from ..evaluation.evaluate import write_evaluation
    from ..run_folder import RunFolder

    bundles = [load_bundle(find_bundle(name)) for name in model]
    with workers(device) as worker, ProgressBar(console) as progress:
        write_evaluation(cohorts, bundles, out, worker.device, progress, maps=maps)
        progress.say(f"Report: {RunFolder(out).evaluation_page}")
