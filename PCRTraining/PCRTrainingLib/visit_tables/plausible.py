"""What looks wrong in the courses of many patients: visits swapped, a visit copied, tumours that grow."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import inf
from statistics import median

from PCRPredictorLib.errors import Problem
from PCRPredictorLib.formatting import format_percent
from PCRPredictorLib.response.course import QUANTITIES, VISITS, Course
from PCRPredictorLib.visits.columns import BACKGROUND, DIAMETER, VOLUME

_FEWEST = 10  # patients
_MOST_GROW = 0.6  # of them: in trials about one tumour in ten grows
_MOST_EQUAL = 0.9
_SMALL, _FEWEST_SMALL, _MOST_SMALL = 10.0, 3, 0.02  # mm before treatment; I-SPY 2: 1 of 384
_SHRUNK = 0.15  # median of what is left of tumours that are not gone; I-SPY 2 before surgery: 0.55
_USUAL = {VOLUME: (0.5, 200.0), DIAMETER: (8.0, 120.0), BACKGROUND: (3.0, 150.0)}  # medians before treatment


def find_warnings(courses: Sequence[Course]) -> list[str]:
    """Return a sentence for each pair of visits that may be swapped or the same."""
    found = [*_unusual(courses), *_other_units(courses)]
    for quantity in (VOLUME, DIAMETER):
        label = next(q.label for q in QUANTITIES if q.name == quantity)
        for one, other in combinations(VISITS, 2):
            pairs = _pairs(courses, quantity, one, other)
            if len(pairs) < _FEWEST:
                continue
            larger = sum(b > a for a, b in pairs) / len(pairs)
            if larger > _MOST_GROW:
                found.append(
                    f"{label} is larger at {other} than at {one} in {format_percent(larger)} of {len(pairs)} patients; "
                    "are the columns swapped?"
                )
            if sum(a == b for a, b in pairs) > _MOST_EQUAL * len(pairs):
                found.append(f"{label} at {other} is that of {one} in nearly every patient; is a column copied?")
    return found


def _unusual(courses: Sequence[Course]) -> list[str]:
    """Return a sentence for each quantity whose median before treatment is unlike that of any trial."""
    found = []
    for quantity in QUANTITIES:
        low, high = _USUAL.get(quantity.name, (0.0, inf))
        values = [v for course in courses if (v := _value(course, quantity.name, VISITS[0])) is not None]
        if len(values) >= _FEWEST and not low <= median(values) <= high:
            found.append(
                f"{quantity.label} at {VISITS[0]}: the median of {median(values):.3g} {quantity.unit} is unusual; is "
                "its unit right?"
            )
    return found


def _other_units(courses: Sequence[Course]) -> list[str]:
    """Return sentences about diameters that look like cm among mm: of some patients, or at one visit."""
    found = []
    known = [(c.patient_id or "?", d) for c in courses if (d := _value(c, DIAMETER, VISITS[0])) is not None]
    small = [name for name, diameter in known if 0 < diameter < _SMALL]
    if len(small) >= _FEWEST_SMALL and _MOST_SMALL * len(known) < len(small) <= 0.5 * len(known):
        found.append(
            f"Longest diameter at {VISITS[0]} is under {_SMALL:g} mm in {len(small)} of {len(known)} patients "
            f"({', '.join(small[:3])}{', ...' if len(small) > 3 else ''}); are theirs in cm?"
        )
    for visit in VISITS[1:]:
        left = [b / a for a, b in _pairs(courses, DIAMETER, VISITS[0], visit) if a > 0 < b]
        if len(left) >= _FEWEST and median(left) < _SHRUNK:
            found.append(
                f"Longest diameter at {visit} is {format_percent(median(left))} of that at {VISITS[0]} in the "
                "median; is its unit right?"
            )
    return found


def _pairs(courses: Sequence[Course], quantity: str, one: str, other: str) -> list[tuple[float, float]]:
    each = ((_value(course, quantity, one), _value(course, quantity, other)) for course in courses)
    return [(a, b) for a, b in each if a is not None and b is not None]


def _value(course: Course, quantity: str, visit: str) -> float | None:
    return course.visits[visit].values.get(quantity) if visit in course.visits else None


def find_doubtful(courses: Sequence[Course]) -> list[Problem]:
    """Return the patients with three visits or more whose volumes or diameters are all the same and above 0."""
    found = []
    for quantity in (VOLUME, DIAMETER):
        label = next(q.label for q in QUANTITIES if q.name == quantity)
        for course in courses:
            values = [value for visit in VISITS if (value := _value(course, quantity, visit)) is not None]
            if len(values) > 2 and len(set(values)) == 1 and values[0] > 0:
                found.append(Problem(course.patient_id or "?", f"{label} is the same at every visit; was it copied?"))
    return found
