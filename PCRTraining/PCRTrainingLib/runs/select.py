"""Nested cross-validation: configurations compared inside each fold's training patients, the choice tested outside.

candidates.csv         every configuration in every outer fold: AUC and attention inside the tumour, of the inner folds
outer_k/<name>/fold_j  inner folds of the patients that outer fold k trains on
chosen/fold_k          the chosen configuration on all of them; what it says of fold k is the honest result
selection.json         the choices, and the nested result

A configuration that looks at the tumour too little is not chosen, whatever its AUC, unless none looks there enough.

Source: Varma and Simon, BMC Bioinformatics 2006, why a choice must not be tested on the patients that made it.
"""

from __future__ import annotations

import csv
import json
import shutil
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.predictor import library_versions
from PCRPredictorLib.writing import whole_file, whole_folder

from ..cohort.splits import EXCLUDED, assign_folds, read_splits, write_splits
from ..config import SplitConfig, TrainingConfig, config_to_json, parse_config
from ..evaluation.baselines import BASELINES, Baseline
from ..evaluation.evaluate import auc_interval
from ..history import SCHEMA, SPLITS, read_started
from ..progress import Progress
from ..statistics.metrics import auc, delong
from ..statistics.operating import cross_fitted
from ..training.folds import Prepared, out_of_fold, prediction_files, train_fold
from ..training.workers import Worker, restarted
from .experiment import run_baseline
from .train import keep_clinical_rows, locked, open_cohort, read_clinical_rows, start_run, write_whole_json

CANDIDATES, SELECTION = "candidates.csv", "selection.json"


@dataclass(frozen=True)
class Run:
    """A configuration on patients of its folds, into a folder."""

    data: Prepared
    config: TrainingConfig
    out: Path


@dataclass(frozen=True)
class Task:
    """One fold of several configurations, one after the other."""

    number: int
    runs: Sequence[Run]


@dataclass(frozen=True)
class Candidate:
    """What a configuration reached in the inner folds of one outer fold."""

    outer: int
    name: str
    auc: float
    attention: float


def select(
    cohort: Path,
    configs: Mapping[str, TrainingConfig],
    out: Path,
    worker: Worker,
    progress: Progress,
    *,
    inner: int = 4,
    least_attention: float = 0.6,
    resume: bool = False,
    clinical_rows: Path | None = None,
) -> None:
    """Compare configurations by nested cross-validation.

    Args:
        configs: by name; all must read the same grid and split alike.
        inner: folds of the patients that an outer fold trains on.
        least_attention: share inside the tumour that a configuration must reach to be chosen, where any does.
        resume: go on with a selection that was stopped; it keeps all of these and its clinical rows.

    Raises:
        DataError: if the configurations differ in grid or split, the cohort cannot be used, or nothing can be written.
    """
    started, first = time.time(), next(iter(configs.values()))
    if any((c.grid, c.split, c.seed) != (first.grid, first.split, first.seed) for c in configs.values()):
        raise DataError("the configurations must have the same grid, split and seed; make them alike")
    with locked(out, worker):
        table = str(clinical_rows.resolve()) if clinical_rows else None
        asked: dict[str, Any] = {"inner": inner, "least_attention": least_attention, "clinical_rows": table}
        asked |= {"configurations": {name: config_to_json(config) for name, config in configs.items()}}
        if worker.first:
            _, asked = start_run(out, "select", first, resume or restarted(), asked)
        else:
            worker.wait_for([out / SPLITS])
            _, asked = read_started(out, "select", asked)
        configs = {name: parse_config(json.dumps(c), f"{out}: {name}") for name, c in asked["configurations"].items()}
        inner, least_attention = asked["inner"], asked["least_attention"]
        prepared = _prepare(cohort, configs, inner, out, progress, asked["clinical_rows"])
        data = next(iter(prepared.values()))
        tasks = []
        for k in data.numbers:
            runs = [
                Run(_inside(prepared[name], k, inner, config), config, out / f"outer_{k}" / name)
                for name, config in configs.items()
            ]
            tasks += [Task(j, runs) for j in runs[0].data.numbers]
        epochs = {name: sum(step.epochs for step in config.steps) for name, config in configs.items()}
        worker.share(_train, tasks, sum(epochs.values()), progress)
        for run in (run for task in tasks for run in task.runs):
            worker.wait_for(prediction_files(run.data, run.config, run.out))
        found = [_judge(k, n, prepared[n], configs[n], out, inner) for k in data.numbers for n in configs]
        chosen = {k: choose([c for c in found if c.outer == k], least_attention) for k in data.numbers}
        final = [Task(k, [Run(prepared[n], configs[n], out / "chosen")]) for k, n in chosen.items()]
        worker.share(_train, final, max(epochs[n] for n in chosen.values()), progress)
        if worker.first:
            for k, name in chosen.items():
                step = configs[name].steps[-1]
                worker.wait_for([out / "chosen" / f"fold_{k}" / step.name / "predictions.csv"])
            _write(out, found, chosen, data, configs, time.time() - started)


def choose(candidates: Sequence[Candidate], least_attention: float) -> str:
    """The highest AUC of those that look at the tumour enough; the one that looks there most where none does."""
    enough = [c for c in candidates if c.attention >= least_attention]
    return (max(enough, key=lambda c: c.auc) if enough else max(candidates, key=lambda c: c.attention)).name


def _prepare(
    cohort: Path, configs: Mapping[str, TrainingConfig], inner: int, out: Path, progress: Progress, table: str | None
) -> dict[str, Prepared]:
    """The cohort for every configuration: one cache and one division, each its own clinical variables."""
    first = next(iter(configs.values()))
    opened = {name: open_cohort(cohort, out / "cache", config, progress) for name, config in configs.items()}
    schemas = {name: schema for name, (_, schema) in opened.items()}
    cache, _ = next(iter(opened.values()))
    if not (out / SPLITS).is_file():
        folds = assign_folds(first.split, cache.ids, cache.labels, cache.column(first.split.column), first.seed)
        for name, config in configs.items():
            _check(Prepared(cache, schemas[name], folds, {}), inner, config)
        keep_clinical_rows(table, out, list(schemas.values()), progress)
        for name, schema in schemas.items():
            write_whole_json(schema.to_json(), out / f"{name}-{SCHEMA}")
        write_splits(out / SPLITS, cache.ids, cache.labels, folds)  # last: other processes wait for it
    folds = read_splits(out / SPLITS, cache.ids)
    return {name: Prepared(cache, schema, folds, read_clinical_rows(out, schema)) for name, schema in schemas.items()}


def _check(data: Prepared, inner: int, config: TrainingConfig) -> None:
    """Find out before anything is trained whether every fold can be, outer and inner."""
    data.check(config)
    for k in data.numbers:
        _inside(data, k, inner, config).check(config)


def _inside(data: Prepared, outer: int, inner: int, config: TrainingConfig) -> Prepared:
    """The patients that an outer fold trains on, in folds of their own; the others take no part.

    Where whole groups are left out outside, they are inside, too.
    """
    rest = np.flatnonzero(data.folds != outer)
    folds = np.full(len(data.folds), EXCLUDED)
    ids, column = [data.cache.ids[i] for i in rest], data.cache.column(config.split.column)[rest]
    kind: Literal["groups", "folds"] = "groups" if config.split.kind == "groups" else "folds"
    split = SplitConfig(kind, folds=inner, column=config.split.column)
    folds[rest] = assign_folds(split, ids, data.cache.labels[rest], column, config.seed + 1000 + outer)
    return replace(data, folds=folds)


def _train(task: Task, device: str, progress: Progress) -> None:
    for i, run in enumerate(task.runs):
        for earlier in task.runs[:i]:
            _take_over(earlier, run, f"fold_{task.number}")
        train_fold(task.number, device, progress, data=run.data, config=run.config, out=run.out)


def _take_over(earlier: Run, run: Run, fold: str) -> None:
    """Copy the steps with which both configurations begin, which would be trained twice to the same weights."""
    if replace(run.config, steps=earlier.config.steps) != earlier.config:
        return
    for step, other in zip(run.config.steps, earlier.config.steps, strict=False):
        if step != other:
            return
        if not (run.out / fold / step.name).is_dir():
            with whole_folder(run.out / fold / step.name) as folder:
                shutil.copytree(earlier.out / fold / step.name, folder, dirs_exist_ok=True)


def _judge(k: int, name: str, data: Prepared, config: TrainingConfig, out: Path, inner: int) -> Candidate:
    inside = _inside(data, k, inner, config)
    index, scores = out_of_fold(inside, config.steps[-1], out / f"outer_{k}" / name)
    return Candidate(k, name, auc(scores.logit, data.cache.labels[index]), float(scores.in_tumour.mean()))


def _write(
    out: Path,
    found: Sequence[Candidate],
    chosen: Mapping[int, str],
    data: Prepared,
    configs: Mapping[str, TrainingConfig],
    seconds: float,
) -> None:
    with whole_file(out / CANDIDATES) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["outer_fold", "configuration", "inner_auc", "inner_attention_in_tumour", "chosen"])
        for c in found:
            writer.writerow([c.outer, c.name, f"{c.auc:.4f}", f"{c.attention:.4f}", int(chosen[c.outer] == c.name)])
    held_out = data.folds >= 0
    label = data.cache.labels[held_out]
    logit, attention = np.zeros(len(held_out)), np.zeros(len(held_out))
    for k, name in chosen.items():
        only = replace(data, folds=np.where(data.folds == k, k, EXCLUDED))
        index, scores = out_of_fold(only, configs[name].steps[-1], out / "chosen")
        logit[index], attention[index] = scores.logit, scores.in_tumour
    order = cross_fitted(logit[held_out], label, data.folds[held_out]).order
    content = {
        "chosen": {str(k): name for k, name in chosen.items()},
        "final": Counter(chosen.values()).most_common(1)[0][0],
        "configurations": {name: config_to_json(config) for name, config in configs.items()},
        "nested": {
            "auc": auc_interval(order, label).to_json(),
            "attention_in_tumour": float(attention[held_out].mean()),
            "against": [_compare(baseline, order, label, data) for baseline in BASELINES],
        },
        "seconds": round(seconds, 1),
        "versions": library_versions(),
    }
    write_whole_json(content, out / SELECTION)


def _compare(baseline: Baseline, order: np.ndarray, label: np.ndarray, data: Prepared) -> dict[str, object]:
    """A logistic regression on the same outer folds, and the difference to it."""
    (finding,) = run_baseline(baseline, data, [])
    return {
        "model": baseline.name,
        "auc": auc(finding.order, label),
        "difference": delong(order, finding.order, label).to_json(),
    }
