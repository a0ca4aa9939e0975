"""The whole command `pcr`: prediction's commands and what training adds. No logic here."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from PCRPredictorLib.bundle import find_bundle, load_bundle
from PCRPredictorLib.command_line import DEFAULT_MODEL, ModelOption, app, console, load_predictor, run, show_result


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the exam and the results.")] = Path("pcr-demo"),
    model: ModelOption = DEFAULT_MODEL,
    seed: Annotated[int, typer.Option(help="Which phantom patient.")] = 1,
) -> None:
    """Make a full-size phantom exam and predict it with the bundled model."""
    from .demo import write_demo

    prediction = write_demo(out, load_predictor(load_bundle(find_bundle(model))), seed, report=console.print)
    show_result(prediction, out)


@app.command()
def phantom(
    out: Annotated[Path, typer.Argument(help="New folder for the cohort.")],
    patients: Annotated[int, typer.Option(min=1, help="How many.")],
    site: Annotated[str, typer.Option(help="Which scanner: A, B or C.")] = "A",
    seed: Annotated[int, typer.Option(help="Another seed gives other patients.")] = 0,
    shortcut: Annotated[float, typer.Option(min=-1, max=1, help="Background enhancement that goes with pCR.")] = 0.0,
    full: Annotated[bool, typer.Option("--full", help="Full-size exams, 448 x 448 x 120 voxels.")] = False,
) -> None:
    """Write a synthetic cohort in the MAMA-MIA layout, with every patient's true probability in its table."""
    from .phantom import find_site, write_cohort

    write_cohort(out, patients, find_site(site, shortcut), seed, full=full)
    console.print(f"Written to {out}", soft_wrap=True)


def main() -> None:
    """Entry point of `pcr`."""
    sys.exit(run(app))


if __name__ == "__main__":
    main()
