"""Options that the subcommands for cohorts share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from PCRPredictorLib.commands.options import console

from ..calls import inputs
from ..calls.train import Place, open_job
from ..progress import ProgressBar

if TYPE_CHECKING:
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
KeepAnywayOption = Annotated[
    bool, typer.Option("--keep-anyway", help="Make a bundle also of a model whose attention is at chance.")
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


def read_tables(files: Sequence[Path], mapping: Path | None, unit: Sequence[str]) -> VisitPatients:
    """Return the patients of tables with visits, see `calls.inputs.read_tables`; a bar shows what is measured.

    Raises:
        DataError: if they cannot be read.
    """
    return inputs.read_tables(files, mapping, unit, ProgressBar(console))


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
    """Yield the job of select or experiment, with a bar; torch is loaded here, and not before."""
    with (
        ProgressBar(console) as progress,
        open_job(cohorts, out, Place(device, workers, cluster), progress, resume, clinical_rows) as job,
    ):
        yield job


def as_words(option: str, values: Sequence[object]) -> list[object]:
    """Return an option with its values as words of a command line; nothing without values."""
    return [option, *values] if values else []
