"""`pcr check`: the problems of cohorts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer
from PCRPredictorLib.commands.options import console, print_line
from PCRPredictorLib.errors import group_problems

from ..calls.inputs import find_tables
from ..calls.train import read_config
from ..progress import ProgressBar
from . import options
from .options import ConfigOption

if TYPE_CHECKING:
    from ..visit_tables.patients import VisitPatients


def check(
    cohorts: options.CohortsOrTablesArgument,
    config: ConfigOption = "full",
    mapping: options.MappingOption = None,
    unit: options.UnitOption = [],  # noqa: B006
) -> None:
    """List every problem with the patients that have it, also images in two cohorts; exit code 1 if there is any."""
    if tables := find_tables(cohorts):
        raise typer.Exit(_check_tables(options.read_tables(tables, mapping, unit)))
    from ..cohort.check import check_cohort
    from ..cohort.visits import check_visits

    run, seen, found = read_config(config), dict[str, str](), 0
    for cohort in cohorts:
        name, before = cohort.resolve().name, set(seen)
        with ProgressBar(console) as progress:
            patients, problems = check_cohort(cohort, progress, run.clinical, run.grid, seen)
        found += len(problems)
        for group in group_problems(problems):
            print_line(group.describe())
        of = f" of {name}" if len(cohorts) > 1 else ""
        console.print(f"{patients - len(problems)} of {patients} patients{of} can be used for training")
        with ProgressBar(console) as progress:
            later = check_visits(cohort, progress)
        found += len(later)
        for group in group_problems(later):
            print_line(group.describe())
        seen |= {mark: f"{seen[mark]} of {name}" for mark in seen.keys() - before}
    raise typer.Exit(1 if found else 0)


def _check_tables(patients: VisitPatients) -> int:
    """Print what tables with visits hold; return 1 if there is a problem."""
    from ..visit_tables.describe import describe_patients

    for line in describe_patients(patients):
        print_line(line)
    return 1 if patients.problems else 0
