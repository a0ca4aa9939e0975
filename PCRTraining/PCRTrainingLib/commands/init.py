"""`pcr init`: a description of a folder as people keep it."""

from pathlib import Path
from typing import Annotated

import typer
from PCRPredictorLib.commands.options import print_line, working


def init(
    folder: Annotated[
        Path,
        typer.Argument(
            help="Folder with images, masks and a table, as they are; or a table of patients at several visits."
        ),
    ],
    force: Annotated[bool, typer.Option("--force", help="Replace the description that is there.")] = False,
) -> None:
    """Look at a folder and write a cohort.json that describes it; pcr check comes next.

    Of a table with visits, write a JSON beside it that says what its columns are, for --mapping.
    """
    if folder.is_file():
        _init_table(folder, force)
        return
    from ..intake.describe import init_cohort

    with working("looking at the folder"):
        found = init_cohort(folder, force)
    for heading, lines in (("", found.taken), ("missing: ", found.missing), ("could not be told: ", found.doubts)):
        for line in lines:
            print_line(f"{heading}{line}")
    print_line(f"Written to {folder / 'cohort.json'}; look through it, then: pcr check {folder}")
    raise typer.Exit(0 if found.is_whole else 1)


def _init_table(table: Path, force: bool) -> None:
    from ..visit_tables.describe import init_table

    written, doubts = init_table(table, force=force)
    for doubt in doubts:
        print_line(f"could not be told: {doubt}")
    print_line(f"Written to {written}; look through it, then: pcr check {table} --mapping {written}")
