"""`pcr check`: a cohort's problems."""

import typer
from PCRPredictorLib.commands.options import console
from rich.table import Table

from ..progress import ProgressBar
from .options import CohortArgument, ConfigOption, read_config


def check(cohort: CohortArgument, config: ConfigOption = "full") -> None:
    """List every problem with the patient that has it; exit code 1 if there is any."""
    from ..cohort.check import check_cohort

    patients, problems = check_cohort(cohort, ProgressBar(console), read_config(config).clinical)
    table = Table("patient", "problem", box=None, padding=(0, 2, 0, 0))
    for problem in problems:
        table.add_row(problem.patient_id, problem.reason)
    if problems:
        console.print(table)
    console.print(f"{patients - len(problems)} of {patients} patients can be used for training")
    raise typer.Exit(1 if problems else 0)
