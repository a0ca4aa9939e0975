"""Options that the subcommands for cohorts share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from PCRPredictorLib.commands.options import console

from ..progress import ProgressBar

if TYPE_CHECKING:
    from ..config import TrainingConfig
    from ..runs.job import Job
    from ..training.workers import Worker

CohortsArgument = Annotated[
    list[Path],
    typer.Argument(help="Folders of cohorts, of which one run is made: MAMA-MIA layout, or with cohort.json."),
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
ProcessesOption = Annotated[
    int | None,
    typer.Option(min=1, help="Folds trained at once; default: one per CPU core, one on a GPU. Ignored under torchrun."),
]


@contextmanager
def workers(device: str, processes: int | None = None) -> Iterator[Worker]:
    """Yield this process among those of the run; torch is loaded here, and not before."""
    from ..training.workers import workers

    with workers(device, processes) as worker:
        yield worker


@contextmanager
def job(
    cohorts: Sequence[Path],
    out: Path,
    device: str,
    processes: int | None,
    resume: bool,
    clinical_rows: Sequence[Path],
) -> Iterator[Job]:
    """Yield the job of train, select or experiment, with a bar in the first process."""
    from ..run_folder import RunFolder
    from ..runs.job import Job

    named = name_cohorts(cohorts)
    with workers(device, processes) as worker, ProgressBar(console, quiet=not worker.first) as progress:
        yield Job(named, RunFolder(out), worker, progress, resume, tuple(clinical_rows))


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
