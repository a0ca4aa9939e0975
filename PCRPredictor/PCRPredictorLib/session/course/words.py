"""What follows from the visits, as rich text for panel and page; the sentences are those of the report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from html import escape

from ...follow import words
from ...report.evidence_words import describe_bars
from ...report.wording import Translate, list_notices
from ...response.course import Course
from ...response.prediction import ResponsePrediction
from .analysis import Analysis


def describe_answer(analysis: Analysis, _: Translate = str) -> str:
    """Return how the tumour changed, the probability after the last visit, its evidence, and warnings; "" if none."""
    answer = analysis.answer
    if answer is None:
        return ""
    stale = _("Changed since this result; measure or predict again.") if analysis.is_stale else ""
    parts = [f"<b>{escape(stale)}</b>" if stale else "", *map(escape, _about_course(answer.course, _))]
    if answer.prediction is not None:
        parts += _about_prediction(answer.course, answer.prediction, _)
    found = words.list_warnings(answer.course, answer.prediction, answer.notices)
    named = [replace(each, message=f"{visits}: {each.message}") if visits else each for visits, each in found]
    return _paragraphs([*parts, list_notices(named, _)])


def _about_course(course: Course, _: Translate) -> list[str]:
    return [words.describe_changes(course, _), words.describe_gone(course, _)]


def _about_prediction(course: Course, prediction: ResponsePrediction, _: Translate) -> list[str]:
    after = prediction.visits[-1]
    shown = escape(words.describe_probability(after, prediction.model.base_rate, _))
    plain = [words.describe_decision(after, prediction.model.base_rate, _), words.describe_course(prediction, _)]
    plain += words.describe_missing(course, after, _)
    reasons = "<br>".join(escape(notice.message) for notice in after.reasons_against)
    withheld = f"<b>{escape(_('No decision.'))}</b> {reasons}"
    return [
        f"{withheld}<br><small>{shown}</small>" if reasons else f"<big><b>{shown}</b></big>",
        *map(escape, plain),
        describe_bars(after.evidence, _),
        escape(words.describe_not_for(_)),
    ]


def _paragraphs(parts: Iterable[str]) -> str:
    return "".join(f"<p>{part}</p>" for part in parts if part)
