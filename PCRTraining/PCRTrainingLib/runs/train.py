"""A training run: a folder that explains itself, can be resumed, and ends with a bundle.

config.json, kind.json what was asked for, and of which command
clinical_rows.csv      labelled rows without images, where there were any
run.json               cohort and versions
schema.json            clinical variables
cache/                 the cohort on the model grid
quarantine.csv         patients left out, and why
splits.csv             who is held out in which fold
fold_k/<step>/         weights, history.csv, predictions.csv of the held-out patients; checkpoint.pt while it runs
oof.csv                out-of-fold predictions of the last step, calibrated
card.json              texts of the model card, where there were any
summary.json, report.html, failures.png, bundle/
"""

from __future__ import annotations

import csv
import shutil
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.bundle import write_bundle
from PCRPredictorLib.model.card import FamiliarRange, InferenceSettings, ModelCard
from PCRPredictorLib.model.predictor import library_versions
from PCRPredictorLib.reading.cohort import find_patient, find_patients, read_patient
from PCRPredictorLib.reading.table import read_rows
from PCRPredictorLib.report.overlay import save_attention
from PCRPredictorLib.writing import whole_file, write_json

from ..cohort.cache import QUARANTINE, GridCache, open_or_build, training_marks
from ..cohort.check import LABEL, parse_label
from ..cohort.splits import assign_folds, read_splits, write_splits
from ..config import Step, TrainingConfig, config_to_json
from ..evaluation.card import describe_failures, make_card, read_texts, readme
from ..evaluation.evaluate import Outcome, describe_cohort, map_name, random_share
from ..evaluation.report import render_evaluation
from ..history import CONFIG, KIND, LOCK, SCHEMA, SPLITS, SUMMARY, read_histories, read_started
from ..progress import Progress
from ..schema import build_schema
from ..statistics.operating import calibrate, choose_operating_points, cross_fitted, describe_parts, fit_calibration
from ..training.folds import Prepared, load_network, out_of_fold, prediction_files, train_fold
from ..training.loop import load_weights, network_arguments
from ..training.workers import Worker, restarted
from .step_attention import explain_steps

RUN, OUT_OF_FOLD, CARD, FAILURES = "run.json", "oof.csv", "card.json", "failures.png"
CLINICAL_ROWS = "clinical_rows.csv"
Rows = dict[str, tuple[np.ndarray, int]]  # lower-case identifier to clinical vector and label
_LOCK_PATIENCE = 3  # seconds: children of a killed run take a moment to end


def train(
    cohort: Path,
    out: Path,
    config: TrainingConfig,
    worker: Worker,
    progress: Progress,
    *,
    resume: bool = False,
    clinical_rows: Path | None = None,
    card: Path | None = None,
) -> None:
    """Train a cohort into a run folder.

    Args:
        cohort: folder of a cohort.
        out: run folder; must be new or empty, unless resumed.
        config: of a new run; a resumed one keeps its own.
        worker: this process among those of the run.
        resume: go on with a run that was stopped.
        clinical_rows: table with labels of more patients, for the fit of the clinical branch; likewise.
        card: JSON with texts of the model card, see `card.read_texts`.

    Raises:
        DataError: if the cohort or the folder cannot be used; what was done until then is kept.
    """
    started, texts = time.time(), read_texts(card) if card else None
    with locked(out, worker):
        if worker.first:
            table = str(clinical_rows.resolve()) if clinical_rows else None
            config, asked = start_run(out, "train", config, resume or restarted(), {"clinical_rows": table})
            if texts is not None:
                write_whole_json(texts, out / CARD)
        else:
            worker.wait_for([out / SPLITS])
            config, asked = read_started(out, "train", {"clinical_rows": None})
        data = prepare(cohort, out, config, progress, clinical_rows=asked["clinical_rows"])
        task = partial(train_fold, data=data, config=config, out=out)
        worker.share(task, data.numbers, sum(step.epochs for step in config.steps), progress)
        if worker.first:
            worker.wait_for(prediction_files(data, config, out))
            finish(data, config, out, cohort, time.time() - started)


@contextmanager
def locked(out: Path, worker: Worker) -> Iterator[None]:
    """Keep other runs out of the folder; errors of the file system become one sentence.

    Raises:
        DataError: if another run has it, or it cannot be written.
    """
    if not worker.first:
        yield
        return
    try:
        out.mkdir(parents=True, exist_ok=True)
        with FileLock(out / LOCK, timeout=_LOCK_PATIENCE):
            yield
    except Timeout:
        raise DataError(f"{out}: another run is writing here; wait for it or choose another folder") from None
    except OSError as error:
        raise DataError(
            f"{out}: cannot be written ({error.strerror or error}); free some space or choose a folder that you may "
            "write to, then go on with --resume"
        ) from error


def start_run(
    out: Path, kind: str, config: TrainingConfig, resume: bool, asked: Mapping[str, Any] | None = None
) -> tuple[TrainingConfig, dict[str, Any]]:
    """Write `config.json` and `kind.json` of a new run; one to be resumed keeps its own.

    Args:
        kind: the command: train, select or experiment.
        asked: what it was asked for beside the configuration, plain values.

    Returns:
        The configuration and the rest, as they stand in the folder.

    Raises:
        DataError: if there is a run and it is not to be resumed, or it is one of another command.
    """
    if (out / CONFIG).is_file() and (resume or _has_begun(out)):
        if not resume:
            raise DataError(f"{out}: holds a run already; go on with it by --resume, or choose another folder")
        return read_started(out, kind, asked or {})
    others = [path.name for path in out.iterdir() if path.name not in (LOCK, KIND)]
    if others and not (out / CONFIG).is_file():  # with it, a run ended before anything was trained
        raise DataError(f"{out}: must be a new or empty folder, it holds {others[0]}; choose another one")
    write_whole_json({"kind": kind, **(asked or {})}, out / KIND)
    write_whole_json(config_to_json(config), out / CONFIG)
    return config, dict(asked or {})


def _has_begun(out: Path) -> bool:
    """Whether folds were drawn, so that there may be something to lose."""
    return (out / SPLITS).is_file() or any(out.glob(f"seed_*/{SPLITS}"))


def prepare(
    cohort: Path, out: Path, config: TrainingConfig, progress: Progress, *, clinical_rows: str | None = None
) -> Prepared:
    """The cohort as a run trains on it; cached grids, splits and schema are made once and kept.

    Raises:
        DataError: if the cohort cannot be used or has changed since the run began.
    """
    cache, schema = open_cohort(cohort, out / "cache", config, progress)
    if cache.quarantine:
        progress.say(
            f"{len(cache.quarantine)} of {len(cache) + len(cache.quarantine)} patients left out, see {QUARANTINE}"
        )
    if not (out / QUARANTINE).is_file():
        with whole_file(out / QUARANTINE) as part:
            shutil.copyfile(cache.folder / QUARANTINE, part)
    if (out / SPLITS).is_file():
        folds = read_splits(out / SPLITS, cache.ids)
    else:
        folds = assign_folds(config.split, cache.ids, cache.labels, cache.column(config.split.column), config.seed)
        Prepared(cache, schema, folds, {}).check(config)
        keep_clinical_rows(clinical_rows, out, [schema], progress)
        write_whole_json(schema.to_json(), out / SCHEMA)
        write_whole_json({"cohort": str(cohort.resolve()), "versions": library_versions()}, out / RUN)
        write_splits(out / SPLITS, cache.ids, cache.labels, folds)  # last: other processes wait for it
    return Prepared(cache, schema, folds, read_clinical_rows(out, schema))


def open_cohort(
    cohort: Path,
    folder: Path,
    config: TrainingConfig,
    progress: Progress,
    schema: ClinicalSchema | None = None,
) -> tuple[GridCache, ClinicalSchema]:
    """The cohort's cache in `folder` and its clinical schema.

    Args:
        schema: that a model was trained with, of a cohort that is not trained on; None to build it from the table.
    """
    patients = find_patients(cohort)
    if schema is None:
        schema, absent = build_schema(config.clinical, [patient.row for patient in patients])
        if absent:
            progress.say(f"no patient has a value of {', '.join(absent)}; trained without")
    progress.start("Reading the cohort", len(patients))
    return open_or_build(cohort, folder, config.grid, schema, lambda *_: progress.advance()), schema


def keep_clinical_rows(
    table: str | None,
    out: Path,
    schemas: Sequence[ClinicalSchema],
    progress: Progress,
    without: Collection[str] = (),
) -> None:
    """Keep the labelled rows of a table in a new run's folder, so that a resumed run has the same.

    Args:
        table: its path; None for none.
        schemas: a row is kept where any of them can use it; the user is told of the others.
        without: lower-case identifiers of patients that must not be trained on.

    Raises:
        DataError: if it is no table or no row can be used.
    """
    if table is None:
        (out / CLINICAL_ROWS).unlink(missing_ok=True)  # of a run that ended before anything was trained
        return
    rows = read_rows(Path(table))
    usable = {name for schema in schemas for name in _parse_rows(rows, schema)}
    if not usable:
        raise DataError(f"{table}: no row has a label in the column {LABEL} and clinical values that can be used")
    if len(usable) < len(rows):
        progress.say(
            f"{len(usable)} of {len(rows)} rows of {Path(table).name} used: the others lack a label or are unreadable"
        )
    columns = [LABEL, *sorted({variable.name for schema in schemas for variable in schema.asked})]
    with whole_file(out / CLINICAL_ROWS) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["patient_id", *columns])
        for name, row in rows.items():
            if name in usable and name not in without:
                writer.writerow([name, *(row.get(column, "") for column in columns)])


def read_clinical_rows(out: Path, schema: ClinicalSchema) -> Rows:
    """The rows that `keep_clinical_rows` kept in a run's folder, as far as the schema can use them.

    Returns:
        Lower-case identifier to clinical vector, (schema width,), and label; empty where there are none.

    Raises:
        DataError: if the file is damaged.
    """
    return _parse_rows(read_rows(out / CLINICAL_ROWS), schema) if (out / CLINICAL_ROWS).is_file() else {}


def _parse_rows(rows: Mapping[str, Mapping[str, str]], schema: ClinicalSchema) -> Rows:
    """Those that have a label and whose values the schema can read."""
    found = {}
    for name, row in rows.items():
        with suppress(DataError):
            label = parse_label(row.get(LABEL, ""))
            if label is not None:
                found[name] = schema.encode(schema.parse(row)), label
    return found


def finish(data: Prepared, config: TrainingConfig, out: Path, cohort: Path, seconds: float) -> None:
    """Out-of-fold predictions, summary, report and bundle of a run whose steps are all trained."""
    last = config.steps[-1]
    index, scores = out_of_fold(data, last, out)
    outcomes = [step_outcome(data, step, config, out) for step in config.steps]
    result = describe_cohort("out of fold", data.cache, index, outcomes)
    write_out_of_fold(out / OUT_OF_FOLD, data, last, out, outcomes[-1])
    content = {
        "kind": "evaluation",
        "cohorts": [result],
        "models": [],
        "seconds": round(seconds, 1),
        "versions": library_versions(),
    }
    write_whole_json(content, out / SUMMARY)
    with whole_file(out / "report.html") as part:
        histories = {f"fold {k}": read_histories(config, out / f"fold_{k}") for k in data.numbers}
        part.write_text(render_evaluation(content, histories), encoding="utf-8")
    texts = read_texts(out / CARD) if (out / CARD).is_file() else {}
    described: Any = result["models"]
    card = make_card(out.resolve().name, cohort.resolve().name, data.cache, described[-1], texts)
    worst, words = describe_failures(data.cache, index, outcomes[-1].probability, scores)
    draw_failures(out, cohort, [data.cache.ids[i] for i in worst], words)
    write_run_bundle(out / "bundle", data, last, config, out, replace(card, failures=words))


def step_outcome(data: Prepared, step: Step, config: TrainingConfig, out: Path) -> Outcome:
    """What a step says out of fold, calibrated and decided as in `cross_fitted`."""
    index, scores = out_of_fold(data, step, out)
    label, fold = data.cache.labels[index], data.folds[index]
    probability, decision, order = cross_fitted(scores.logit, label, fold)
    network = load_network(step, config, data.schema, out / f"fold_{data.numbers[0]}" / step.name)
    chance = random_share(network, data.cache, data.cache.encode(data.schema))
    return Outcome(
        step.name, probability, decision, None, scores, map_name(network), chance, describe_parts(label, fold), order
    )


def draw_failures(out: Path, cohort: Path, patients: Sequence[str], words: Sequence[str]) -> None:
    """`failures.png`: where the last step looked in the patients that it was most wrong about, nobody named."""
    pictures = []
    for name, text in zip(patients, words, strict=True):
        with suppress(DataError):  # the cohort may have gone meanwhile
            exam = read_patient(find_patient(cohort, name))
            *_, attention = explain_steps(out, name, exam).values()
            pictures.append((text.split(":")[0], exam, attention))
    if pictures:
        with whole_file(out / FAILURES) as part:
            save_attention(pictures, part)


def write_out_of_fold(path: Path, data: Prepared, step: Step, out: Path, outcome: Outcome) -> None:
    """`oof.csv`: a row for every patient that was held out once."""
    index, scores = out_of_fold(data, step, out)
    with whole_file(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["patient_id", "fold", "label", "logit", "probability", "attention_in_tumour"])
        for row, position in enumerate(index):
            writer.writerow(
                [
                    data.cache.ids[position],
                    data.folds[position],
                    data.cache.labels[position],
                    *(f"{v[row]:.6f}" for v in (scores.logit, outcome.probability, scores.in_tumour)),
                ]
            )


def write_run_bundle(
    path: Path, data: Prepared, step: Step, config: TrainingConfig, out: Path, card: ModelCard
) -> None:
    """The networks of every fold of a step, calibrated on their out-of-fold predictions.

    Args:
        path: of the bundle; one that is there is replaced.
        out: run folder.
    """
    index, scores = out_of_fold(data, step, out)
    label = data.cache.labels[index]
    calibration = fit_calibration(scores.logit, label)
    settings = InferenceSettings(
        network=network_arguments(step, config, data.schema),
        grid=config.grid,
        flips=config.flips,
        calibration=calibration,
        operating_points=choose_operating_points(calibrate(scores.logit, calibration), label),
        familiar=familiar_ranges(data.cache),
    )
    schema = data.schema if step.clinical else ClinicalSchema(())
    weights = [load_weights(out / f"fold_{k}" / step.name) for k in data.numbers]
    images, patients = training_marks(data.cache, data.rows)
    if path.is_dir():
        shutil.rmtree(path)
    write_bundle(path, card, schema, settings, weights, readme(card), images, patients)


def familiar_ranges(cache: GridCache) -> tuple[FamiliarRange, ...]:
    """1st to 99th percentile of every quantity among the training patients.

    One that all of them share is left out: slabs that were resampled to one pixel spacing say nothing about others.
    """
    names = list(cache.records[0].measured)
    values = {name: [record.measured[name] for record in cache.records] for name in names}
    ranges = (FamiliarRange(name, *map(float, np.percentile(v, [1, 99]))) for name, v in values.items())
    return tuple(found for found in ranges if not np.isclose(found.low, found.high))


def write_whole_json(content: object, path: Path) -> None:
    """JSON that appears whole or not at all."""
    with whole_file(path) as part:
        write_json(content, part)
