"""Baselines against the curriculum, with ablations, seeds and external cohorts.

The cache holds every cohort on the model grid, and each seed has a run folder with every step; see `table`, too.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.reading.identifiers import number_key
from PCRPredictorLib.writing import write_whole_json

from ..cohort.cache import GridCache, training_hashes
from ..cohort.check import identifier_hashes
from ..cohort.promised import promised_patients
from ..cohort.shared import refuse_shared
from ..cohort.sites import Sites
from ..config import Step, TrainingConfig, config_to_json
from ..evaluation.baselines import BASELINES, baseline_outcomes
from ..evaluation.evaluate import check_classes, cohort_names
from ..progress import Progress
from ..run_folder import RunFolder
from ..statistics.operating import Outcome
from ..training.folds import ClinicalRow, Prepared, Run
from ..training.foresight import sites_of
from ..training.updates import describe_lengthening, lengthen
from .bundles import write_site_models
from .clinical_rows import keep_clinical_rows, read_clinical_rows
from .control import control_steps
from .job import Job
from .preparation import foresee_run, keep_folds, open_cohort, open_cohorts, owners_of, report_sites, unlabelled_of
from .scaling import fit_schema, read_schema, write_schema
from .table import BASELINE_ROW, INSIDE, ROWS, Outcomes, Row, tabulate, write_table


def experiment_config(config: TrainingConfig, without: Collection[str] = ()) -> TrainingConfig:
    """Return the configuration with every step that the rows need, those of the curriculum unchanged.

    Args:
        without: names of rows of networks that are left out.

    Raises:
        DataError: if the curriculum is not step1, step2, step3, or has no fair control; or a row cannot be left out.
    """
    if [step.name for step in config.steps] != ["step1", "step2", "step3"]:
        raise DataError("the steps of an experiment must be step1, step2, step3; keep their names in the configuration")
    first, second, third = config.steps
    image, control = control_steps(config.steps)
    multimodal = replace(first, name="single_multimodal", epochs=image.epochs + third.epochs, clinical=True)
    plain_second = replace(second, name="step2_noswap", swap=False)
    plain_third = replace(third, name="step3_noswap", after="step2_noswap", swap=False)
    steps = (image, multimodal, control, first, plain_second, plain_third, second, third)
    return replace(config, steps=_needed(steps, {row.step for row in _rows(without)}))


def _rows(without: Collection[str]) -> list[Row]:
    """Return the rows of networks that are trained."""
    can = [row.name for row in ROWS if row.name not in (BASELINE_ROW, ROWS[-1].name)]
    if unknown := sorted(set(without) - set(can)):
        raise DataError(f"the row {unknown[0]!r} cannot be left out of an experiment; choose among {'; '.join(can)}")
    return [row for row in ROWS if row.name not in without]


def _needed(steps: Sequence[Step], wanted: Collection[str]) -> tuple[Step, ...]:
    """Return the steps with these names, and those that they start from."""
    by_name, names = {step.name: step for step in steps}, set(wanted)
    while more := {str(by_name[name].after) for name in names if by_name[name].after} - names:
        names |= more
    return tuple(step for step in steps if step.name in names)


def run_experiment(
    job: Job,
    config: TrainingConfig,
    seeds: Sequence[int],
    externals: Sequence[Path],
    without: Sequence[str] = (),
) -> None:
    """Train every row with every seed and write the table.

    Args:
        config, seeds, without: of a new experiment; see `experiment_config`.
        externals: folders of cohorts of other hospitals.

    Raises:
        DataError: if a cohort cannot be used, an external one shares patients with the training ones, or the folder
            cannot be written; what was done until then is kept.
    """
    wanted = experiment_config(config, without)
    elsewhere = dict(zip(cohort_names(externals), externals, strict=True))
    if job.is_new:
        _foresee(job, wanted, seeds, elsewhere)
    asked = {"seeds": list(seeds), "without": list(without)}
    with job.hold("experiment", config, asked) as (config, options):
        caches, schema = open_all_cohorts(job, elsewhere, config)
        wanted, folder, training = experiment_config(config, options["without"]), job.folder, caches[INSIDE]
        sites = sites_of(training, config, list(job.cohorts))
        schema, rows = open_clinical_rows(job, options["clinical_rows"], schema, elsewhere, caches, sites, config)
        data = Prepared(training, schema, np.array([]), rows, sites, unlabelled_of(job, config))
        runs = [prepare_seed(seed, folder, wanted, data, sites) for seed in options["seeds"]]
        if not folder.origin.is_file():
            report_sites(sites, job.progress)
            if longer := describe_lengthening(wanted, runs[0].config):
                job.progress.say(longer)
            job.write_origin(config, training)
        job.train_tasks([task for run in runs for task in run.tasks()])
        outcomes = collect(runs, caches, job.own_device, job.progress, _rows(options["without"]))
        data = runs[0].data
        result = tabulate(job.title, outcomes, data, caches, options["seeds"], job.progress) | {
            "title": f"{job.title}: baselines against the stepwise curriculum",
            "without": options["without"],
            "config": config_to_json(config),
            **job.time_and_versions(),
        }
        write_table(result, outcomes, data, caches, folder)
        if config.split.kind == "sites":
            write_site_models(job, runs, {})


def _foresee(job: Job, config: TrainingConfig, seeds: Sequence[int], externals: Mapping[str, Path]) -> None:
    """Refuse what any seed or external cohort would be refused for, before an image is read.

    Args:
        externals: name to folder.

    Raises:
        DataError: see `foresee_run`, `check_classes` and `refuse_shared`.
    """
    data = [foresee_run(job, replace(config, seed=seed)) for seed in seeds][-1]
    _, patients = training_hashes(data.cache)
    for name, path in externals.items():
        promised = promised_patients({name: path}, data.schema, config.grid)
        check_classes(promised, path)
        refuse_shared(promised, path, patients=patients)


def open_all_cohorts(
    job: Job, externals: Mapping[str, Path], config: TrainingConfig
) -> tuple[dict[str, GridCache], ClinicalSchema]:
    """Return the training cohorts, named `INSIDE`, and the external ones on the grid, and the clinical schema.

    Args:
        externals: name to folder.

    Raises:
        DataError: if one cannot be used, or shares patients with the training ones.
    """
    folder = job.folder.cache
    training, schema = open_cohorts(job.cohorts, folder / "training", config, job.progress)
    images, patients = training_hashes(training)
    caches = {INSIDE: training}
    for name, path in externals.items():
        caches[name], _ = open_cohort(path, folder / name, config, job.progress, schema, name)
    for name, path in externals.items():
        check_classes(caches[name], path)
        refuse_shared(caches[name], path, images, patients)
    return caches, schema


def open_clinical_rows(
    job: Job,
    tables: Sequence[str],
    schema: ClinicalSchema,
    externals: Mapping[str, Path],
    caches: Mapping[str, GridCache],
    sites: Sites,
    config: TrainingConfig,
) -> tuple[ClinicalSchema, list[ClinicalRow]]:
    """Return the schema, scaled to the patients, and the clinical rows, without those of patients of external cohorts.

    Args:
        schema: as it is before it is scaled.
        tables: paths of the tables that the experiment was begun with.
        externals: name to folder.
        caches: of all cohorts.
        sites: of the training patients.

    Raises:
        DataError: if a table cannot be used, or an external cohort that was added later has patients of it.
    """
    file = job.folder.clinical_rows
    if not job.folder.origin.is_file():
        outside = {number_key(patient) for name in externals for patient in caches[name].ids}
        owners = owners_of(caches[INSIDE], sites, config)
        keep_clinical_rows(tables, file, [schema], job.progress, owners, outside)
        write_schema(fit_schema(schema, caches[INSIDE], file, job.progress), job.folder.schema)
    schema = read_schema(job.folder.schema) if job.folder.schema.is_file() else schema  # of an older version: unscaled
    rows = read_clinical_rows(file, schema)
    marks = [mark for row in rows for mark in identifier_hashes(row.patient_id)]
    for name, path in externals.items():
        refuse_shared(caches[name], path, patients=marks)
    return schema, rows


def prepare_seed(seed: int, experiment: RunFolder, config: TrainingConfig, data: Prepared, sites: Sites) -> Run:
    """Return the run of one seed: its own weights and folds, but a part held out once is the same for all.

    Args:
        data: of the experiment, without folds.
    """
    split_seed = config.seed if config.split.kind == "holdout" else seed
    config, folder = replace(config, seed=seed), experiment.seed(seed)
    folder.path.mkdir(parents=True, exist_ok=True)

    def keep(folds: np.ndarray) -> None:
        replace(data, folds=folds).check(config)
        write_whole_json(config_to_json(lengthen(config, replace(data, folds=folds))), folder.config)
        write_schema(data.schema, folder.schema)

    folds = keep_folds(folder, data.cache, sites, config, split_seed, keep)
    data = replace(data, folds=folds)
    return Run(folder, data, lengthen(config, data))


def collect(
    runs: Sequence[Run],
    caches: Mapping[str, GridCache],
    device: str,
    progress: Progress,
    rows: Sequence[Row] = ROWS,
) -> Outcomes:
    """Return the outcomes of the baselines and of rows on every cohort, one per seed."""
    found: Outcomes = {
        name: {cohort: [] for cohort in caches} for name in [*(b.name for b in BASELINES), *(row.name for row in rows)]
    }
    _, *externals = caches.values()

    def add(row: str, outcomes: Sequence[Outcome]) -> None:
        for name, outcome in zip(caches, outcomes, strict=True):
            found[row][name].append(outcome)

    progress.start("Evaluating", len(runs) * len(rows))
    for run in runs:
        for baseline in BASELINES:
            add(baseline.name, baseline_outcomes(baseline, run.data, externals))
        steps = {step.name: step for step in run.config.steps}
        for row in rows:
            add(row.name, run.outcomes(steps[row.step], externals, device))
            progress.advance(row.name)
    return found
