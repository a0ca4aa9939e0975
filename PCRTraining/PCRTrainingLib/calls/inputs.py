"""What a call names: folders of cohorts, or tables of patients at several visits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from PCRPredictorLib.errors import CallError, DataError, group_problems
from PCRPredictorLib.files.names import does_not_exist

from ..progress import Progress

if TYPE_CHECKING:
    from ..visit_tables.patients import VisitPatients

LOADING = "Loading PyTorch; then the patients are read"  # said at once: on a busy computer that takes a minute


def find_tables(paths: Sequence[Path]) -> list[Path]:
    """Return the paths if they are tables; none if they are folders of cohorts.

    Raises:
        DataError: if some are tables and some are folders, or a table does not exist.
    """
    tables = [path for path in paths if path.is_file() or (path.suffix and not path.exists())]
    if missing := [path for path in tables if not path.exists()]:
        raise DataError(does_not_exist(missing[0]))
    if tables and len(tables) < len(paths):
        folder = next(path for path in paths if path not in tables)
        raise DataError(f"give tables alone or folders alone, got {tables[0]} and {folder}")
    return tables


def find_visits(paths: Sequence[Path]) -> list[Path]:
    """Return the paths if a response model is trained on them: tables, or folders of cohorts with several visits.

    Raises:
        DataError: as `find_tables`, or if only some folders have visits.
    """
    from PCRPredictorLib.reading.cohort import visits_of

    folders = [path for path in paths if path.is_dir()]
    without = [path for path in folders if not visits_of(path)]
    if not folders or len(without) == len(folders):
        return find_tables(paths)
    if without:
        raise DataError(
            f"{without[0]}: must have several visits per patient as {folders[0]} has; give it in a run of its own"
        )
    return list(paths)


def refuse_with_tables(options: Mapping[str, object]) -> None:
    """Refuse options that are for cohorts of images.

    Args:
        options: name to whether it was given.

    Raises:
        CallError: naming the first that was.
    """
    if given := [name for name, value in options.items() if value]:
        raise CallError(f"{given[0]} is for folders of cohorts; leave it out with tables of visits")


def read_tables(files: Sequence[Path], mapping: Path | None, units: Sequence[str], progress: Progress) -> VisitPatients:
    """Return the patients of tables with visits; those of folders with visits are measured first.

    Args:
        mapping: JSON that names columns and units, None if the tables say all.
        units: of columns whose names have none.
        progress: is told the measurement of folders, and who is left out.

    Raises:
        CallError: if a unit is not known.
        DataError: if the tables cannot be read.
    """
    from ..cohort.visits import measure_cohort
    from ..visit_tables.mapping import read_table_mapping
    from ..visit_tables.patients import read_visit_tables

    columns = read_table_mapping(mapping)
    try:
        columns = columns.with_units(units)
    except DataError as error:
        raise CallError(str(error)) from None
    with TemporaryDirectory(prefix="pcr-visits-") as place:
        tables = []
        for number, file in enumerate(files):
            table = Path(place) / str(number) / f"{file.resolve().name}.csv" if file.is_dir() else file
            if file.is_dir():
                table.parent.mkdir()
                for group in group_problems(measure_cohort(file, progress, table)):
                    progress.say(f"left out: {group.describe()}")
            tables.append(table)
        return read_visit_tables(tables, columns)


def name_cohorts(cohorts: Sequence[Path]) -> dict[str, Path]:
    """Return the folders by name: that of the folder, with its number if there are two of it."""
    from ..evaluation.evaluate import cohort_names

    return dict(zip(cohort_names(cohorts), cohorts, strict=True))
