"""A run on tables: validation, report and a response bundle, in a folder that explains itself."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PCRPredictorLib.errors import DataError, group_problems
from PCRPredictorLib.model.training_marks import identifier_hashes
from PCRPredictorLib.response.bundle import write_response_bundle
from PCRPredictorLib.response.model import library_versions
from PCRPredictorLib.writing import write_whole_csv, write_whole_json, write_whole_text

from ..evaluation.card import read_texts, readme
from ..formats import RESULTS
from ..progress import Progress
from ..run_folder import RunFolder
from ..statistics.operating import Outcome
from ..statistics.promises import promise
from ..visit_tables.patients import VisitPatients
from .baselines import CLINICAL, baselines
from .card import make_response_card
from .config import ResponseConfig, config_to_json
from .contents import complete, name_of, parts_of_run
from .fit import ROWS, Fitted, check_numbers, fit_response
from .measure import describe_visit, receptor_groups, select
from .report import render_run
from .validate import Part, Validated, validate

KIND = "train response"
_SHOWN = 5  # patients in a sentence
_MODELS, _RESULTS = 3, 60.0  # the model and two baselines; seconds of bootstraps and pictures


@dataclass(frozen=True, eq=False)
class Results:
    """What the validation of a run gave.

    Args:
        model: parts of the model.
        others: baselines by name, each with an outcome per set of visits.
        summary: plain values, for `summary.json` and the report.
    """

    model: Validated
    others: Mapping[str, Mapping[str, Outcome]]
    summary: dict[str, Any]


def train_response(
    patients: VisitPatients,
    out: Path,
    config: ResponseConfig,
    progress: Progress,
    card: Path | None = None,
    *,
    resume: bool = False,
) -> None:
    """Train a response model on patients of tables into a run folder.

    Args:
        patients: of tables; those without a label are left out.
        out: folder of the run; new, or one that was stopped.
        config: what is asked for.
        progress: is told what was read, and each fold.
        card: JSON with texts of the model card, see `evaluation.card.read_texts`.
        resume: run again in the folder of a run that was stopped; a run takes minutes, so that it starts anew.

    Raises:
        DataError: if there are too few patients, or the folder cannot be used.
    """
    texts = read_texts(card) if card else {}
    report_read(patients, progress)
    patients = patients.labelled()
    report_left_out(patients, progress)
    check_numbers(patients.labels, config, outer=True)
    folder = RunFolder(out)
    with folder.locked():
        _begin(folder, patients.name, config, resume=resume)
        results = _validate(patients, config, progress)
        progress.start("Fit", 1)
        fitted = fit_response(patients.courses, patients.labels, config, partial(promise))
        progress.advance()
        _finish(folder, patients, fitted, results, texts)


def estimate_seconds(patients: VisitPatients, config: ResponseConfig) -> float:
    """Return about how long `train_response` takes on this machine, from one fit.

    Raises:
        DataError: if there are too few patients.
    """
    patients = patients.labelled()
    check_numbers(patients.labels, config, outer=True)
    begun = time.perf_counter()
    fit_response(patients.courses, patients.labels, config)
    fit = time.perf_counter() - begun
    return (_MODELS * config.folds * config.repeats + 1) * fit + _RESULTS


def report_read(patients: VisitPatients, progress: Progress) -> None:
    """Report what was read of tables, and what looks wrong."""
    for line in (*patients.notes, *(f"warning: {text}" for text in patients.warnings)):
        progress.say(line)
    for group in group_problems(patients.doubtful):
        progress.say(f"warning: {group.describe(_SHOWN)}")


def report_left_out(patients: VisitPatients, progress: Progress) -> None:
    """Report how many patients are used, and why others are not."""
    progress.say(f"{len(patients)} patients, {int(patients.labels.sum())} with pCR")
    for reason, number in reasons_left_out(patients).items():
        progress.say(f"left out: {number}, {reason}")


def reasons_left_out(patients: VisitPatients) -> dict[str, int]:
    """Return the reasons for which patients were left out, with their numbers."""
    return dict(Counter(problem.reason for problem in patients.left_out))


def _begin(folder: RunFolder, name: str, config: ResponseConfig, *, resume: bool) -> None:
    """Record what a run was asked for.

    Raises:
        DataError: if the folder holds a run already, or other files.
    """
    if folder.summary.is_file() and not resume:
        raise DataError(f"{folder.path}: holds a run already; choose a different folder")
    others = [path.name for path in folder.path.iterdir() if path != folder.lock]
    if others and not folder.kind.is_file():
        raise DataError(f"{folder.path}: must be a new or empty folder, got {others[0]} in it; choose a different one")
    write_whole_json({"kind": KIND, "tables": name}, folder.kind)
    write_whole_json(config_to_json(config), folder.config)


def _validate(patients: VisitPatients, config: ResponseConfig, progress: Progress) -> Results:
    courses, labels = patients.courses, patients.labels
    rows = [row for row in ROWS if any(set(row) <= set(course.visits) for course in courses)]
    folds = config.repeats * config.folds
    progress.start("Cross-validation", folds)
    found = validate(courses, labels, config, parts_of_run(courses), progress)
    others: dict[str, dict[str, Outcome]] = {}
    for baseline in baselines(courses, config):
        progress.start(f"Cross-validation, {baseline.name}", folds)
        parts = [Part(name_of(row), row) for row in rows]
        others[baseline.name] = validate(courses, labels, baseline.config, parts, progress).outcomes
    progress.start("Results", len(rows))
    groups, visits = receptor_groups(courses), []
    for row in rows:
        visits.append(_describe(row, found, others, labels, groups, patients))
        progress.advance(name_of(row))
    chosen = [{**vars(each), "times": number} for each, number in found.chosen.items()]
    content = {"cohorts": visits, "models": [], "sites": None, "chosen": chosen, "versions": library_versions()}
    summary = {"format": RESULTS, "kind": "evaluation", **content}
    return Results(found, others, summary | {"config": config_to_json(config)})


def _describe(
    row: tuple[str, ...],
    found: Validated,
    others: Mapping[str, Mapping[str, Outcome]],
    labels: np.ndarray,
    groups: np.ndarray,
    patients: VisitPatients,
) -> dict[str, Any]:
    """Return the results with the visits of a row, in patients who were seen at each of them."""
    use = np.array([set(row) <= set(course.visits) for course in patients.courses])
    named = {name_of(row): found.outcomes[name_of(row)], CLINICAL: found.outcomes[name_of(())]}
    named |= {name: each[name_of(row)] for name, each in others.items()}
    outcomes = [replace(select(outcome, use), name=name) for name, outcome in named.items()]
    return describe_visit(name_of(row), outcomes, labels[use], groups[use], reasons_left_out(patients))


def _finish(
    folder: RunFolder,
    patients: VisitPatients,
    fitted: Fitted,
    results: Results,
    texts: Mapping[str, str],
) -> None:
    settings = complete(fitted, patients.courses, patients.labels, results.model.outcomes)
    card = make_response_card(folder.path.resolve().name, patients, fitted, results.summary, settings, texts)
    _write_out_of_fold(folder, patients, results.model)
    write_whole_text(render_run(results.summary, patients, settings), folder.report)
    marks = {mark for course in patients.courses for mark in identifier_hashes(course.patient_id or "")}
    write_response_bundle(folder.bundle, card, fitted.schema, settings, readme(card), sorted(marks))
    write_whole_json(results.summary, folder.summary)


def _write_out_of_fold(folder: RunFolder, patients: VisitPatients, found: Validated) -> None:
    """Write a row per patient with the probability after each visit, the mean of the repeats."""
    rows = [name for name in found.outcomes if name in {name_of(row) for row in ROWS}]
    cells = np.stack([found.outcomes[name].probability for name in rows], 1)
    lines = (
        [course.patient_id, int(label), *(f"{p:.6f}" for p in row)]
        for course, label, row in zip(patients.courses, patients.labels, cells, strict=True)
    )
    write_whole_csv(["patient_id", "label", *rows], lines, folder.out_of_fold)
