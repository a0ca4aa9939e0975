"""`pcr bundle recalibrate`: a model for the patients of another hospital."""

from pathlib import Path
from typing import Annotated, Literal

import typer
from PCRPredictorLib.commands.bundle import ModelArgument, OfModel, bundle
from PCRPredictorLib.commands.options import DeviceOption, console, print_line
from PCRPredictorLib.model.bundle import find_bundle, load_bundle

from ..progress import ProgressBar


@bundle.command(cls=OfModel)
def recalibrate(
    model: ModelArgument,
    cohort: Annotated[Path, typer.Argument(help="Folder of a cohort that the model was not trained on.")],
    out: Annotated[Path, typer.Option(help="Folder of the new bundle.")],
    name: Annotated[str | None, typer.Option(help="Of the new model; default: the old one's and the cohort's.")] = None,
    points: Annotated[
        Literal["promised", "rechosen"],
        typer.Option(help="Operating points keep the rate that they promise, or are chosen anew."),
    ] = "promised",
    device: DeviceOption = "cpu",
) -> None:
    """Adapt a model to about 30 local patients or more: offset and slope of its log-odds, and operating points."""
    from ..adaptation.recalibrate import recalibrate
    from ..training.sharing import prepare_device

    adapted = load_bundle(find_bundle(model))
    with ProgressBar(console) as progress:
        lines = recalibrate(adapted, cohort, out, name, points, prepare_device(device), progress)
    for line in lines:
        print_line(line)
    print_line(f"Written to {out}, for pcr predict --model; the patients of {cohort.name} are refused in pcr evaluate")
