"""What a bundle holds beside its formulas: bands and groups of the training patients, and what unknown values cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
from PCRPredictorLib.clinical import Category
from PCRPredictorLib.response.bands import Band, Bands
from PCRPredictorLib.response.course import Course
from PCRPredictorLib.response.settings import Cost, Group, ResponseSettings
from PCRPredictorLib.visits.columns import DIAMETER, VOLUME

from ..statistics.operating import Outcome
from .fit import ROWS, Fitted
from .measure import repeated_auc
from .validate import ALL, Part

_GROUPED = ("hr", "her2")  # variables that divide the training patients
_QUARTILES = (25, 50, 75)


def complete(
    fitted: Fitted, courses: Sequence[Course], labels: np.ndarray, outcomes: Mapping[str, Outcome]
) -> ResponseSettings:
    """Return the settings of a bundle.

    Args:
        courses: of the N training patients.
        labels: (N,) 0 or 1.
        outcomes: out of fold, of the parts of `parts_of_run`.
    """
    return replace(
        fitted.settings,
        bands=Bands(tuple(_bands(fitted.settings, courses, labels))),
        groups=tuple(_groups(fitted, courses, labels)),
        costs=tuple(_costs(outcomes, labels)),
    )


def parts_of_run(courses: Sequence[Course]) -> list[Part]:
    """Return the parts that a run is validated with: visits in a row, with all quantities, one alone, and none."""
    seen = {name for course in courses for name in course.visits}
    rows = [row for row in ROWS if set(row) <= seen]
    known = {q for q in ALL for course in courses for visit in course if visit.values.get(q) is not None}
    found = [Part(name_of(()), ())]
    found += [Part(name_of(row), row) for row in rows]
    found += [Part(name_of(row, q), row, (q,)) for q in (VOLUME, DIAMETER) if q in known for row in rows]
    return found


def name_of(visits: Sequence[str], quantity: str = "") -> str:
    """Return the name of a part: "T0 + T1", or "T0 + T1, longest_diameter_mm"."""
    return (" + ".join(visits) or "clinical values") + (f", {quantity}" if quantity else "")


def _bands(settings: ResponseSettings, courses: Sequence[Course], labels: np.ndarray) -> list[Band]:
    found = []
    for level, responders in product(settings.levels, (True, False)):
        own = [course for course, label in zip(courses, labels, strict=True) if label == responders]
        values = [
            value
            for course in own
            if level.visit in course.visits
            and (value := course.visits[level.visit].values.get(level.quantity)) is not None
        ]
        if values:
            low, median, high = (float(f"{x:.6g}") for x in np.percentile(values, _QUARTILES))
            found.append(Band(level.quantity, level.visit, responders, low, median, high, len(values)))
    return found


def _groups(fitted: Fitted, courses: Sequence[Course], labels: np.ndarray) -> list[Group]:
    variables = [v for v in fitted.schema.variables if isinstance(v, Category) and v.name in _GROUPED]
    if not variables:
        return []
    found = []
    for values in product(*(variable.codings for variable in variables)):
        wanted = dict(zip((variable.name for variable in variables), values, strict=True))
        inside = np.array([all(c.clinical.get(n) == v for n, v in wanted.items()) for c in courses])
        found.append(Group(wanted, int(inside.sum()), int(labels[inside].sum())))
    return found


def _costs(outcomes: Mapping[str, Outcome], labels: np.ndarray) -> list[Cost]:
    found = []
    for row, quantity in product(ROWS, (VOLUME, DIAMETER)):
        part, every = (outcomes.get(name) for name in (name_of(row, quantity), name_of(row)))
        if part is not None and every is not None:
            aucs = [float(f"{repeated_auc(each, labels).value:.6g}") for each in (part, every)]
            found.append(Cost(row, (quantity,), *aucs))
    return found
