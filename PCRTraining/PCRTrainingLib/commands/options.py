"""Options that the subcommands for cohorts share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer
from PCRPredictorLib.commands.options import console, print_line
from PCRPredictorLib.errors import DataError, group_problems

from ..progress import ProgressBar

if TYPE_CHECKING:
    from ..config import TrainingConfig
    from ..runs.job import Job
    from ..visit_tables.patients import VisitPatients

CohortsArgument = Annotated[
    list[Path],
    typer.Argument(help="Folders of cohorts, of which one run is made: MAMA-MIA layout, or with cohort.json."),
]
CohortsOrTablesArgument = Annotated[
    list[Path],
    typer.Argument(
        help="Folders of cohorts, of which one run is made: MAMA-MIA layout, or with cohort.json. Or tables of "
        "patients at several visits, joined by patient, for a response model."
    ),
]
MappingOption = Annotated[
    Path | None, typer.Option(help="For tables: JSON that names columns and units; pcr init TABLE writes one.")
]
UnitOption = Annotated[
    list[str],
    typer.Option(help="For tables: unit of columns whose names have none: mm or cm, ml or mm3, percent or fraction."),
]
CohortArgument = Annotated[Path, typer.Argument(help="Folder of a cohort: MAMA-MIA layout, or with a cohort.json.")]
ConfigOption = Annotated[str, typer.Option(help="quick, full, or a JSON file with any part of a run's config.json.")]
ResumeOption = Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")]
ClinicalRowsOption = Annotated[
    list[Path],
    typer.Option(
        help="Table with labels of more patients, for the fit of the clinical branch. Tables of one cohort are joined."
    ),
]
LeaveSiteOutOption = Annotated[bool, typer.Option("--leave-site-out", help="Leave out one site at a time.")]
SitesOption = Annotated[
    list[str],
    typer.Option(
        help="Column that names the sites of a cohort; one per cohort, in their order. cohort: it is one site."
    ),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        "--workers",
        "--processes",
        min=1,
        help="Processes that work at once, or of a cluster, how many to start; default: one per CPU core, or per GPU.",
    ),
]
ClusterOption = Annotated[
    str | None,
    typer.Option(help="Dask cluster to work on: the address of its scheduler, or a JSON file that starts one."),
]


def find_tables(paths: Sequence[Path]) -> list[Path]:
    """Return the paths if they are tables; none if they are folders of cohorts.

    Raises:
        DataError: if some are tables and some are folders, or a table does not exist.
    """
    tables = [path for path in paths if path.is_file() or (path.suffix and not path.exists())]
    if missing := [path for path in tables if not path.exists()]:
        raise DataError(f"{missing[0]}: no such file or folder; check the path")
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
        typer.BadParameter: naming the first that was.
    """
    if given := [name for name, value in options.items() if value]:
        raise typer.BadParameter(f"{given[0]} is for folders of cohorts; leave it out with tables of visits")


def read_tables(files: Sequence[Path], mapping: Path | None, unit: Sequence[str]) -> VisitPatients:
    """Return the patients of tables with visits; those of folders with visits are measured first.

    Raises:
        DataError: if they cannot be read.
    """
    from ..cohort.visits import measure_cohort
    from ..visit_tables.mapping import read_table_mapping
    from ..visit_tables.patients import read_visit_tables

    columns = read_table_mapping(mapping)
    try:
        columns = columns.with_units(unit)
    except DataError as error:
        raise typer.BadParameter(str(error)) from None
    with TemporaryDirectory(prefix="pcr-visits-") as place:
        tables = []
        for number, file in enumerate(files):
            table = Path(place) / str(number) / f"{file.resolve().name}.csv" if file.is_dir() else file
            if file.is_dir():
                table.parent.mkdir()
                for group in group_problems(measure_cohort(file, ProgressBar(console), table)):
                    print_line(f"left out: {group.describe()}")
            tables.append(table)
        return read_visit_tables(tables, columns)


@contextmanager
def job(
    cohorts: Sequence[Path],
    out: Path,
    device: str,
    workers: int | None,
    cluster: str | None,
    resume: bool,
    clinical_rows: Sequence[Path],
) -> Iterator[Job]:
    """Yield the job of train, select or experiment, with a bar; torch is loaded here, and not before."""
    from ..run_folder import RunFolder
    from ..runs.job import Job
    from ..training.sharing import open_training

    named = name_cohorts(cohorts)
    with ProgressBar(console) as progress, open_training(device, workers, cluster, progress.say) as engine:
        yield Job(named, RunFolder(out), engine, progress, device, resume, tuple(clinical_rows))


def name_cohorts(cohorts: Sequence[Path]) -> dict[str, Path]:
    """Return the folders by name: that of the folder, with its number if there are two of it."""
    from ..evaluation.evaluate import cohort_names

    return dict(zip(cohort_names(cohorts), cohorts, strict=True))


def divide_by_site(config: TrainingConfig, leave_site_out: bool, sites: Sequence[str]) -> TrainingConfig:
    """Return the configuration with the sites that the options name, left out one at a time if asked for."""
    if leave_site_out:
        config = replace(config, split=replace(config.split, kind="sites"))
    return replace(config, sites=tuple(sites)) if sites else config


def read_config(name: str, seed: int | None = None) -> TrainingConfig:
    """Return the configuration, with a different seed if one is given.

    Raises:
        DataError: if it cannot be read.
    """
    from ..config import read_config

    config = read_config(name)
    return config if seed is None else replace(config, seed=seed)
