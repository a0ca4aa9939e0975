"""Evaluate response models on tables of patients that they were not trained on, after each visit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.formatting import count, format_percent
from PCRPredictorLib.model.training_marks import known_patients
from PCRPredictorLib.response.course import QUANTITIES, Course
from PCRPredictorLib.response.model import ResponseModel
from PCRPredictorLib.response.prediction import ResponsePrediction
from PCRPredictorLib.visits.columns import DIAMETER, VOLUME
from PCRPredictorLib.writing import whole_folder, write_csv, write_json
from scipy.special import expit

from ..cohort.shared import BY_NAME
from ..formats import RESULTS
from ..progress import Progress
from ..run_folder import RunFolder
from ..statistics.operating import Outcome
from ..visit_tables.patients import VisitPatients
from .baselines import CLINICAL
from .fit import ROWS
from .measure import describe_visit, receptor_groups, rule_table
from .report import render_evaluated
from .train import reasons_left_out, report_left_out, report_read
from .validate import ALL, Part

_SHOWN = 5  # patients in a sentence


@dataclass(frozen=True, eq=False)
class Predicted:
    """What a model, by its name, says of every patient."""

    name: str
    every: Sequence[ResponsePrediction]


def evaluate_tables(
    patients: VisitPatients,
    models: Sequence[ResponseModel],
    out: Path,
    progress: Progress,
    *,
    leave_out_known: bool = False,
) -> dict[str, Any]:
    """Evaluate models on patients, and write the results into a folder.

    Args:
        patients: of tables; those without a label are left out.
        models: all are evaluated on the same patients.
        out: folder of the results.
        progress: is told what was read, and each visit.
        leave_out_known: leave out the patients that a model was trained on, instead of refusing them.

    Raises:
        DataError: if there are too few patients, or a model was trained on some of them.
    """
    report_read(patients, progress)
    if leave_out_known:
        names = [course.patient_id or "" for course in patients.courses]
        known = {name for model in models for name in known_patients(names, model.training_patients)}
        patients = patients.without(known, BY_NAME)
    patients = patients.labelled()
    report_left_out(patients, progress)
    for model in models:
        refuse_trained_on(model, patients)
    progress.start("Prediction", len(models))
    predicted = []
    for model in models:
        every = [model.predict(_readable(model, course)) for course in patients.courses]
        predicted.append(Predicted(model.card.name, every))
        progress.advance(model.card.name)
    result = describe_patients(patients, models, predicted, progress)
    with whole_folder(out) as folder:
        files = RunFolder(folder)
        write_json(result, files.evaluation)
        files.report.write_text(render_evaluated(result, patients), encoding="utf-8")
        files.report_text.write_text(render_evaluated(result, patients, "cohorts.md.j2"), encoding="utf-8")
        _write_predictions(patients, predicted, files.predictions)
    for line in result["reading"]:
        progress.say(line)
    return result


def refuse_trained_on(model: ResponseModel, patients: VisitPatients) -> None:
    """Refuse patients that a model was trained on.

    Raises:
        DataError: naming some of them.
    """
    names = [course.patient_id or "" for course in patients.courses]
    if shared := sorted(known_patients(names, model.training_patients)):
        shown = ", ".join(shared[:_SHOWN]) + (", ..." if len(shared) > _SHOWN else "")
        raise DataError(
            f"{patients.name} shares {count(len(shared), 'patient')} with the training of {model.card.name} ({shown}); "
            "take them out of the table, give --leave-out-known, or rename those that are different patients"
        )


def describe_patients(
    patients: VisitPatients, models: Sequence[ResponseModel], predicted: Sequence[Predicted], progress: Progress
) -> dict[str, Any]:
    """Return the results of models after each visit, and how they read the patients.

    Args:
        patients: with a label each.
        models: in the order of the rows.
        predicted: what each of them says.
        progress: is told of each visit.

    Raises:
        DataError: if no visit has two patients of each class.
    """
    rows = [row for row in ROWS if sum(row[-1] in course.visits for course in patients.courses) > 1]
    groups, visits = receptor_groups(patients.courses), []
    reading: list[str] = []  # of the last visit, at which most is known
    progress.start("Evaluation", len(rows))
    for row in rows:
        use = np.array([row[-1] in course.visits for course in patients.courses])
        courses = [course.until(row[-1]) for course, own in zip(patients.courses, use, strict=True) if own]
        labels = patients.labels[use]
        if min(labels.sum(), (1 - labels).sum()) < 2:
            progress.say(f"after {row[-1]}: fewer than two patients of a class; not evaluated")
            continue
        outcomes = [outcome for model in models for outcome in outcomes_of(model, courses)]
        described = describe_visit(
            f"after {row[-1]}", _number(outcomes), labels, groups[use], reasons_left_out(patients)
        )
        described["rules"] = rule_table(courses, labels, outcomes[0])
        visits.append(described)
        reading = [f"after {row[-1]}, {text}" for each in predicted for text in describe_reading(each, row[-1])]
        progress.advance(row[-1])
    if not visits:
        raise DataError(
            f"{patients.name}: after no visit are there two patients with pCR and two without; add patients"
        )
    about = [{name: getattr(m.card, name) for name in ("name", "version", "training_data")} for m in models]
    about = [{**each, "checksum": model.checksum} for each, model in zip(about, models, strict=True)]
    rates = [f"{m.card.name}: {_base_rate(m, patients)}" for m in models if m.settings.base_rate is not None]
    versions = {"format": RESULTS, "kind": "evaluation", "sites": None, "versions": predicted[0].every[0].versions}
    return {**versions, "cohorts": visits, "models": about, "reading": [*rates, *reading]}


def outcomes_of(model: ResponseModel, courses: Sequence[Course]) -> list[Outcome]:
    """Return what a model says: with all that is known, with clinical values alone, and with one quantity alone."""
    everything = tuple(dict.fromkeys(name for course in courses for name in course.visits))
    known = {q for q in ALL for course in courses for visit in course if visit.values.get(q) is not None}
    parts = [Part(model.card.name, everything), Part(f"{CLINICAL} ({model.card.name})", ())]
    for quantity in QUANTITIES:
        if quantity.name in known and len(known) > 1 and quantity.name in (VOLUME, DIAMETER):
            name = f"clinical values and {quantity.label.lower()} ({model.card.name})"
            parts.append(Part(name, everything, (quantity.name,)))
    return [_outcome(part.name, model, [part.of(course) for course in courses]) for part in parts]


def _outcome(name: str, model: ResponseModel, courses: Sequence[Course]) -> Outcome:
    logits, thresholds = [], []
    for course in courses:
        values = model.schema.parse_each(course.clinical)[0]
        logits.append(model.logit(course, values))
        thresholds.append(model.settings.formula(tuple(course.visits)).operating_points[0].threshold)
    probability = expit(np.array(logits))
    return Outcome(name, np.array(logits), probability, probability >= np.array(thresholds), probability, "balanced")


def _number(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the outcomes with names that differ."""
    names = [outcome.name for outcome in outcomes]
    return [
        outcome if names.count(outcome.name) == 1 else replace(outcome, name=f"{outcome.name} {k + 1}")
        for k, outcome in enumerate(outcomes)
    ]


def describe_reading(model: Predicted, visit: str) -> list[str]:
    """Return what a model had to estimate or read as a limit at a visit, in how many patients."""
    predicted = [each for found in model.every for each in found.visits if each.visit == visit]
    estimated = Counter(what for each in predicted for what in each.estimated)
    codes = Counter(notice.code for each in predicted for notice in each.notices)
    groups: dict[tuple[str, int], list[str]] = {}
    for what, number in estimated.items():
        label, _, visit = what.rpartition(" at ")
        groups.setdefault((label, number), []).append(visit)
    found = [
        f"{model.name}: estimated in {number} of {len(predicted)} patients, as it is not known: {label.lower()} at "
        f"{', '.join(visits)}"
        for (label, number), visits in groups.items()
    ]
    for code, number in codes.items():
        if code.startswith("clipped_"):
            what = code.removeprefix("clipped_").replace("_", " ")
            found.append(f"{model.name}: {what} outside the training patients' range, {count(number, 'patient')}")
    return found


def _readable(model: ResponseModel, course: Course) -> Course:
    """Return a course with the clinical values that the model can read."""
    values = model.schema.parse_each(course.clinical)[0]
    return Course(
        course.visits, {name: value for name, value in values.items() if value is not None}, course.patient_id
    )


def _base_rate(model: ResponseModel, patients: VisitPatients) -> str:
    share, own = model.settings.base_rate or 0.0, float(patients.labels.mean())
    return f"{format_percent(share)} of the training patients have pCR, {format_percent(own)} of these"


def _write_predictions(patients: VisitPatients, predicted: Sequence[Predicted], path: Path) -> None:
    """Write a row per patient, model and visit."""
    rows = [
        [course.patient_id, int(label), model.name, each.visit, f"{each.probability:.6f}", each.decision]
        for model in predicted
        for course, label, found in zip(patients.courses, patients.labels, model.every, strict=True)
        for each in found.visits
    ]
    write_csv(["patient_id", "label", "model", "visit", "probability", "decision"], rows, path)
