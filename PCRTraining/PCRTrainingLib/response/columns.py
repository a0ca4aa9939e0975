"""The columns of training patients: which levels they have, on which scales, and how unknown ones are estimated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.prediction import OperatingPoint
from PCRPredictorLib.response.course import QUANTITIES, VISITS, Course
from PCRPredictorLib.response.filling import Filling
from PCRPredictorLib.response.inputs import Input, Level, Scale, clinical_columns
from PCRPredictorLib.response.reader import read_course
from PCRPredictorLib.response.settings import Fit, Formula, ResponseSettings

from ..schema import KNOWN, fit_scaling

SCALES = {
    scale.quantity: scale
    for scale in (
        Scale("functional_volume_ml", "log", 0.1),
        Scale("longest_diameter_mm", "sqrt"),
        Scale("sphericity", "none"),
        Scale("background_enhancement_percent", "log", 1.0),
        Scale("highest_ser", "none"),
    )
}
_FEWEST = 10  # patients with a value
_SHRINKAGE = 0.05  # of correlations towards 0
_ROUNDS, _SMALL = 50, 1e-8  # of the estimate with unknown values


@dataclass(frozen=True, eq=False)
class Columns:
    """The columns of N training patients.

    Args:
        schema: clinical variables, scaled to them.
        settings: scales, levels and filling; without a formula that means anything.
        raw: (N, C), nan where a value is unknown.
        notes: sentences about what was left out.
    """

    schema: ClinicalSchema
    settings: ResponseSettings
    raw: np.ndarray
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the C columns."""
        return self.settings.filling.columns

    def known_until(self, visits: Sequence[str]) -> np.ndarray:
        """Return the columns, (N, C), filled from clinical values and from what was measured at these visits alone."""
        outside = [k for k, level in enumerate(self.settings.levels) if level.visit not in visits]
        rows = self.raw.copy()
        rows[:, outside] = np.nan
        return fill_rows(self.settings.filling, rows)

    def seen_at(self, visits: Sequence[str]) -> np.ndarray:
        """Return who was measured at each of the visits, bool (N,)."""
        has = np.ones(len(self.raw), bool)
        for visit in visits:
            own = [k for k, level in enumerate(self.settings.levels) if level.visit == visit]
            has &= np.isfinite(self.raw[:, own]).any(1)
        return has


def read_columns(
    courses: Sequence[Course], labels: np.ndarray, quantities: Sequence[str], clinical: Sequence[str]
) -> Columns:
    """Return the columns of training patients.

    Args:
        labels: (N,) 0 or 1; by them, unknown values are estimated within the classes.
        quantities: that may be read.
        clinical: variables that may be read.
    """
    asked = ClinicalSchema(tuple(KNOWN[name] for name in clinical))
    values = [asked.parse_each(course.clinical)[0] for course in courses]
    known = ClinicalSchema(tuple(v for v in asked.variables if any(row[v.name] is not None for row in values)))
    schema, notes = fit_scaling(known, values)
    absent = [f"no patient has a value of {name}" for name in clinical if name not in {v.name for v in known.variables}]
    levels = tuple(find_levels(courses, quantities))
    names = (*(level.name for level in levels), *clinical_columns(schema))
    unit = Filling(names, (0.0,) * len(names), tuple(map(tuple, np.eye(len(names)).tolist())), (0.0,) * len(names))
    nothing = Formula((), (Fit(0.0, {}),), (1.0, 0.0), (OperatingPoint("balanced", 0.5),))
    scales = tuple(scale for name, scale in SCALES.items() if any(level.quantity == name for level in levels))
    settings = ResponseSettings(scales, levels, (), unit, (nothing,))
    raw = np.stack([_row(settings, schema, course) for course in courses])
    return Columns(schema, replace(settings, filling=fit_filling(names, raw, labels)), raw, (*absent, *notes))


def _row(settings: ResponseSettings, schema: ClinicalSchema, course: Course) -> np.ndarray:
    filled = read_course(settings, schema, course, schema.parse_each(course.clinical)[0]).filled
    return np.where(filled.known, filled.numbers, np.nan)


def find_levels(courses: Sequence[Course], quantities: Sequence[str]) -> list[Level]:
    """Return the quantities at visits that enough patients have, with their range: 1st to 99th percentile."""
    found = []
    for quantity in (each for each in QUANTITIES if each.name in quantities):
        for visit in VISITS:
            own = (course.visits[visit].values.get(quantity.name) for course in courses if visit in course.visits)
            values = [value for value in own if value is not None]
            if len(values) < _FEWEST:
                continue
            low, high = (float(x) for x in np.percentile(values, [1, 99]))
            low = low if quantity.when_gone is None or visit == VISITS[0] else quantity.when_gone
            found.append(Level(quantity.name, visit, _round(low), _round(high)))
    return found


def _round(value: float) -> float:
    return float(f"{value:.6g}")


def fit_filling(names: tuple[str, ...], raw: np.ndarray, labels: np.ndarray) -> Filling:
    """Return mean and covariance of the columns within the classes, by which unknown values are estimated.

    The mean is that of the two classes' means. With it and the covariance within the classes, what is known moves an
    unknown value, but the share of the classes does not (see `filling`). Values that are unknown here are estimated in
    rounds; the covariance of what is left is added, as in the EM algorithm. Correlations are shrunk by 5 %.

    Args:
        names: of the C columns.
        raw: (N, C), nan where a value is unknown.
        labels: (N,) 0 or 1.

    Source: Little and Rubin, Statistical Analysis with Missing Data, 3rd ed., 2019, chapter 11.
    """
    classes = [labels == value for value in (0, 1) if (labels == value).any()]
    overall = np.nan_to_num(np.nanmean(raw, 0))
    means = [np.where(np.isfinite(raw[own]).any(0), _mean_of_known(raw[own]), overall) for own in classes]
    covariance = np.diag(np.nanvar(raw, 0) + _SMALL)
    for _ in range(_ROUNDS):
        before = covariance
        means, covariance = _round_of_em(raw, classes, means, covariance)
        if not np.isnan(raw).any() or np.abs(covariance - before).max() < _SMALL:
            break
    diagonal = np.diag(np.diag(covariance))
    shrunk = (1 - _SHRINKAGE) * covariance + _SHRINKAGE * diagonal
    average = sum(own.mean() * mean for own, mean in zip(classes, means, strict=True))
    rows = tuple(tuple(map(to_precision, row)) for row in shrunk.tolist())
    return Filling(names, tuple(map(to_precision, np.mean(means, 0))), rows, tuple(map(to_precision, average)))


def _mean_of_known(rows: np.ndarray) -> np.ndarray:
    """Return the mean of each column over its known values; 0 if there are none."""
    known = np.isfinite(rows)
    return np.where(known, rows, 0.0).sum(0) / np.maximum(known.sum(0), 1)


def _round_of_em(
    raw: np.ndarray, classes: Sequence[np.ndarray], means: Sequence[np.ndarray], covariance: np.ndarray
) -> tuple[list[np.ndarray], np.ndarray]:
    total, new = np.zeros_like(covariance), []
    for own, mean in zip(classes, means, strict=True):
        filled, rest = _expect(raw[own], mean, covariance)
        new.append(filled.mean(0))
        centred = filled - filled.mean(0)
        total += centred.T @ centred + rest
    return new, total / len(raw)


def _expect(rows: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows with unknown values as expected, and the sum of their covariances given what is known."""
    filled, rest = rows.copy(), np.zeros_like(covariance)
    for pattern in np.unique(np.isfinite(rows), axis=0):
        if pattern.all():
            continue
        here = (np.isfinite(rows) == pattern).all(1)
        slopes = covariance[np.ix_(~pattern, pattern)] @ np.linalg.pinv(
            covariance[np.ix_(pattern, pattern)], hermitian=True
        )
        filled[np.ix_(here, ~pattern)] = mean[~pattern] + (rows[np.ix_(here, pattern)] - mean[pattern]) @ slopes.T
        left = covariance[np.ix_(~pattern, ~pattern)] - slopes @ covariance[np.ix_(pattern, ~pattern)]
        rest[np.ix_(~pattern, ~pattern)] += here.sum() * left
    return filled, rest


def fill_rows(filling: Filling, rows: np.ndarray) -> np.ndarray:
    """Return rows, (N, C), with unknown values as `Filling.fill` estimates them."""
    return _expect(rows, np.asarray(filling.mean), np.asarray(filling.covariance))[0]


def read_input(each: Input, filled: np.ndarray, place: Mapping[str, int]) -> np.ndarray:
    """Return an input of all patients, (N,), inside its range.

    Args:
        each: level or change.
        filled: columns, (N, C).
        place: name of a column to its position.
    """
    now, *before = (filled[:, place[name]] for name in each.columns)
    low, high = (limit if limit is not None else end for limit, end in ((each.low, -np.inf), (each.high, np.inf)))
    return (now - before[0] if before else now).clip(low, high)


def to_precision(value: float) -> float:
    """Return a number with the digits that every machine agrees on."""
    return float(f"{value:.10g}")
