"""Cohorts made ready for training: cached grids, clinical schema and folds, made once and kept in the run folder."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.reading.cohort import find_patients
from PCRPredictorLib.writing import whole_file, write_csv, write_whole_json

from ..cohort.build import open_or_build
from ..cohort.cache import QUARANTINE, GridCache, report_left_out
from ..cohort.joined import JoinedCache, join_caches, patients_of
from ..cohort.sites import Sites, divide
from ..cohort.splits import read_splits, write_splits
from ..cohort.unlabelled import open_unlabelled
from ..config import TrainingConfig, config_to_json
from ..progress import Progress
from ..run_folder import RunFolder
from ..schema import build_schema
from ..training.folds import Prepared, Run
from ..training.foresight import foresee, sites_of
from ..training.updates import describe_lengthening, lengthen
from .clinical_rows import Owners, keep_clinical_rows, read_clinical_rows
from .job import Job
from .scaling import fit_schema, read_schema, write_schema


def foresee_run(job: Job, config: TrainingConfig, schema: ClinicalSchema | None = None) -> Prepared:
    """Return the patients of a new run with their folds before any image is read, see `foresee`.

    Args:
        schema: of a model to start from.

    Raises:
        DataError: if the cohorts or the tables with clinical rows would be refused.
    """
    data = foresee(job.cohorts, config, job.progress, schema)
    owners = owners_of(data.cache, data.sites, config)
    with TemporaryDirectory(prefix="pcr-rows-") as place:
        keep_clinical_rows([*map(str, job.clinical_rows)], Path(place) / "rows.csv", [data.schema], Progress(), owners)
    return data


def prepare(
    job: Job,
    config: TrainingConfig,
    tables: Sequence[str] = (),
    given: ClinicalSchema | None = None,
    check: Callable[[GridCache], None] = lambda _cache: None,
) -> Run:
    """Return the run of a job's cohorts; cached grids, splits and schema are made once and kept.

    Args:
        tables: paths of the tables with clinical rows of a new run.
        given: variables of a model to start from, with their scaling; None to take them from the tables.
        check: refuses or reports patients of a new run.

    Raises:
        DataError: if a cohort cannot be used or has changed since the run began.
    """
    folder = job.folder
    cache, schema = open_cohorts(job.cohorts, folder.cache, config, job.progress, given)
    sites = sites_of(cache, config, list(job.cohorts))
    _keep_quarantine(cache, folder, job.progress)

    def keep(folds: np.ndarray) -> None:
        check(cache)
        Prepared(cache, schema, folds).check(config)
        longer = lengthened(config, Prepared(cache, schema, folds), job.progress)
        write_whole_json(config_to_json(longer), folder.config)
        report_sites(sites, job.progress)
        keep_clinical_rows(tables, folder.clinical_rows, [schema], job.progress, owners_of(cache, sites, config))
        fitted = given or fit_schema(schema, cache, folder.clinical_rows, job.progress)
        write_schema(fitted, folder.schema)
        job.write_origin(config, cache)

    folds = keep_folds(folder, cache, sites, config, config.seed, keep)
    schema = read_schema(folder.schema)
    rows = read_clinical_rows(folder.clinical_rows, schema)
    data = Prepared(cache, schema, folds, rows, sites, unlabelled_of(job, config))
    return Run(folder, data, lengthen(config, data))


def lengthened(config: TrainingConfig, data: Prepared, progress: Progress) -> TrainingConfig:
    """Return the configuration with the epochs that a small cohort needs, see `lengthen`, and report it."""
    longer = lengthen(config, data)
    if sentence := describe_lengthening(config, longer):
        progress.say(sentence)
    return longer


def unlabelled_of(job: Job, config: TrainingConfig) -> tuple[GridCache, ...]:
    """Return caches of the patients without a label, if a configuration pretrains on them.

    Raises:
        DataError: if a cohort cannot be used.
    """
    folder = job.folder.cache / "unlabelled"
    return open_unlabelled(job.cohorts, folder, config.grid, job.progress) if config.pretraining else ()


def open_cohorts(
    cohorts: Mapping[str, Path],
    folder: Path,
    config: TrainingConfig,
    progress: Progress,
    schema: ClinicalSchema | None = None,
) -> tuple[GridCache, ClinicalSchema]:
    """Return one cache of all cohorts to train on, and their clinical schema.

    Args:
        cohorts: name to folder.
        folder: of the cache; of several cohorts, each has a folder inside.
        schema: of a model to start from; None to build it from the tables.

    Raises:
        DataError: if one cannot be used, or two share images.
    """
    if len(cohorts) == 1:
        ((name, path),) = cohorts.items()
        return open_cohort(path, folder, config, progress, schema, name)
    rows = [patient.row for path in cohorts.values() for patient in find_patients(path)]
    schema = schema or find_schema(config, rows, progress)
    parts = [open_cohort(path, folder / name, config, progress, schema, name=name)[0] for name, path in cohorts.items()]
    return join_caches(folder, parts, progress), schema


def open_cohort(
    cohort: Path,
    folder: Path,
    config: TrainingConfig,
    progress: Progress,
    schema: ClinicalSchema | None = None,
    name: str = "",
) -> tuple[GridCache, ClinicalSchema]:
    """Return the cohort's cache in `folder` and its clinical schema.

    Args:
        schema: of the model, for a cohort that is not trained on alone; None to build it from the table.
        name: of the cohort.
    """
    patients = find_patients(cohort, progress.say)
    if schema is None:
        schema = find_schema(config, [patient.row for patient in patients], progress)
    progress.start(f"Reading {name}" if name else "Reading the cohort", len(patients))
    return open_or_build(cohort, folder, config.grid, schema, progress, name), schema


def find_schema(config: TrainingConfig, rows: Sequence[Mapping[str, object]], progress: Progress) -> ClinicalSchema:
    """Return the clinical schema of the rows to train on, and report the variables that no row has."""
    schema, absent = build_schema(config.clinical, rows)
    if absent:
        progress.say(f"no patient has a value of {', '.join(absent)}; trained without")
    return schema


def report_sites(sites: Sites, progress: Progress) -> None:
    """Say how many patients each site has, if there are several, and what could not be used."""
    names, counts = np.unique(sites.names, return_counts=True)
    if len(names) > 1:
        progress.say("sites: " + ", ".join(f"{name or 'unknown'} {n}" for name, n in zip(names, counts, strict=True)))
    for remark in sites.remarks:
        progress.say(remark)


def owners_of(cache: GridCache, sites: Sites | None, config: TrainingConfig) -> Owners:
    """Return what decides to which cohort and site clinical rows belong."""
    return Owners(patients_of(cache), sites, config.split.kind == "sites")


def keep_folds(
    folder: RunFolder,
    cache: GridCache,
    sites: Sites,
    config: TrainingConfig,
    seed: int,
    keep: Callable[[np.ndarray], None],
) -> np.ndarray:
    """Return the folds of a run, (N,): drawn for a new one, read for one that is resumed.

    Args:
        sites: of the patients.
        seed: of the draw.
        keep: called with new folds before they are written, to check them and to write all other files first: the
            other processes wait for the folds.

    Raises:
        DataError: if the cohort cannot be divided, or the folds are of other patients.
    """
    if not folder.splits.is_file():
        column = cache.column(config.split.column)
        folds = divide(config, sites, cache.ids, cache.labels, column, seed)
        keep(folds)
        write_splits(folder.splits, cache.ids, cache.labels, folds)
    return read_splits(folder.splits, cache.ids)


def _keep_quarantine(cache: GridCache, folder: RunFolder, progress: Progress) -> None:
    report_left_out(cache, progress, f", see {folder.quarantine.name}")
    if folder.quarantine.is_file():
        return
    with whole_file(folder.quarantine) as part:
        if isinstance(cache, JoinedCache):
            write_csv(["patient_id", "reason"], map(astuple, cache.quarantine), part)
        else:
            shutil.copyfile(cache.folder / QUARANTINE, part)
