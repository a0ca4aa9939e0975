"""The content of `follow.json` and `visits.csv`: numbers for programs, without dates and identifiers."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..errors import Notice
from ..exam import exam_to_json
from ..formatting import name_result
from ..prediction import RESEARCH_USE_ONLY
from ..registration.rigid import Registration
from ..response.course import QUANTITIES, Change, Course, Visit, change
from ..response.prediction import ResponsePrediction
from .words import describe_not_for

FORMAT = 1  # of `follow.json`
NOBODY = "1"  # patient of `visits.csv`, which tells the rows of one from those of another and names nobody
COLUMNS = ("patient_id", "visit", "day", *(quantity.name for quantity in QUANTITIES))


def to_json(
    course: Course,
    prediction: ResponsePrediction | None,
    registrations: Mapping[str, Registration],
    masks: Mapping[str, str],
    notices: tuple[Notice, ...] = (),
) -> dict[str, object]:
    """Return plain values for `follow.json`.

    Args:
        masks: by visit, the name of the file with its tumour.
        notices: warnings about the course.
    """
    general = prediction.to_json() if prediction is not None else {}
    return {
        **general,
        "result": name_of(course, prediction),
        "format": FORMAT,
        "visits": [
            {
                **_visit(visit, course),
                "tumour_mask": masks.get(visit.name),
                "registration": _registration(registrations.get(visit.name)),
                **_prediction(visit, prediction),
            }
            for visit in course
        ],
        "warnings": [vars(notice) for notice in (*notices, *(prediction.notices if prediction else ()))],
        "not_for": describe_not_for(),
        "disclaimer": RESEARCH_USE_ONLY,
    }


def name_of(course: Course, prediction: ResponsePrediction | None) -> str:
    """Return the name of a follow-up's result, see `formatting.name_result`."""
    of_the_model = [] if prediction is None else [prediction.model.checksum, dict(prediction.clinical)]
    found = [] if prediction is None else [after.fit_probabilities for after in prediction.visits]
    return name_result(to_rows(course), of_the_model, found)


def to_rows(course: Course) -> list[list[object]]:
    """Return the rows of `visits.csv`, one per visit, in the order of `COLUMNS`; empty if unknown."""
    days = course.days
    rows = [(NOBODY, visit.name, days[visit.name], *map(_rounded, _values(visit))) for visit in course]
    return [["" if cell is None else cell for cell in row] for row in rows]


def _values(visit: Visit) -> list[float | None]:
    return [visit.values.get(quantity.name) for quantity in QUANTITIES]


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")


def _visit(visit: Visit, course: Course) -> dict[str, object]:
    """Return what is known of a visit without a model."""
    earlier = list(course.until(visit.name))[:-1]
    days = course.days
    since = days[earlier[-1].name] if earlier else None
    day = days[visit.name]
    return {
        "visit": visit.name,
        "day": day,
        "days_since_previous_visit": None if since is None or day is None else day - since,
        "values": {quantity.name: visit.values.get(quantity.name) for quantity in QUANTITIES},
        "gone": visit.values.gone,
        "changes": {f"since_{other.name}": _changes(other, visit) for other in earlier},
        "warnings": [vars(notice) for notice in visit.notices],
        "exam": exam_to_json(visit.exam) if visit.exam is not None else None,
    }


def _changes(before: Visit, now: Visit) -> dict[str, object]:
    names = [quantity.name for quantity in QUANTITIES]
    return {name: _change(change(before.values.get(name), now.values.get(name))) for name in names}


def _change(found: Change | None) -> dict[str, float | None] | None:
    """Return a change; the logarithm of a value that is 0 is None, as JSON has no infinity."""
    if found is None:
        return None
    return {"percent": found.percent, "log_ratio": found.log_ratio if math.isfinite(found.log_ratio) else None}


def _registration(registration: Registration | None) -> dict[str, object] | None:
    if registration is None:
        return None
    return {
        "holds": registration.holds,
        "message": registration.message,
        **vars(registration.agreement),
        "matrix": registration.matrix.tolist(),
        "matrix_of": "points of the baseline, LPS in mm, to points of this visit",
    }


def _prediction(visit: Visit, prediction: ResponsePrediction | None) -> dict[str, object]:
    """Return the result after a visit; its `warnings` hold those of the visit, too, and take their place."""
    if prediction is None:
        return {}
    content = prediction.at(visit.name).to_json()
    return {name: value for name, value in content.items() if name != "visit"}
