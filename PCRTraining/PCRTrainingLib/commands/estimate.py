"""`pcr estimate`: time and memory of a run."""

import os
from pathlib import Path

import typer
from PCRPredictorLib.commands.options import console, print_line, working

from ..calls.inputs import find_visits, name_cohorts
from ..calls.train import divide_by_site, read_config
from . import options


def estimate(
    cohorts: options.CohortsOrTablesArgument,
    config: options.ConfigOption = "full",
    leave_site_out: options.LeaveSiteOutOption = False,
    sites: options.SitesOption = [],  # noqa: B006
    processes: options.WorkersOption = None,
) -> None:
    """Estimate time and memory of a training run on this machine, from a few batches of each step."""
    if tables := find_visits(cohorts):
        seconds = _estimate_response([path for path in tables if path.is_file()], config)
        console.print(f"about {max(seconds / 60, 1):.0f} min of training, less than 1 GB of memory")
        return
    from ..training.estimate import estimate_cohorts

    settings = divide_by_site(read_config(config), leave_site_out, sites)
    with working("timing a few batches"):
        found = estimate_cohorts(name_cohorts(cohorts), settings, processes or os.cpu_count() or 1)
    for line in found.describe():
        print_line(line)


def _estimate_response(tables: list[Path], config: str) -> float:
    """Return the seconds of a run on tables, from one fit; that of a cohort's exams is not in it."""
    from ..response.config import choose_config
    from ..response.train import estimate_seconds

    if not tables:
        raise typer.BadParameter("give tables; how long exams take to be measured is not estimated")
    return estimate_seconds(options.read_tables(tables, None, []), choose_config(config))
