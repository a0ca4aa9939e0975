"""A response model: the probability of a complete response, given the visits so far.

For each set of visits it has a formula: a logit that is linear in levels of quantities, their changes and clinical
values, the mean of several fits. A value that is unknown is estimated from those that are known (`filling`), a value
beyond the training patients' range is read as its limit, a tumour that is gone has volume and diameter 0. Notices
report all of this, and the logit remains a sum of terms (`explain`).

Sources: Hylton et al., Radiology 263:663, 2012 (functional tumour volume and its change); Li et al., npj Breast Cancer
6:63, 2020 (several quantities at several visits); the form of the model is ours.
"""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from scipy.special import expit

from .. import __version__
from ..clinical import Category, ClinicalSchema, Number, Value
from ..errors import DataError, Notice
from ..evidence import Possibility, logit_to_probability
from ..model.additive import NORMAL_95, possible_values
from ..model.card import ModelCard
from ..model.notices import about_agreement, about_clinical, about_clipped, about_evidence
from ..model.training_marks import about_patient
from ..prediction import ModelIdentity, OperatingPoint
from .bands import Bands
from .course import QUANTITIES, Course
from .explain import explain
from .prediction import ResponsePrediction, VisitPrediction
from .reader import Reading, read_course, was_measured
from .settings import Formula, ResponseSettings
from .warnings import (
    about_clipped_changes,
    about_clipped_levels,
    about_estimated,
    about_gone,
    about_group,
    about_validity,
    about_visits,
)

_NOTHING = 1e-12  # log-odds squared


@dataclass(frozen=True, eq=False)
class ResponseModel:
    """A model of the response to treatment.

    Args:
        card: the facts for people.
        schema: clinical variables.
        settings: all numbers.
        checksum: of its bundle; "" for a model that was not read from one.
        path: of its bundle, if there is one.
        training_patients: marks of the identifiers that it was trained on, see `training_marks`.
    """

    card: ModelCard
    schema: ClinicalSchema
    settings: ResponseSettings
    checksum: str = ""
    path: Path | None = None
    training_patients: frozenset[str] = frozenset()

    @property
    def lacking(self) -> tuple[str, ...]:
        """Return what a bundle of an earlier version lacks: nothing so far, see `Bundle.lacking`."""
        return ()

    @property
    def bands(self) -> Bands:
        """Return the bands of the trial's responders and non-responders."""
        return self.settings.bands

    @cached_property
    def identity(self) -> ModelIdentity:
        """Return the description of the model in a prediction."""
        return self.card.identify(self.checksum, self.settings.base_rate)

    def predict(self, course: Course, operating_point: str | None = None) -> ResponsePrediction:
        """Return the probability after each visit of a course, each from what was known until then.

        Args:
            course: any visits, with any values missing.
            operating_point: name; by default the first of each formula.

        Raises:
            DataError: if the course has no visit, a value is negative or not finite, a clinical value is outside the
                schema, or a formula has no operating point of that name.
        """
        if not course.visits:
            raise DataError("a course must have a visit, got none; give the exam or the values of one, such as T0")
        values = self.schema.parse(course.clinical)
        alone = Course({}, course.clinical)
        known = tuple(about_patient(course.patient_id, self.training_patients))
        each = (self._at(course.until(visit.name), values, operating_point) for visit in course)
        return ResponsePrediction(
            visits=tuple(replace(after, notices=(*known, *after.notices)) for after in each),
            notices=(*known, *self._about_clinical(course, values)),
            model=self.identity,
            clinical=self.schema.describe(values),
            clinical_probability=logit_to_probability(self.logit(alone, values)),
            not_read=self._not_read(course),
            versions=library_versions(),
        )

    def logit(self, course: Course, clinical: Mapping[str, Value]) -> float:
        """Return the calibrated logit of a course as known at its last visit, the mean of all fits.

        Args:
            course: any visits, or none.
            clinical: values of the schema's variables, None if unknown.

        Raises:
            DataError: as `predict`.
        """
        formula, reading = self._read(course, clinical)
        return float(self._logits(formula, reading).mean())

    def _read(self, course: Course, values: Mapping[str, Value]) -> tuple[Formula, Reading]:
        """Return the formula for the visits that were measured, and what it reads of them."""
        seen = tuple(v.name for v in course if v.name in self.settings.visits and was_measured(v, self.settings))
        formula = self.settings.formula(seen)
        used = Course({name: course.visits[name] for name in formula.visits if name in seen})
        return formula, read_course(self.settings, self.schema, used, values)

    def _logits(self, formula: Formula, reading: Reading) -> np.ndarray:
        """Return the calibrated logit of each fit, (F,)."""
        return formula.constants + self.settings.weights(formula) @ reading.numbers

    def _at(self, course: Course, values: Mapping[str, Value], operating_point: str | None) -> VisitPrediction:
        formula, reading = self._read(course, values)
        fits = expit(self._logits(formula, reading))
        evidence = explain(formula, reading, self.schema, values, self._possibilities(course, values))
        point = _choose_point(formula, operating_point)
        interval = float(fits.min()), float(fits.max())
        estimated = _estimated(formula, reading)
        missing = _missing_interval(formula, reading, evidence.logit)
        used = [v.name for v in course if v.name in formula.visits and was_measured(v, self.settings)]
        notices = [
            *course.visits[course.last].notices,
            *about_validity(self.card, course.visits[course.last]),
            *about_visits([v for v in course if v.name not in used], self.settings),
            *about_gone(course, formula, reading),
            *about_clipped_levels(reading.clipped, reading, course.last),
            *about_clipped_changes(reading.clipped_changes(formula), reading, course.last),
            *about_estimated(estimated, missing, formula, self.settings.costs, _known_quantities(formula, reading)),
            *about_agreement(interval, point),
            *about_evidence(evidence),
        ]
        return VisitPrediction(
            visit=course.last,
            probability=logit_to_probability(evidence.logit),
            interval=interval,
            fit_probabilities=tuple(fits.tolist()),
            evidence=evidence,
            operating_point=point,
            operating_points=formula.operating_points,
            notices=tuple(notices),
            used=tuple(used),
            estimated=tuple(f"{label} at {visit}" for label, visits in estimated.items() for visit in visits),
            missing_interval=missing,
        )

    def _about_clinical(self, course: Course, values: Mapping[str, Value]) -> list[Notice]:
        return [
            *about_clinical(self.schema, values, course.clinical),
            *about_clipped(self.schema.find_clipped(values, {})),
            *about_group(self.settings, self.schema, values),
        ]

    def _possibilities(self, course: Course, values: Mapping[str, Value]) -> dict[str, tuple[Possibility, ...]]:
        """Return the answer for each likely value of each clinical variable that is unknown."""
        unknown = [variable for variable in self.schema.asked if values.get(variable.name) is None]
        now = self.logit(course, values) if unknown else 0.0
        return {variable.name: tuple(self._possible(course, values, variable, now)) for variable in unknown}

    def _possible(
        self, course: Course, values: Mapping[str, Value], variable: Number | Category, now: float
    ) -> list[Possibility]:
        found = []
        for value in possible_values(variable):
            logit = self.logit(course, {**values, variable.name: value})
            found.append(Possibility(variable.describe(value), logit - now, logit_to_probability(logit)))
        return found

    def _not_read(self, course: Course) -> tuple[str, ...]:
        """Return the labels of the quantities that were measured and have no part in this model."""
        read = {scale.quantity for scale in self.settings.scales}
        given = {q.name for q in QUANTITIES for visit in course if visit.values.get(q.name) is not None}
        return tuple(quantity.label for quantity in QUANTITIES if quantity.name in given - read)


def library_versions() -> dict[str, str]:
    """Return the versions of what a prediction is made with; torch is not among them."""
    return dict(_library_versions())


@cache
def _library_versions() -> dict[str, str]:
    found = {"breastpcr": __version__, "numpy": np.__version__, "python": platform.python_version()}
    try:
        return {**found, "scipy": version("scipy")}
    except PackageNotFoundError:
        return found


def _choose_point(formula: Formula, name: str | None) -> OperatingPoint:
    points = {point.name: point for point in formula.operating_points}
    if name is None:
        return formula.operating_points[0]
    if name not in points:
        raise DataError(f"operating point {name!r} is not in this model; use {', '.join(points)}")
    return points[name]


def _unknown_columns(formula: Formula, reading: Reading) -> set[str]:
    """Return the levels that a formula reads and nobody knows."""
    read = {name for each in reading.settings.inputs if each.name in formula.inputs for name in each.columns}
    return {
        name
        for name, known in zip(reading.settings.filling.columns, reading.filled.known, strict=True)
        if name in read and not known
    }


def _estimated(formula: Formula, reading: Reading) -> dict[str, list[str]]:
    """Return what was estimated: label of a quantity to visits."""
    unknown = _unknown_columns(formula, reading)
    found: dict[str, list[str]] = {}
    for level in reading.settings.levels:
        if level.name in unknown:
            found.setdefault(reading.scale(level).measure.label, []).append(level.visit)
    return found


def _known_quantities(formula: Formula, reading: Reading) -> set[str]:
    """Return the quantities of a formula of which nothing had to be estimated."""
    unknown = _unknown_columns(formula, reading)
    read = [each for each in reading.settings.inputs if each.name in formula.inputs]
    missing = {each.quantity for each in read if unknown.intersection(each.columns)}
    return {each.quantity for each in read} - missing


def _missing_interval(formula: Formula, reading: Reading, logit: float) -> tuple[float, float] | None:
    """Return the 5th and 95th percentile of the probability if all that is unknown were known; None if nothing is."""
    weights = reading.settings.weights(formula).mean(0)
    variance = float(weights @ reading.spread @ weights)
    if variance <= _NOTHING:
        return None
    away = NORMAL_95 * math.sqrt(variance)
    return logit_to_probability(logit - away), logit_to_probability(logit + away)
