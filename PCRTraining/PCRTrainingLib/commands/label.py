"""`pcr label`: a patient's label, entered by hand."""

import getpass
from typing import Annotated

import typer
from PCRPredictorLib.commands.options import print_line

from .options import CohortArgument


def label(
    cohort: CohortArgument,
    patient: Annotated[str | None, typer.Argument(help="Identifier; without it, labels are listed.")] = None,
    answer: Annotated[str | None, typer.Argument(help="pCR: yes, no or unknown.")] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take the last entry back.")] = False,
    who: Annotated[str | None, typer.Option(help="Name to record; default: the user's.")] = None,
) -> None:
    """Enter whether a patient had pCR; it is kept beside the table and counts instead of it."""
    from ..cohort.labels import describe_labels, enter_label, undo_label

    if undo and patient is not None:
        raise typer.BadParameter("give a patient and an answer, or --undo")
    if patient is not None and answer is None:
        raise typer.BadParameter("give an answer for the patient: yes, no or unknown")
    if undo:
        print_line(undo_label(cohort).describe())
    elif patient is not None and answer is not None:
        print_line(enter_label(cohort, patient, answer, who or getpass.getuser()).describe())
        print_line(f"kept beside the table; take it back with pcr label {cohort} --undo")
    else:
        for line in describe_labels(cohort):
            print_line(line)
