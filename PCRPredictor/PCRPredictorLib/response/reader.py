"""A course as a response model reads it: which values are known, clipped, gone or estimated."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..clinical import ClinicalSchema, Value
from ..errors import DataError
from .course import Course, Visit
from .filling import Filled
from .inputs import Input, Level, Scale, read_clinical
from .settings import Formula, ResponseSettings


@dataclass(frozen=True)
class ClippedLevel:
    """A value that the model reads as the nearer limit of the training patients' range, in the quantity's unit."""

    level: Level
    value: float
    used: float


@dataclass(frozen=True)
class ClippedChange:
    """A change that the model reads as the nearer limit of the training patients' changes.

    Args:
        change: the input.
        before, now: values at both visits, in the quantity's unit.
        used: value now of the limit, given the value before, in the quantity's unit.
        allowed: values now, given the value before, that are inside the range, in the quantity's unit.
    """

    change: Input
    before: float
    now: float
    used: float
    allowed: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Reading:
    """The numbers of a course.

    Args:
        settings: of the model.
        values: known value of each level, in its quantity's unit, not clipped.
        gone: levels whose value is that of a tumour that is gone.
        clipped: levels read as a limit.
        filled: every column.
    """

    settings: ResponseSettings
    values: Mapping[str, float]
    gone: frozenset[str]
    clipped: tuple[ClippedLevel, ...]
    filled: Filled

    @cached_property
    def numbers(self) -> np.ndarray:
        """All of `settings.names`, (N,), changes inside the range of the training patients."""
        numbers = self.settings.matrix @ self.filled.numbers
        for k, each in enumerate(self.settings.inputs):
            numbers[k] = each.clip(float(numbers[k]))
        return numbers

    @property
    def average(self) -> np.ndarray:
        """The inputs and clinical columns of the average training patient, (N,)."""
        return self.settings.matrix @ np.asarray(self.settings.filling.average, float)

    @property
    def spread(self) -> np.ndarray:
        """Covariance of the inputs and clinical columns given what is known, (N, N)."""
        return self.settings.matrix @ self.filled.covariance @ self.settings.matrix.T

    def is_known(self, each: Input) -> bool:
        """Return True if all that an input is made of is known."""
        return all(self.filled.known[self.settings.filling.columns.index(name)] for name in each.columns)

    def value(self, name: str) -> float:
        """Return the value of a level that is read, known or estimated, in its quantity's unit."""
        limit = next((each.used for each in self.clipped if each.level.name == name), None)
        if limit is not None or name in self.values:
            return self.values[name] if limit is None else limit
        scale = _scale_of(self.settings, name)
        return scale.undo(float(self.filled.numbers[self.settings.filling.columns.index(name)]))

    def scale(self, each: Input | Level) -> Scale:
        """Return the scale of an input's quantity."""
        return next(scale for scale in self.settings.scales if scale.quantity == each.quantity)

    def clipped_changes(self, formula: Formula) -> list[ClippedChange]:
        """Return the changes of a formula that are read as a limit, if both values are known."""
        found, part_of_it = [], set(formula.inputs)
        before_limits = self.settings.matrix @ self.filled.numbers
        for each, raw, used in zip(self.settings.inputs, before_limits, self.numbers, strict=False):
            if each.since is not None and each.name in part_of_it and raw != used and self.is_known(each):
                now, before = map(self.value, each.columns)
                scale = self.scale(each)
                ends = [scale.undo(scale.read(before) + end) for end in (each.low, each.high) if end is not None]
                limit = scale.undo(scale.read(before) + float(used))
                allowed = (min(ends) if each.low is not None else 0.0, max(ends) if each.high is not None else math.inf)
                found.append(ClippedChange(each, before, now, limit, allowed))
        return found


def read_course(
    settings: ResponseSettings, schema: ClinicalSchema, course: Course, clinical: Mapping[str, Value]
) -> Reading:
    """Return the numbers of a course.

    Args:
        settings, schema: of the model.
        course: only its visits are read.
        clinical: values of the variables that are asked for, None if unknown.

    Raises:
        DataError: if a value is negative or not finite.
    """
    values: dict[str, float] = {}
    numbers = read_clinical(schema, clinical)
    gone, clipped = set(), []
    for level in settings.levels:
        visit = course.visits.get(level.visit)
        scale = next(scale for scale in settings.scales if scale.quantity == level.quantity)
        value = _value_at(visit, scale) if visit is not None else None
        if visit is None or value is None:
            continue
        if not (math.isfinite(value) and value >= 0):
            raise DataError(f"{level.name} must be a number from 0 on, got {value:g}; leave it out if it is unknown")
        values[level.name] = value
        if visit.values.gone and visit.values.get(level.quantity) in (None, 0):
            gone.add(level.name)
        used = min(max(value, level.low), level.high)
        numbers[level.name] = scale.read(used)
        if used != value:
            clipped.append(ClippedLevel(level, value, used))
    return Reading(settings, values, frozenset(gone), tuple(clipped), settings.filling.fill(numbers))


def was_measured(visit: Visit, settings: ResponseSettings) -> bool:
    """Return True if the model reads anything of a visit."""
    at = [scale for scale in settings.scales if any(_is(level, scale, visit) for level in settings.levels)]
    return any(_value_at(visit, scale) is not None for scale in at)


def _value_at(visit: Visit, scale: Scale) -> float | None:
    """Return the value of a quantity; of a tumour that is gone, the one that it has then."""
    value = visit.values.get(scale.quantity)
    return scale.gone if value is None and visit.values.gone else value


def _is(level: Level, scale: Scale, visit: Visit) -> bool:
    return (level.quantity, level.visit) == (scale.quantity, visit.name)


def _scale_of(settings: ResponseSettings, name: str) -> Scale:
    quantity = next(level.quantity for level in settings.levels if level.name == name)
    return next(scale for scale in settings.scales if scale.quantity == quantity)
