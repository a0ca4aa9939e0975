"""The report of a follow-up: one HTML file without scripts, to be read and printed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import Notice
from ..formatting import MISSING, format_entered
from ..report.bars import make_bars
from ..report.page import describe_image
from ..report.rendering import render
from ..report.trust_words import describe_calibration
from ..report.wording import Translate, describe_model
from ..response.course import Course
from ..response.prediction import ResponsePrediction
from .content import name_of
from .words import (
    describe_changes,
    describe_chart,
    describe_clinical_alone,
    describe_comparison,
    describe_course,
    describe_day,
    describe_decision,
    describe_gone,
    describe_missing,
    describe_not_for,
    describe_not_read,
    describe_probability,
    describe_values,
    describe_when,
    format_probability,
    list_warnings,
)

if TYPE_CHECKING:
    from ..model.card import ModelCard

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Pictures:
    """The pictures of the report.

    Args:
        chart: SVG.
        comparison: PNG, None if there is none.
        why_none: why there is no comparison, "" if there is one.
    """

    chart: str
    comparison: bytes | None = None
    why_none: str = ""


def render_follow_up(
    course: Course,
    prediction: ResponsePrediction | None,
    pictures: Pictures,
    *,
    card: ModelCard | None = None,
    notices: Iterable[Notice] = (),
    show_patient_id: bool = False,
) -> str:
    """Return the report of a follow-up as HTML, what changed first.

    Args:
        prediction: None for a report of the measurements alone.
        card: of the model, for its limits.
        notices: warnings about the course.
        show_patient_id: name the patient. Otherwise the report shows neither a name nor a date.
    """
    return render(
        "follow.html.j2",
        TEMPLATES,
        title="Follow-up of a tumour under neoadjuvant therapy",
        result_name=name_of(course, prediction),
        patient=(course.patient_id or "without an identifier") if show_patient_id else "",
        changed=_lines(describe_changes(course)),
        gone=describe_gone(course),
        not_for=describe_not_for(),
        warnings=_warnings(course, prediction, notices),
        chart=pictures.chart,
        chart_text=describe_chart(course, prediction),
        chart_caption=_chart_caption(prediction),
        comparison=pictures.comparison,
        comparison_text=describe_comparison(),
        why_no_comparison=pictures.why_none,
        visits=[_visit(name, course) for name in course.days],
        values=describe_values(course),
        images=_images(course),
        **_of_the_model(course, prediction, card),
    )


def _warnings(course: Course, prediction: ResponsePrediction | None, notices: Iterable[Notice]) -> list[str]:
    found = list_warnings(course, prediction, notices)
    return [f"{visits}: {notice.message}" if visits else notice.message for visits, notice in found]


def _of_the_model(course: Course, prediction: ResponsePrediction | None, card: ModelCard | None) -> dict[str, object]:
    """Return what the report shows of a prediction."""
    if prediction is None:
        return {
            **dict.fromkeys(("last", "bars", "model"), None),
            **dict.fromkeys(("probability", "probability_line", "decision", "each_visit", "model_line"), ""),
            **dict.fromkeys(("clinical_alone", "not_read"), ""),
            "missing": [],
            "clinical": {name: format_entered(value) for name, value in course.clinical.items()},
        }
    last = prediction.last
    return {
        "last": last,
        "probability": format_probability(last),
        "probability_line": describe_probability(last, prediction.model.base_rate),
        "decision": describe_decision(last, prediction.model.base_rate),
        "clinical_alone": describe_clinical_alone(prediction),
        "not_read": describe_not_read(prediction),
        "each_visit": describe_course(prediction) if len(prediction.visits) > 1 else "",
        "model_line": f"{describe_model(prediction.model)} {describe_calibration(prediction.model)}",
        "missing": describe_missing(course, last),
        "bars": make_bars(last.evidence),
        "clinical": dict(prediction.clinical),
        "model": _model(prediction, card),
    }


def _model(prediction: ResponsePrediction, card: ModelCard | None) -> dict[str, str]:
    model = prediction.model
    return {
        "Name and version": f"{model.name} {model.version}",
        "Trained on": model.training_data,
        "Intended use": model.intended_use,
        "Not for": card.not_intended_use if card is not None else "",
        "Limits": card.known_limits if card is not None else "",
        "Licence": model.licence,
        "Checksum": f"SHA-256 {model.checksum[:16]}",
        "Software": ", ".join(f"{name} {version}" for name, version in prediction.versions.items()),
    }


def _chart_caption(prediction: ResponsePrediction | None, _: Translate = str) -> str:
    text = _(
        "The scale of volume and diameter is logarithmic, and straight near 0. A visit that was not reached is blank."
    )
    if prediction is None:
        return text
    return (
        text
        + " "
        + _(
            "Bars: lowest and highest probability among the fits of the model, which is no confidence interval; thin: "
            "what it could be if nothing were unknown, in 9 of 10 patients."
        )
    )


def _visit(name: str, course: Course) -> dict[str, str]:
    return {"name": name, "when": describe_when(name), "day": describe_day(course.days[name])}


def _images(course: Course) -> dict[str, dict[str, str]]:
    """Return lattice and phases of each exam: label to visit to value; empty without images."""
    found = {visit.name: describe_image(visit.exam) for visit in course if visit.exam is not None}
    labels = dict.fromkeys(label for rows in found.values() for label in rows)
    return {label: {name: found.get(name, {}).get(label, MISSING) for name in course.visits} for label in labels}


def _lines(text: str) -> list[str]:
    return [text] if text else []
