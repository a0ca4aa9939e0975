"""`pcr check`: a cohort's problems."""

import typer
from PCRPredictorLib.commands.options import console, print_line
from PCRPredictorLib.errors import group_problems

from ..progress import ProgressBar
from .options import CohortArgument, ConfigOption, read_config


def check(cohort: CohortArgument, config: ConfigOption = "full") -> None:
    """List every problem with the patients that have it; exit code 1 if there is any."""
    from ..cohort.check import check_cohort

    run = read_config(config)
    patients, problems = check_cohort(cohort, ProgressBar(console), run.clinical, run.grid)
    for group in group_problems(problems):
        print_line(group.describe())
    console.print(f"{patients - len(problems)} of {patients} patients can be used for training")
    raise typer.Exit(1 if problems else 0)
