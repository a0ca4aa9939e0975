"""Make simulated cohorts, whose probability of complete response is known."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from PCRPredictorLib.errors import within_memory
from PCRPredictorLib.phantom.cohort import write_cohort, write_courses
from PCRPredictorLib.phantom.site import find_site

from .exams import Place


@within_memory()
def phantom(
    out: Place,
    patients: int = 1,
    *,
    site: str = "A",
    seed: int = 0,
    shortcut: float = 0.0,
    shortcut_kind: str = "background",
    pcr_rate: float | None = None,
    full: bool = False,
    visits: int | None = None,
    shrinkage: Literal["concentric", "pieces"] = "concentric",
) -> Path:
    """Write a simulated cohort in the MAMA-MIA layout, as `pcr phantom` does.

    Args:
        out: new or empty folder.
        patients: number of patients; the first n do not depend on it.
        site: scanner: "A", "B" or "C".
        seed: a different one gives different patients.
        shortcut, shortcut_kind: correlation with pCR, -1 to 1, of "background", "noise", "shading" or "fat".
        pcr_rate: share of responders to expect; None for about a third.
        full: exams of 448 x 448 x 120 voxels instead of small ones.
        visits: 1 to 4 under treatment; None for one exam.
        shrinkage: how tumours shrink from visit to visit.

    Returns:
        The folder. Its table has the label and each patient's true probability.

    Raises:
        DataError: if a value is not possible, or the folder is in use or cannot be written.

    Example:
        cohort = breastpcr.phantom("hospital-A", 16)
    """
    folder, scanner = Path(out), find_site(site, shortcut, shortcut_kind, pcr_rate)
    if visits is None:
        write_cohort(folder, patients, scanner, seed, full)
    else:
        write_courses(folder, patients, scanner, seed, full, visits, shrinkage)
    return folder
