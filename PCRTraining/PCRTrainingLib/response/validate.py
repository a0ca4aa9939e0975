"""Nested cross-validation of response models, several times: nothing of a patient takes part in its own prediction.

Each outer fold is predicted by a model that is made of the others, choice of the candidate, calibration and threshold
included; the model is the one that a bundle holds, so that unknown values, ranges and tumours that are gone are read as
they will be. A row of the results is what such a model says if it is told a part of what is known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PCRPredictorLib.model.card import ModelCard
from PCRPredictorLib.response.course import QUANTITIES, Course
from PCRPredictorLib.response.model import ResponseModel
from scipy.special import expit

from ..progress import Progress
from ..statistics.operating import Outcome
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

    def of(self, course: Course) -> Course:
        """Return the part of a course."""
        kept = {name: visit for name, visit in course.visits.items() if name in self.visits}
        found = {}
        for name, visit in kept.items():
            drop = {q for q in ALL if q not in self.quantities or (q, name) == self.without}
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
    check_numbers(labels, config)
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
            for i in np.flatnonzero(~inside).tolist():
                for part in parts:
                    logit[part.name][i], threshold[part.name][i] = _predict(fitted, part.of(courses[i]))
            if progress:
                progress.advance(f"repeat {repeat + 1}, fold {k + 1}")
        for name, values in logit.items():
            found[name].append(_outcome(name, values, threshold[name], fold))
    return Validated({name: mean_outcome(each) for name, each in found.items()}, dict(chosen))


def _predict(fitted: Fitted, course: Course) -> tuple[float, float]:
    """Return the calibrated logit of a course, and the threshold of its formula's balanced point."""
    model = ResponseModel(NO_CARD, fitted.schema, fitted.settings)
    values = fitted.schema.parse_each(course.clinical)[0]
    formula = model.settings.formula(tuple(course.visits))
    return model.logit(course, values), formula.operating_points[0].threshold


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


def mean_over_repeats(outcome: Outcome, statistic: Callable[[Outcome], float]) -> tuple[float, float, float]:
    """Return mean, lowest and highest of a statistic over the repeats."""
    values = [statistic(each) for each in outcome.draws or (outcome,)]
    return float(np.mean(values)), min(values), max(values)
