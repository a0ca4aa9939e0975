"""A training run: a folder that explains itself, can be resumed, and ends with results and a bundle.

Its files: `run_folder`.
"""

import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.bundle import write_bundle
from PCRPredictorLib.model.calibration import Calibration
from PCRPredictorLib.model.card import InferenceSettings, ModelCard
from PCRPredictorLib.prediction import OperatingPoint
from PCRPredictorLib.reading.cohort import find_patient, read_patient
from PCRPredictorLib.report.overlay import save_attention
from PCRPredictorLib.writing import whole_file, write_whole_csv, write_whole_json, write_whole_text
from safetensors.torch import load_file

from ..cohort.cache import training_hashes
from ..config import TrainingConfig
from ..evaluation.card import describe_failures, make_card, read_texts, readme
from ..evaluation.description import describe_cohort
from ..evaluation.report import render_evaluation
from ..run_state import read_histories
from ..schema import describe_variables
from ..statistics.operating import Outcome
from ..statistics.promises import promise
from ..training.folds import Run
from ..training.inference import random_share
from ..training.loop import network_arguments
from .job import Job
from .preparation import prepare
from .ranges import describe_times, training_ranges, training_times, typical_terms
from .step_attention import explain_steps

Fitted = tuple[Calibration, tuple[OperatingPoint, ...]]  # by out-of-fold predictions


def train(job: Job, config: TrainingConfig, card: Path | None = None) -> None:
    """Train a cohort into a run folder.

    Args:
        config: of a new run.
        card: JSON with texts of the model card, see `card.read_texts`.

    Raises:
        DataError: if the cohort or the folder cannot be used; what was done until then is kept.
    """
    texts = read_texts(card) if card else None
    with job.hold("train", config, job.folder.splits) as (config, options):
        if texts is not None and job.worker.first:
            write_whole_json(texts, job.folder.card)
        run = prepare(job, config, options["clinical_rows"])
        job.train_tasks(run.tasks())
        if job.worker.first:
            finish(job, run)


def finish(job: Job, run: Run) -> None:
    """Write the results of a finished run."""
    folder, data = run.folder, run.data
    outcomes = outcomes_of_steps(run)
    result, last = describe_cohort("out of fold", data.cache, data.held_out, outcomes), outcomes[-1]
    write_out_of_fold(folder.out_of_fold, run, last)
    content = {"kind": "evaluation", "cohorts": [result], "models": [], **job.time_and_versions()}
    write_whole_json(content, folder.summary)
    histories = {f"fold {k}": read_histories(run.config, folder, k) for k in data.fold_numbers}
    write_whole_text(render_evaluation(content, histories), folder.report)
    texts = read_texts(folder.card) if folder.card.is_file() else {}
    described: Any = result["models"]
    fitted = bundle_points(run, last.logit)
    card = make_card(folder.path.resolve().name, job.cohort.resolve().name, data.cache, described[-1], fitted[1], texts)
    worst, words = describe_failures(data.cache, data.held_out, last)
    draw_failures(job, [data.cache.ids[i] for i in worst], words)
    write_run_bundle(folder.bundle, run, fitted, replace(card, failures=words))


def outcomes_of_steps(run: Run) -> list[Outcome]:
    """Return the outcome of every step, with the share of its map inside the tumour when the weights are random."""
    clinical = run.data.cache.encode(run.data.schema)
    return [
        replace(
            run.outcome(step),
            random_in_tumour=random_share(run.network(step, run.data.fold_numbers[0]), run.data.cache, clinical),
        )
        for step in run.config.steps
    ]


def write_out_of_fold(path: Path, run: Run, outcome: Outcome) -> None:
    """Write one row per patient that was held out."""
    cache, held_out = run.data.cache, run.data.held_out
    numbers = zip(outcome.logit, outcome.probability, outcome.in_tumour, strict=True)
    rows = (
        [cache.ids[i], run.data.folds[i], cache.labels[i], *(f"{number:.6f}" for number in row)]
        for i, row in zip(held_out, numbers, strict=True)
    )
    write_whole_csv(["patient_id", "fold", "label", "logit", "probability", "attention_in_tumour"], rows, path)


def draw_failures(job: Job, patients: Sequence[str], words: Sequence[str]) -> None:
    """Draw where the last step looked in the patients with the largest errors, without their names."""
    pictures = []
    for name, text in zip(patients, words, strict=True):
        with suppress(DataError):  # the cohort may have been moved since
            exam = read_patient(find_patient(job.cohort, name))
            *_, attention = explain_steps(job.folder, name, exam).values()
            pictures.append((text.split(":")[0], exam, attention))
    if pictures:
        with whole_file(job.folder.failures) as part:
            save_attention(pictures, part)


def bundle_points(run: Run, logit: np.ndarray) -> Fitted:
    """Return calibration and operating points of a run's bundle, cross-fitted by site if its folds are sites.

    Args:
        logit: (n,), out of fold, of the patients held out.
    """
    label, folds = run.data.cache.labels[run.data.held_out], run.data.folds[run.data.held_out]
    return promise(logit, label, folds if run.config.split.kind == "groups" else None)


def write_run_bundle(path: Path, run: Run, fitted: Fitted, card: ModelCard) -> None:
    """Write the networks of the last step of every fold, calibrated on their out-of-fold predictions.

    Args:
        path: of the bundle; one that is there is replaced.
        fitted: from `bundle_points`.
    """
    data, config, step = run.data, run.config, run.config.steps[-1]
    times = training_times(data.cache.records)
    schema = data.schema if step.clinical else ClinicalSchema(())
    card = replace(card, timing=describe_times(times), variables=describe_variables(schema))
    calibration, points = fitted
    settings = InferenceSettings(
        network=network_arguments(step, config, data.schema),
        grid=config.grid,
        flips=config.flips,
        calibration=calibration,
        operating_points=points,
        familiar=training_ranges(data.cache),
        times=times,
        base_rate=float(data.cache.labels[data.held_out].mean()),
        averaging="logit",
        typical=typical_terms(run, step),
    )
    weights = [load_file(run.folder.step(k, step.name).weights) for k in data.fold_numbers]
    images, patients = training_hashes(data.cache, data.rows)
    if path.is_dir():
        shutil.rmtree(path)
    write_bundle(path, card, schema, settings, weights, readme(card), images, patients)
