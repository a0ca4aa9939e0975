"""Nested cross-validation of response models, several times: nothing of a patient takes part in its own prediction.

Each outer fold is predicted by a model that is made of the others, choice of the candidate, calibration and threshold
included; the model is the one that a bundle holds, so that unknown values, ranges and tumours that are gone are read as
they will be. A row of the results is what such a model says if it is told a part of what is known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PCRPredictorLib.model.card import ModelCard
from PCRPredictorLib.response.course import QUANTITIES, Course
from PCRPredictorLib.response.inputs import clinical_columns
from PCRPredictorLib.response.reader import read_course
from PCRPredictorLib.response.settings import Formula
from scipy.special import expit

from ..progress import Progress
from ..statistics.operating import Outcome
from .columns import fill_rows, read_input
from .config import Candidate, ResponseConfig
from .fit import Fitted, check_numbers, fit_response, folds_of

NO_CARD = ModelCard("", "", "", "", "", "", "", "", "")
ALL = tuple(quantity.name for quantity in QUANTITIES)
REPEATS = "repeats of the folds"


@dataclass(frozen=True)
class Part:
    """What a model is told of a patient.

    Args:
        name: of the row in tables.
        visits: of which the model is told; none for clinical values alone.
        quantities: names of those that it is told.
        without: one value that it is not told, as (quantity, visit).
    """

    name: str
    visits: tuple[str, ...]
    quantities: tuple[str, ...] = ALL
    without: tuple[str, str] | None = None

    def tells(self, quantity: str, visit: str) -> bool:
        """Return True if the model is told this value."""
        return visit in self.visits and quantity in self.quantities and (quantity, visit) != self.without

    def of(self, course: Course) -> Course:
        """Return the part of a course."""
        kept = {name: visit for name, visit in course.visits.items() if name in self.visits}
        found = {}
        for name, visit in kept.items():
            drop = [q for q in ALL if not self.tells(q, name)]
            values = replace(visit.values, **dict.fromkeys(drop))  # type: ignore[arg-type]
            if any(values.get(q) is not None for q in ALL):
                found[name] = replace(visit, values=values)
        return Course(found, course.clinical, course.patient_id)


@dataclass(frozen=True, eq=False)
class Validated:
    """The results of a validation.

    Args:
        outcomes: mean outcome of each part by its name, with those of the repeats as draws; all of the same N patients.
        chosen: how often each candidate was chosen.
    """

    outcomes: dict[str, Outcome]
    chosen: dict[Candidate, int]


def validate(
    courses: Sequence[Course],
    labels: np.ndarray,
    config: ResponseConfig,
    parts: Sequence[Part],
    progress: Progress | None = None,
) -> Validated:
    """Return what models say of patients who had no part in them.

    Args:
        courses: of N patients.
        labels: (N,) 0 or 1.
        config: of the models; its seed and the number of the repeat give the outer folds.
        parts: that the models are told.
        progress: is told of each outer fold.

    Raises:
        DataError: if there are too few patients.
    """
    check_numbers(labels, config, outer=True)
    found: dict[str, list[Outcome]] = {part.name: [] for part in parts}
    chosen: Counter[Candidate] = Counter()
    for repeat in range(config.repeats):
        fold = folds_of(labels, config.folds, config.seed + repeat)
        logit = {part.name: np.zeros(len(labels)) for part in parts}
        threshold = {part.name: np.zeros(len(labels)) for part in parts}
        for k in range(config.folds):
            inside = fold != k
            fitted = fit_response([c for c, use in zip(courses, inside, strict=True) if use], labels[inside], config)
            chosen[fitted.candidate] += 1
            here = np.flatnonzero(~inside)
            rows = read_rows(fitted, [courses[i] for i in here.tolist()])
            for part in parts:
                logit[part.name][here], threshold[part.name][here] = predict_rows(fitted, rows, part)
            if progress:
                progress.advance(f"repeat {repeat + 1}, fold {k + 1}")
        for name, values in logit.items():
            found[name].append(_outcome(name, values, threshold[name], fold))
    return Validated({name: mean_outcome(each) for name, each in found.items()}, dict(chosen))


def read_rows(fitted: Fitted, courses: Sequence[Course]) -> np.ndarray:
    """Return the columns of patients, (n, C), as the model reads them; nan where a value is unknown."""
    found = []
    for course in courses:
        values = fitted.schema.parse_each(course.clinical)[0]
        filled = read_course(fitted.settings, fitted.schema, course, values).filled
        found.append(np.where(filled.known, filled.numbers, np.nan))
    return np.stack(found)


def predict_rows(fitted: Fitted, rows: np.ndarray, part: Part) -> tuple[np.ndarray, np.ndarray]:
    """Return what `ResponseModel.logit` gives for a part of what is known, for many patients at once.

    Args:
        fitted: the model.
        rows: (n, C) of `read_rows`.
        part: that the model is told.

    Returns:
        Calibrated logits, (n,), and the threshold of the balanced point of each patient's formula, (n,).
    """
    settings, rows = fitted.settings, rows.copy()
    hidden = [k for k, level in enumerate(settings.levels) if not part.tells(level.quantity, level.visit)]
    rows[:, hidden] = np.nan
    at = {visit: [k for k, level in enumerate(settings.levels) if level.visit == visit] for visit in settings.visits}
    seen = np.stack([np.isfinite(rows[:, own]).any(1) for own in at.values()], 1) if at else np.zeros((len(rows), 0))
    logit, threshold = np.zeros(len(rows)), np.zeros(len(rows))
    for pattern in np.unique(seen, axis=0):
        here = (seen == pattern).all(1)
        formula = settings.formula(tuple(visit for visit, has in zip(at, pattern, strict=True) if has))
        logit[here] = _logits(fitted, formula, rows[here])
        threshold[here] = formula.operating_points[0].threshold
    return logit, threshold


def _logits(fitted: Fitted, formula: Formula, rows: np.ndarray) -> np.ndarray:
    """Return the calibrated logits, (n,), of a formula, which reads no visits but its own."""
    settings = fitted.settings
    outside = [k for k, level in enumerate(settings.levels) if level.visit not in formula.visits]
    rows = rows.copy()
    rows[:, outside] = np.nan
    filled, place = fill_rows(settings.filling, rows), {name: k for k, name in enumerate(settings.filling.columns)}
    inputs = [each for each in settings.inputs if each.name in formula.inputs]
    names = (*(each.name for each in inputs), *clinical_columns(fitted.schema))
    numbers = [read_input(each, filled, place) for each in inputs]
    numbers += [filled[:, place[name]] for name in clinical_columns(fitted.schema)]
    weights = formula.weights(names).mean(0)
    return formula.constants.mean() + (np.stack(numbers, 1) @ weights if numbers else 0.0)


def _outcome(name: str, logit: np.ndarray, threshold: np.ndarray, fold: np.ndarray) -> Outcome:
    probability = expit(logit)
    return Outcome(name, logit, probability, probability >= threshold, probability, "balanced, by fold", part=fold)


def mean_outcome(found: Sequence[Outcome]) -> Outcome:
    """Return the mean of repeats; a patient is above the threshold who is above in most of them."""
    if len(found) == 1:
        return found[0]
    logit = np.mean([each.logit for each in found], 0)
    above = np.mean([each.decision for each in found], 0) > 1 / 2
    probability = expit(logit)
    mean = Outcome(found[0].name, logit, probability, above, probability, "balanced, by fold")
    return replace(mean, draws=tuple(found), drawn=REPEATS)
