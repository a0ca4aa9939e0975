"""Baselines against the curriculum, with ablations, seeds and external cohorts: the table of the paper.

The cache holds every cohort on the model grid, and each seed has a run folder with every step; see `table`, too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.reading.identifiers import number_key
from PCRPredictorLib.writing import write_whole_json

from ..cohort.cache import GridCache, training_hashes
from ..cohort.check import identifier_hashes
from ..config import TrainingConfig, config_to_json
from ..evaluation.baselines import BASELINES, baseline_outcomes
from ..evaluation.evaluate import check_classes, cohort_names, refuse_shared
from ..progress import Progress
from ..run_folder import RunFolder
from ..statistics.operating import Outcome
from ..training.folds import Prepared, Run
from .control import control_steps
from .job import Job
from .preparation import Rows, keep_clinical_rows, keep_folds, open_cohort, read_clinical_rows
from .scaling import fit_schema, read_cells, read_schema, write_schema
from .table import INSIDE, ROWS, Outcomes, tabulate, write_table


def experiment_config(config: TrainingConfig) -> TrainingConfig:
    """Return the configuration with every step that the rows need, those of the curriculum unchanged.

    Raises:
        DataError: if the curriculum is not step1, step2, step3, or has no fair control.
    """
    if [step.name for step in config.steps] != ["step1", "step2", "step3"]:
        raise DataError("the steps of an experiment must be step1, step2, step3; keep their names in the configuration")
    first, second, third = config.steps
    image, control = control_steps(config.steps)
    multimodal = replace(first, name="single_multimodal", epochs=image.epochs + third.epochs, clinical=True)
    plain_second = replace(second, name="step2_noswap", swap=False)
    plain_third = replace(third, name="step3_noswap", after="step2_noswap", swap=False)
    return replace(config, steps=(image, multimodal, control, first, plain_second, plain_third, second, third))


def run_experiment(job: Job, config: TrainingConfig, seeds: Sequence[int], externals: Sequence[Path]) -> None:
    """Train every row with every seed and write the table.

    Args:
        config, seeds: of a new experiment.
        externals: folders of cohorts of other hospitals.

    Raises:
        DataError: if a cohort cannot be used, an external one shares patients with the training one, or the folder
            cannot be written; what was done until then is kept.
    """
    experiment_config(config)
    with job.hold("experiment", config, job.folder.origin, {"seeds": list(seeds)}) as (config, options):
        sites = dict(zip(cohort_names(externals), externals, strict=True))
        caches, schema = open_cohorts(job, sites, config)
        schema, rows = open_clinical_rows(job, options["clinical_rows"], schema, sites, caches)
        wanted, folder, training = experiment_config(config), job.folder, caches[INSIDE]
        runs = [prepare_seed(seed, folder, wanted, training, schema, rows) for seed in options["seeds"]]
        if not folder.origin.is_file():  # last: other processes wait for it
            job.write_origin()
        job.train_tasks([task for run in runs for task in run.tasks()])
        if job.worker.first:
            outcomes = collect(runs, caches, job.worker.device, job.progress)
            title, data = job.cohort.resolve().name, runs[0].data
            result = tabulate(title, outcomes, data, caches, options["seeds"]) | {
                "title": f"{title}: baselines against the stepwise curriculum",
                "config": config_to_json(config),
                **job.time_and_versions(),
            }
            write_table(result, outcomes, data, caches, folder)


def open_cohorts(
    job: Job, externals: Mapping[str, Path], config: TrainingConfig
) -> tuple[dict[str, GridCache], ClinicalSchema]:
    """Return the training cohort, named `INSIDE`, and the external ones on the grid, and the clinical schema.

    Args:
        externals: name to folder.

    Raises:
        DataError: if one cannot be used, or shares patients with the training one.
    """
    folder = job.folder.cache
    training, schema = open_cohort(job.cohort, folder / "training", config, job.progress)
    images, patients = training_hashes(training)
    caches = {INSIDE: training}
    for name, path in externals.items():
        caches[name], _ = open_cohort(path, folder / name, config, job.progress, schema)
    for name, path in externals.items():
        check_classes(caches[name], path)
        refuse_shared(caches[name], path, images, patients)
    return caches, schema


def open_clinical_rows(
    job: Job,
    table: str | None,
    schema: ClinicalSchema,
    externals: Mapping[str, Path],
    caches: Mapping[str, GridCache],
) -> tuple[ClinicalSchema, Rows]:
    """Return the schema, scaled to the patients, and the clinical rows, without those of patients of external cohorts.

    Args:
        schema: as it is before it is scaled.
        table: path of the table that the experiment was begun with.
        externals: name to folder.
        caches: of all cohorts.

    Raises:
        DataError: if the table cannot be used, or an external cohort that was added later has patients of it.
    """
    file = job.folder.clinical_rows
    if not job.folder.origin.is_file():
        outside = {number_key(patient) for name in externals for patient in caches[name].ids}
        keep_clinical_rows(table, file, [schema], job.progress, outside)
        write_schema(fit_schema(schema, caches[INSIDE], file, job.progress), job.folder.schema)
    schema = read_schema(job.folder.schema) if job.folder.schema.is_file() else schema  # of an older version: unscaled
    rows = read_clinical_rows(file, schema)
    for name, path in externals.items():
        refuse_shared(caches[name], path, patients=[mark for patient in rows for mark in identifier_hashes(patient)])
    return schema, rows


def prepare_seed(
    seed: int, experiment: RunFolder, config: TrainingConfig, cache: GridCache, schema: ClinicalSchema, rows: Rows
) -> Run:
    """Return the run of one seed: its own weights and folds, but a part held out once is the same for all."""
    split_seed = config.seed if config.split.kind == "holdout" else seed
    config, folder = replace(config, seed=seed), experiment.seed(seed)
    folder.path.mkdir(parents=True, exist_ok=True)

    def keep(folds: np.ndarray) -> None:
        Prepared(cache, schema, folds, {}).check(config)
        write_whole_json(config_to_json(config), folder.config)
        write_schema(schema, folder.schema)

    folds = keep_folds(folder, cache, config, split_seed, keep)
    return Run(folder, Prepared(cache, schema, folds, rows, read_cells(experiment.clinical_rows)), config)


def collect(runs: Sequence[Run], caches: Mapping[str, GridCache], device: str, progress: Progress) -> Outcomes:
    """Return the outcomes of every row on every cohort, one per seed."""
    found: Outcomes = {row.name: {name: [] for name in caches} for row in (*BASELINES, *ROWS)}
    _, *externals = caches.values()

    def add(row: str, outcomes: Sequence[Outcome]) -> None:
        for name, outcome in zip(caches, outcomes, strict=True):
            found[row][name].append(outcome)

    progress.start("Evaluating", len(runs) * len(ROWS))
    for run in runs:
        for baseline in BASELINES:
            add(baseline.name, baseline_outcomes(baseline, run.data, externals))
        steps = {step.name: step for step in run.config.steps}
        for row in ROWS:
            add(row.name, run.outcomes(steps[row.step], externals, device))
            progress.advance(row.name)
    return found
