"""Baselines against the curriculum, with ablations, seeds and external cohorts: the table of the paper.

cache/<cohort>/    every cohort on the model grid
seed_<s>/          a run folder with every step and baseline, see `run`
predictions.csv    what every row said of every patient, every seed
experiment.json, experiment.html, experiment.md

Arrays are (N,) of a cohort's patients unless said otherwise.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.predictor import library_versions
from PCRPredictorLib.writing import whole_file

from .baselines import BASELINES, Baseline, fit_logistic
from .cache import GridCache, training_marks
from .config import Step, TrainingConfig, config_to_json
from .distributed import Worker, restarted
from .evaluation import (
    Outcome,
    auc_interval,
    check_classes,
    cohort_names,
    compare,
    finite,
    refuse_patients,
    shared_patients,
)
from .evaluation_report import experiment_markdown, render_experiment
from .folds import Prepared, load_ensemble, out_of_fold, prediction_files, train_fold
from .history import CONFIG, SCHEMA, SPLITS, read_started
from .inference import Scores, score_ensemble
from .metrics import auc, brier, rates, sensitivity_at
from .operating import calibrate, choose_operating_points, cross_fitted, fit_calibration
from .progress import Progress
from .run import (
    RUN,
    Rows,
    keep_clinical_rows,
    locked,
    open_cohort,
    read_clinical_rows,
    start_run,
    write_whole_json,
)
from .splits import assign_folds, read_splits, write_splits

INSIDE = "out of fold"  # the training cohort's own column
BASELINE_ROW = "single stage, multimodal"  # that the others are measured against
COMPARED = (
    ("step 3", BASELINE_ROW),
    ("step 3", "clinical"),
    ("step 3", "kinetics + clinical"),
    ("step 3", "step 3, no swap"),
    ("step 2", "single stage, image"),
)


@dataclass(frozen=True)
class Row:
    """A row of the table: a step of the runs, with a name for people."""

    name: str
    what: str
    step: str


ROWS = (
    Row("single stage, image", "one stage, no guidance, image only; as long as steps 1 and 2", "single_image"),
    Row(BASELINE_ROW, "one stage, no guidance, image and clinical; as long as the three steps", "single_multimodal"),
    Row("step 1", "global image patterns", "step1"),
    Row("step 2, no swap", "attention held to the tumour", "step2_noswap"),
    Row("step 3, no swap", "step 2 without swap, and clinical variables", "step3_noswap"),
    Row("step 2", "attention held to the tumour, backgrounds swapped", "step2"),
    Row("step 3", "step 2, and clinical variables", "step3"),
)


@dataclass(frozen=True, eq=False)
class Finding:
    """What a row said of a cohort with one seed; arrays are (N,) of the cohort's patients."""

    logit: np.ndarray
    probability: np.ndarray
    decision: np.ndarray
    order: np.ndarray  # by which they are ranked
    scores: Scores | None = None
    map_name: str | None = None


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


Findings = dict[str, dict[str, list[Finding]]]  # row, cohort, one a seed


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


def tabulate(
    name: str, findings: Findings, data: Prepared, caches: Mapping[str, GridCache], seeds: Sequence[int]
) -> dict[str, object]:
    """The table as plain values, see `evaluation_report.render_experiment`."""
    described: dict[str, dict[str, object]] = {name: {} for name in findings}
    comparisons: list[dict[str, object]] = []
    cohorts: list[dict[str, object]] = []
    for cohort, cache in caches.items():
        inside = cohort == INSIDE
        index = np.flatnonzero(data.folds >= 0) if inside else np.arange(len(cache))
        label, truth = cache.labels[index], cache.true_probability
        best = None if truth is None else auc_interval(truth[index], label).value
        cohorts.append(
            {
                "name": cohort,
                "role": INSIDE if inside else "external",
                "patients": len(index),
                "positives": int(label.sum()),
                "best_possible_auc": best,
            }
        )
        baseline = findings[BASELINE_ROW][cohort]
        for row, found in findings.items():
            described[row][cohort] = describe_row(found[cohort], baseline, label, best)
        comparisons += [{"cohort": cohort, **pair} for pair in compare_rows(findings, cohort, label)]
    what = {row.name: row.what for row in (*BASELINES, *ROWS)}
    return {
        "kind": "experiment",
        "seeds": list(seeds),
        "training": {
            "name": name,
            "patients": len(data.cache),
            "positives": int(data.cache.labels.sum()),
            "left_out": len(data.cache.quarantine),
            "folds": len(data.numbers),
        },
        "cohorts": cohorts,
        "rows": [{"name": row, "what": what[row], "cohorts": described[row]} for row in findings],
        "comparisons": comparisons,
    }


def describe_row(
    found: Sequence[Finding], baseline: Sequence[Finding], label: np.ndarray, best: float | None
) -> dict[str, object]:
    """One row on one cohort; rates are means over the seeds, the interval is that of the mean prediction."""
    mean = np.mean([finding.order for finding in found], 0)
    per_seed = [auc(finding.order, label) for finding in found]
    decided = [rates(finding.decision, label) for finding in found]
    levels = [rates(finding.decision, label).specificity for finding in baseline]
    matched = [sensitivity_at(f.order, label, level) for f, level in zip(found, levels, strict=True)]
    base = float(np.mean([auc(finding.order, label) for finding in baseline]))
    scores = [finding.scores for finding in found if finding.scores is not None]
    gap = None if best is None or best <= base else (float(np.mean(per_seed)) - base) / (best - base)
    return {
        "auc": auc_interval(mean, label).to_json(),
        "auc_per_seed": per_seed,
        "sensitivity": finite(float(np.mean([r.sensitivity for r in decided]))),
        "specificity": finite(float(np.mean([r.specificity for r in decided]))),
        "sensitivity_at_baseline_specificity": float(np.mean(matched)),
        "brier": float(np.mean([brier(finding.probability, label) for finding in found])),
        "attention_in_tumour": float(np.mean([s.in_tumour.mean() for s in scores])) if scores else None,
        "pointing_game": float(np.mean([s.peak_in_tumour.mean() for s in scores])) if scores else None,
        "attention_map": found[0].map_name,
        "gap_closed": gap,
    }


def compare_rows(findings: Findings, cohort: str, label: np.ndarray) -> list[dict[str, object]]:
    """The curriculum against what it has to beat, on predictions averaged over the seeds."""
    means = {row: _mean_outcome(row, found[cohort]) for row, found in findings.items()}
    found = [compare(means[one], means[other], label) for one, other in COMPARED]
    keys = ("model", "other", "auc_difference", "p", "sensitivity_difference")
    return [{key: pair[key] for key in keys} for pair in found]


def _mean_outcome(row: str, found: Sequence[Finding]) -> Outcome:
    probability = np.mean([finding.probability for finding in found], 0)
    decision = np.mean([finding.decision for finding in found], 0) > 0.5
    return Outcome(row, probability, decision, order=np.mean([finding.order for finding in found], 0))


def write_table(result: dict, findings: Findings, data: Prepared, caches: Mapping[str, GridCache], out: Path) -> None:
    """`predictions.csv`, `experiment.json`, `experiment.html` and `experiment.md`."""
    with whole_file(out / "predictions.csv") as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "cohort", "seed", "patient_id", "label", "logit", "probability", "decision"])
        for row, by_cohort in findings.items():
            for cohort, found in by_cohort.items():
                index = np.flatnonzero(data.folds >= 0) if cohort == INSIDE else np.arange(len(caches[cohort]))
                ids, labels = np.array(caches[cohort].ids)[index], caches[cohort].labels[index]
                for seed, finding in zip(result["seeds"], found, strict=True):
                    values = (ids, labels, finding.logit, finding.probability, finding.decision.astype(int))
                    for name, label, logit, probability, decision in zip(*values, strict=True):
                        writer.writerow(
                            [row, cohort, seed, name, label, f"{logit:.6f}", f"{probability:.6f}", decision]
                        )
    write_whole_json(result, out / "experiment.json")
    for name, text in (("experiment.html", render_experiment(result)), ("experiment.md", experiment_markdown(result))):
        with whole_file(out / name) as part:
            part.write_text(text, encoding="utf-8")
