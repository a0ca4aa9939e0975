"""What `train`, `evaluate`, `select` and `experiment` end with: a short table, the report, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from PCRPredictorLib.commands.interrupts import as_command
from PCRPredictorLib.commands.options import print_line
from PCRPredictorLib.errors import DataError

from ..run_folder import RunFolder


def print_end(run: RunFolder, *following: tuple[str, Sequence[object]]) -> None:
    """Print the results of a run in a few rows, the path of its report, and commands that run as they are printed.

    Args:
        following: what each command is for, and its words after `pcr`.
    """
    from ..ends.summary import summarise  # loads torch, which the work has loaded before

    for table in summarise(run):
        for line in lay_out([table.head, *table.rows]):
            print_line(line)
    print_line(f"Report: {run.report}")
    for what, words in following:
        print_line(f"{what}: {as_command([str(word) for word in words])}")


def end_without_model(run: RunFolder, reason: str) -> NoReturn:
    """Print the results of a run of which no bundle was made.

    Raises:
        DataError: always, with the reason.
    """
    print_end(run)
    raise DataError(reason)


def lay_out(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a line per row, with the cells of a column below each other; a terminal may be narrower."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def unused(path: Path) -> Path:
    """Return the path, or one with a number behind it if there is something of that name."""
    numbered = (path.with_name(f"{path.name}-{k}") for k in range(2, 1000))
    return path if not path.exists() else next((each for each in numbered if not each.exists()), path)
