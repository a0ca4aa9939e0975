"""Baselines against the curriculum, with ablations, seeds and external cohorts: the table of the paper.

cache/<cohort>/    every cohort on the model grid
seed_<s>/          a run folder with every step and baseline, see `run`
and the files of `experiment_table`

Arrays are (N,) of a cohort's patients unless said otherwise.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.predictor import library_versions

from ..cohort.cache import GridCache, training_marks
from ..cohort.splits import assign_folds, read_splits, write_splits
from ..config import Step, TrainingConfig, config_to_json
from ..evaluation.baselines import BASELINES, Baseline, fit_logistic
from ..evaluation.evaluate import (
    check_classes,
    cohort_names,
    refuse_patients,
    shared_patients,
)
from ..history import CONFIG, SCHEMA, SPLITS, read_started
from ..progress import Progress
from ..statistics.operating import calibrate, choose_operating_points, cross_fitted, fit_calibration
from ..training.folds import Prepared, load_ensemble, out_of_fold, prediction_files, train_fold
from ..training.inference import score_ensemble
from ..training.workers import Worker, restarted
from .table import INSIDE, ROWS, Finding, Findings, tabulate, write_table
from .train import (
    RUN,
    Rows,
    keep_clinical_rows,
    locked,
    open_cohort,
    read_clinical_rows,
    start_run,
    write_whole_json,
)


def experiment_config(config: TrainingConfig) -> TrainingConfig:
    """The configuration with every step that the rows need; the curriculum's own steps are kept.

    Raises:
        DataError: if the curriculum is not step1, step2, step3.
    """
    if [step.name for step in config.steps] != ["step1", "step2", "step3"]:
        raise DataError("an experiment needs the steps step1, step2, step3; keep their names in the configuration")
    first, second, third = config.steps
    epochs = first.epochs + second.epochs
    image = replace(first, name="single_image", epochs=epochs)
    multimodal = replace(first, name="single_multimodal", epochs=epochs + third.epochs, clinical=True)
    plain_second = replace(second, name="step2_noswap", swap=False)
    plain_third = replace(third, name="step3_noswap", after="step2_noswap", swap=False)
    return replace(config, steps=(image, multimodal, first, plain_second, plain_third, second, third))


def run_experiment(
    cohort: Path,
    externals: Sequence[Path],
    out: Path,
    config: TrainingConfig,
    seeds: Sequence[int],
    worker: Worker,
    progress: Progress,
    *,
    resume: bool = False,
    clinical_rows: Path | None = None,
) -> None:
    """Train every row with every seed and write the table.

    Args:
        config, seeds, clinical_rows: of a new experiment; a resumed one keeps its own.

    Raises:
        DataError: if a cohort cannot be used, an external one shares patients with the training one, or the folder
            cannot be written; what was done until then is kept.
    """
    started = time.time()
    names, wanted = [INSIDE, *cohort_names(externals)], experiment_config(config)
    table = str(clinical_rows.resolve()) if clinical_rows else None
    asked: dict[str, Any] = {"seeds": list(seeds), "clinical_rows": table}
    with locked(out, worker):
        if worker.first:
            config, asked = start_run(out, "experiment", config, resume or restarted(), asked)
        else:
            worker.wait_for([out / RUN])
            config, asked = read_started(out, "experiment", asked)
        seeds, wanted = asked["seeds"], experiment_config(config)
        caches, schema = open_cohorts(cohort, externals, out, config, progress)
        rows = open_clinical_rows(asked["clinical_rows"], out, schema, caches[1:], externals, progress)
        runs = {seed: prepare_seed(seed, caches[0], schema, wanted, out, rows) for seed in seeds}
        if not (out / RUN).is_file():  # last: other processes wait for it
            write_whole_json({"cohort": str(cohort.resolve()), "versions": library_versions()}, out / RUN)
        tasks = [(seed, k) for seed in seeds for k in runs[seed][0].numbers]
        worker.share(partial(_train_task, runs, out), tasks, sum(step.epochs for step in wanted.steps), progress)
        if worker.first:
            for seed, (data, settings) in runs.items():
                worker.wait_for(prediction_files(data, settings, out / f"seed_{seed}"))
            findings = collect(runs, caches, names, out, worker.device, progress)
            by_name, data = dict(zip(names, caches, strict=True)), runs[seeds[0]][0]
            title = cohort.resolve().name
            result = tabulate(title, findings, data, by_name, seeds) | {
                "title": f"{title}: baselines against the stepwise curriculum",
                "config": config_to_json(config),
                "seconds": round(time.time() - started, 1),
                "versions": library_versions(),
            }
            write_table(result, findings, data, by_name, out)


def open_cohorts(
    cohort: Path, externals: Sequence[Path], out: Path, config: TrainingConfig, progress: Progress
) -> tuple[list[GridCache], ClinicalSchema]:
    """The training cohort and the external ones on the grid.

    Raises:
        DataError: if one cannot be used, or shares patients with the training one.
    """
    cache, schema = open_cohort(cohort, out / "cache" / "training", config, progress)
    names = cohort_names(externals)
    others = [
        open_cohort(path, out / "cache" / name, config, progress, schema)[0]
        for name, path in zip(names, externals, strict=True)
    ]
    images, patients = training_marks(cache)
    for path, other in zip(externals, others, strict=True):
        check_classes(other, path)
        refuse_patients(shared_patients(other, images, patients), path)
    return [cache, *others], schema


def open_clinical_rows(
    table: str | None,
    out: Path,
    schema: ClinicalSchema,
    others: Sequence[GridCache],
    externals: Sequence[Path],
    progress: Progress,
) -> Rows:
    """The rows without images of an experiment, none of them of a patient of an external cohort.

    Args:
        table: path of the table that the experiment was begun with.
        others: the external cohorts.
        externals: their folders.

    Raises:
        DataError: if the table cannot be used, or an external cohort that came later has patients of it.
    """
    if not (out / RUN).is_file():
        outside = {name.lower() for cache in others for name in cache.ids}
        keep_clinical_rows(table, out, [schema], progress, outside)
    rows = read_clinical_rows(out, schema)
    for path, cache in zip(externals, others, strict=True):
        refuse_patients([name for name in cache.ids if name.lower() in rows], path)
    return rows


def prepare_seed(
    seed: int,
    cache: GridCache,
    schema: ClinicalSchema,
    config: TrainingConfig,
    out: Path,
    rows: Rows,
) -> tuple[Prepared, TrainingConfig]:
    """The run of one seed: its own weights, and its own folds; a part that is held out once is the same for all."""
    split_seed = config.seed if config.split.kind == "holdout" else seed
    config, folder = replace(config, seed=seed), out / f"seed_{seed}"
    if not (folder / SPLITS).is_file():
        folder.mkdir(parents=True, exist_ok=True)
        folds = assign_folds(config.split, cache.ids, cache.labels, cache.column(config.split.column), split_seed)
        Prepared(cache, schema, folds, {}).check(config)
        write_whole_json(config_to_json(config), folder / CONFIG)
        write_whole_json(schema.to_json(), folder / SCHEMA)
        write_splits(folder / SPLITS, cache.ids, cache.labels, folds)  # last: other processes wait for it
    return Prepared(cache, schema, read_splits(folder / SPLITS, cache.ids), rows), config


def _train_task(
    runs: Mapping[int, tuple[Prepared, TrainingConfig]],
    out: Path,
    task: tuple[int, int],
    device: str,
    progress: Progress,
) -> None:
    """One fold of one seed."""
    seed, number = task
    data, config = runs[seed]
    train_fold(number, device, progress, data=data, config=config, out=out / f"seed_{seed}")


def collect(
    runs: Mapping[int, tuple[Prepared, TrainingConfig]],
    caches: Sequence[GridCache],
    names: Sequence[str],
    out: Path,
    device: str,
    progress: Progress,
) -> Findings:
    """Out-of-fold and external predictions of every row and seed."""
    findings: Findings = {row.name: {name: [] for name in names} for row in (*BASELINES, *ROWS)}
    progress.start("Evaluating", len(runs) * len(ROWS))
    for seed, (data, config) in runs.items():
        for baseline in BASELINES:
            found = run_baseline(baseline, data, caches[1:])
            for name, finding in zip(names, found, strict=True):
                findings[baseline.name][name].append(finding)
        steps = {step.name: step for step in config.steps}
        for row in ROWS:
            folder = out / f"seed_{seed}"
            found = run_step(steps[row.step], config, data, folder, caches[1:], device)
            for name, finding in zip(names, found, strict=True):
                findings[row.name][name].append(finding)
            progress.advance(row.name)
    return findings


def run_step(
    step: Step, config: TrainingConfig, data: Prepared, folder: Path, externals: Sequence[GridCache], device: str
) -> list[Finding]:
    """A trained step out of fold, then its fold ensemble on each external cohort."""
    index, scores = out_of_fold(data, step, folder)
    label = data.cache.labels[index]
    shown = "attention" if step.attention else "Grad-CAM"
    found = [Finding(scores.logit, *cross_fitted(scores.logit, label, data.folds[index]), scores, shown)]
    calibration = fit_calibration(scores.logit, label)
    threshold = choose_operating_points(calibrate(scores.logit, calibration), label)[0].threshold
    networks = load_ensemble(step, config, data, folder)
    for cache in externals:
        clinical = cache.encode(data.schema)
        probability, outside = score_ensemble(networks, cache, clinical, calibration, config.flips, device)
        found.append(Finding(outside.logit, probability, probability >= threshold, probability, outside, shown))
    return found


def run_baseline(baseline: Baseline, data: Prepared, externals: Sequence[GridCache]) -> list[Finding]:
    """A logistic regression a fold: out of fold, then the mean of the folds on each external cohort."""
    cache, index = data.cache, np.flatnonzero(data.folds >= 0)
    asked = data.schema.asked_columns
    features = baseline.features(cache, cache.encode(data.schema).numpy()[:, asked])
    outside = [baseline.features(other, other.encode(data.schema).numpy()[:, asked]) for other in externals]
    more = [(vector[asked], label) for vector, label in data.more]
    logit = np.zeros(len(cache))
    external_logits: list[list[np.ndarray]] = [[] for _ in externals]
    for k in data.numbers:
        train = data.folds != k
        rows, labels = features[train], cache.labels[train]
        if baseline.clinical and not baseline.kinetics and more:
            rows = np.concatenate([rows, np.stack([vector for vector, _ in more])])
            labels = np.concatenate([labels, [label for _, label in more]])
        model = fit_logistic(rows, labels)
        logit[data.folds == k] = model.decision_function(features[data.folds == k])
        for store, values in zip(external_logits, outside, strict=True):
            store.append(model.decision_function(values))
    label = cache.labels[index]
    found = [Finding(logit[index], *cross_fitted(logit[index], label, data.folds[index]))]
    calibration = fit_calibration(logit[index], label)
    threshold = choose_operating_points(calibrate(logit[index], calibration), label)[0].threshold
    for store in external_logits:
        probability = np.mean([calibrate(values, calibration) for values in store], 0)
        found.append(Finding(np.mean(store, 0), probability, probability >= threshold, probability))
    return found
