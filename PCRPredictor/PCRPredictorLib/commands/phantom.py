"""`pcr phantom`: a synthetic cohort."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import print_line


def phantom(
    out: Annotated[Path, typer.Argument(help="New folder for the cohort.")],
    patients: Annotated[int, typer.Option(min=1, help="Number of patients.")],
    site: Annotated[str, typer.Option(help="Scanner: A, B or C.")] = "A",
    seed: Annotated[int, typer.Option(help="A different seed gives different patients.")] = 0,
    shortcut: Annotated[
        float, typer.Option(min=-1, max=1, help="Correlation with pCR of what the kind of shortcut names.")
    ] = 0.0,
    shortcut_kind: Annotated[
        str, typer.Option(help="background (its enhancement), noise, shading (of the coil) or fat (its suppression).")
    ] = "background",
    pcr_rate: Annotated[
        float | None, typer.Option(help="Share of responders to expect, such as 0.15; by default about a third.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Full-size exams, 448 x 448 x 120 voxels.")] = False,
) -> None:
    """Write a synthetic cohort in the MAMA-MIA layout, with every patient's true probability in its table."""
    from ..phantom.cohort import write_cohort
    from ..phantom.site import find_site

    write_cohort(out, patients, find_site(site, shortcut, shortcut_kind, pcr_rate), seed, full=full)
    print_line(f"Written to {out}")
