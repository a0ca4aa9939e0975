"""The table of a whole archive, `predictions.csv`, in the order of the cohort."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ..errors import DataError
from ..writing import write_whole_csv
from .journal import JOURNAL, Entry, Journal
from .rows import COHORT_COLUMNS, EFFECTS, LESION, TERM

TABLE = "predictions.csv"


def write_table(journal: Journal, patients: Sequence[str], path: Path) -> None:
    """Write the rows of patients, in their order, whole or not at all; few are in memory at a time.

    The column `lesion` is there if a patient has several tumours, `EFFECTS` if there were interventions. The terms of
    the evidence are after all others.

    Raises:
        DataError: if the table cannot be written.
    """
    names: dict[str, None] = {}
    for entry in entries(journal, patients):
        names |= dict.fromkeys(name for row in entry.rows for name in row)
    first, *rest = COHORT_COLUMNS
    more = [name for name in (LESION, *EFFECTS) if name in names]
    columns = (first, *more, *rest, *(name for name in names if name.startswith(TERM)))
    rows = (row for entry in entries(journal, patients) for row in entry.rows)
    write_whole_csv(columns, ([row.get(column, "") for column in columns] for row in rows), path)


def entries(journal: Journal, patients: Iterable[str]) -> Iterator[Entry]:
    """Yield the entries of patients in their order."""
    return (entry for patient in patients if (entry := journal.read(patient)) is not None)


def check_folder(out: Path, *, resume: bool) -> None:
    """Refuse results that would be replaced without being asked, before anything is read.

    Args:
        out: folder of the results.
        resume: go on with those that are there.

    Raises:
        DataError: saying what to do.
    """
    journal, table = out / JOURNAL, out / TABLE
    if resume and table.exists() and not journal.exists():
        raise DataError(
            f"{out}: has a {TABLE} without {JOURNAL}, so that nobody knows what it was made from; choose a different "
            "folder"
        )
    if not resume and (journal.exists() or table.exists()):
        raise DataError(f"{out}: holds predictions already; go on with --resume, or choose a different folder")
