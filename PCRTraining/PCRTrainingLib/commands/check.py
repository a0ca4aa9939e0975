"""`pcr check`: the problems of cohorts."""

import typer
from PCRPredictorLib.commands.options import console, print_line
from PCRPredictorLib.errors import group_problems

from ..progress import ProgressBar
from .options import CohortsArgument, ConfigOption, read_config


def check(cohorts: CohortsArgument, config: ConfigOption = "full") -> None:
    """List every problem with the patients that have it, also images in two cohorts; exit code 1 if there is any."""
    from ..cohort.check import check_cohort
    from ..cohort.visits import check_visits

    run, seen, found = read_config(config), dict[str, str](), 0
    for cohort in cohorts:
        name, before = cohort.resolve().name, set(seen)
        patients, problems = check_cohort(cohort, ProgressBar(console), run.clinical, run.grid, seen)
        found += len(problems)
        for group in group_problems(problems):
            print_line(group.describe())
        of = f" of {name}" if len(cohorts) > 1 else ""
        console.print(f"{patients - len(problems)} of {patients} patients{of} can be used for training")
        later = check_visits(cohort, ProgressBar(console))
        found += len(later)
        for group in group_problems(later):
            print_line(group.describe())
        seen |= {mark: f"{seen[mark]} of {name}" for mark in seen.keys() - before}
    raise typer.Exit(1 if found else 0)
