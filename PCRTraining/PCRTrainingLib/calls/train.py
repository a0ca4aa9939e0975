"""A training run as a call asks for it: on cohorts of images, or on tables of patients at several visits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from PCRPredictorLib.errors import CallError
from PCRPredictorLib.model.bundle import find_bundle, load_bundle

from ..progress import Progress
from ..run_folder import RunFolder
from .inputs import LOADING, find_visits, name_cohorts, read_tables, refuse_with_tables

if TYPE_CHECKING:
    from ..config import TrainingConfig
    from ..runs.job import Job


@dataclass(frozen=True)
class Place:
    """Where the work is done.

    Args:
        device: "cpu" or "cuda".
        workers: processes at once; None for one per CPU core, or per GPU.
        cluster: address of a Dask scheduler, or file with the settings of a cluster; None for this machine.
    """

    device: str = "cpu"
    workers: int | None = None
    cluster: str | None = None


@dataclass(frozen=True)
class Wanted:
    """What is wanted of a run, as the options of `pcr train` say it.

    Args:
        config: "quick", "full", or a JSON file with any part of a run's `config.json`.
        resume: go on with a run that was stopped.
        seed: instead of the configuration's.
        pretrain: epochs of self-supervised training, instead of the configuration's.
        clinical_rows: tables with labels of more patients, for the fit of the clinical branch.
        leave_site_out: leave out one site at a time.
        sites: column that names the sites of a cohort; one per cohort.
        start: bundle, or name of a bundled model, whose networks are trained further.
        card: JSON with texts of the model card.
        mapping: of tables, JSON that names columns and units.
        units: of a table's columns whose names have none.
        place: where the work is done.
        keep_anyway: make a bundle also of a model whose attention is at chance.
    """

    config: str = "full"
    resume: bool = False
    seed: int | None = None
    pretrain: int | None = None
    clinical_rows: tuple[Path, ...] = ()
    leave_site_out: bool = False
    sites: tuple[str, ...] = ()
    start: str | None = None
    card: Path | None = None
    mapping: Path | None = None
    units: tuple[str, ...] = ()
    place: Place = field(default_factory=Place)
    keep_anyway: bool = False


@dataclass(frozen=True)
class Trained:
    """A run that has ended.

    Args:
        folder: of the run.
        kind: of its model: "image" for `pcr predict`, "response" for `pcr follow`.
        refused: why no bundle was made of it, a sentence; "" if there is one.
    """

    folder: RunFolder
    kind: Literal["image", "response"]
    refused: str = ""


def train_on(paths: Sequence[Path], out: Path, wanted: Wanted, progress: Progress) -> Trained:
    """Train the curriculum on cohorts, or a response model on tables or cohorts with visits, into a run folder.

    Args:
        paths: folders of cohorts, or tables.
        out: run folder; new, or one to be resumed.
        progress: is told what is done.

    Raises:
        CallError: if options do not go together.
        DataError: if the cohorts or the folder cannot be used; what was done until then is kept.
    """
    if tables := find_visits(paths):
        return _train_response(tables, out, wanted, progress)
    RunFolder(out).refuse_begun(resume=wanted.resume)
    progress.say(LOADING)
    from ..runs.train import train

    if wanted.start is not None and wanted.clinical_rows:
        raise CallError("--clinical-rows fit a clinical branch anew; with --from it is the bundle's")
    bundle = load_bundle(find_bundle(wanted.start)) if wanted.start is not None else None
    settings = divide_by_site(read_config(wanted.config, wanted.seed), wanted.leave_site_out, wanted.sites)
    if wanted.pretrain is not None:
        settings = replace(settings, pretraining=wanted.pretrain)
    with open_job(paths, out, wanted.place, progress, wanted.resume, wanted.clinical_rows) as job:
        refused = train(replace(job, keep_anyway=wanted.keep_anyway), settings, wanted.card, bundle)
    return Trained(RunFolder(out), "image", refused)


def _train_response(tables: Sequence[Path], out: Path, wanted: Wanted, progress: Progress) -> Trained:
    from ..response.config import choose_config
    from ..response.train import train_response

    only = {"--pretrain": wanted.pretrain is not None, "--clinical-rows": wanted.clinical_rows, "--from": wanted.start}
    refuse_with_tables({**only, "--leave-site-out": wanted.leave_site_out, "--sites": wanted.sites})
    patients = read_tables(tables, wanted.mapping, wanted.units, progress)
    config = choose_config(wanted.config, wanted.seed)
    train_response(patients, out, config, progress, wanted.card, resume=wanted.resume)
    return Trained(RunFolder(out), "response")


@contextmanager
def open_job(
    cohorts: Sequence[Path],
    out: Path,
    place: Place,
    progress: Progress,
    resume: bool = False,
    clinical_rows: Sequence[Path] = (),
) -> Iterator[Job]:
    """Yield the job of train, select or experiment; torch is loaded here, and not before.

    Raises:
        DataError: if the device is missing, or the cluster cannot be used.
    """
    RunFolder(out).refuse_begun(resume=resume)
    from ..runs.job import Job
    from ..training.sharing import open_training

    named = name_cohorts(cohorts)
    with open_training(place.device, place.workers, place.cluster, progress.say) as engine:
        yield Job(named, RunFolder(out), engine, progress, place.device, resume, tuple(clinical_rows))


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
