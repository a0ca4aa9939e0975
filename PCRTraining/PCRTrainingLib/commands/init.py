"""`pcr init`: a description of a folder as people keep it."""

from pathlib import Path
from typing import Annotated

import typer
from PCRPredictorLib.commands.options import print_line


def init(
    folder: Annotated[Path, typer.Argument(help="Folder with images, masks and a table, as they are.")],
    force: Annotated[bool, typer.Option("--force", help="Replace the cohort.json that is there.")] = False,
) -> None:
    """Look at a folder and write a cohort.json that describes it; pcr check comes next."""
    from ..intake.describe import init_cohort

    found = init_cohort(folder, force)
    for heading, lines in (("", found.taken), ("missing: ", found.missing), ("could not be told: ", found.doubts)):
        for line in lines:
            print_line(f"{heading}{line}")
    print_line(f"Written to {folder / 'cohort.json'}; look through it, then: pcr check {folder}")
    raise typer.Exit(0 if found.is_whole else 1)
