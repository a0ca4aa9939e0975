"""`pcr phantom`: a synthetic cohort."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import print_line

_LINES = 10  # of progress, with a terminal and without one


def phantom(
    out: Annotated[Path, typer.Argument(help="New folder for the cohort.")],
    patients: Annotated[int, typer.Option(min=1, help="Number of patients.")] = 1,
    site: Annotated[str, typer.Option(help="Scanner: A, B or C.")] = "A",
    seed: Annotated[int, typer.Option(min=0, help="A different seed gives different patients.")] = 0,
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
    visits: Annotated[
        int | None, typer.Option(min=1, max=4, help="Visits under treatment: 3 for T0, T1 and T2. Default: one exam.")
    ] = None,
    shrinkage: Annotated[
        str, typer.Option(help="How tumours shrink from visit to visit: concentric, or in pieces (pieces).")
    ] = "concentric",
) -> None:
    """Write a synthetic cohort in the MAMA-MIA layout, with every patient's true probability in its table.

    With --visits, visits_truth.csv has the true measurements of each visit.
    """
    from ..phantom.cohort import write_cohort, write_courses
    from ..phantom.site import find_site

    scanner = find_site(site, shortcut, shortcut_kind, pcr_rate)

    def see(written: int) -> None:
        if patients > 1 and written * _LINES // patients > (written - 1) * _LINES // patients:
            print_line(f"{written} of {patients} patients")

    if visits is None:
        write_cohort(out, patients, scanner, seed, full, see)
    else:
        write_courses(out, patients, scanner, seed, full, visits, shrinkage, see)  # type: ignore[arg-type]
    print_line(f"Written to {out}")
