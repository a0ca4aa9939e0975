"""The visits as a table: when, what was measured, how it changed, and the probability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...follow.words import describe_briefly, describe_day, format_change, format_quantity
from ...report.wording import Translate
from ...response.course import change
from .analysis import Analysis
from .entry import VisitEntry

VOLUME, DIAMETER = "functional_volume_ml", "longest_diameter_mm"


@dataclass(frozen=True)
class VisitRow:
    """A visit in words.

    Args:
        name: as "T1".
        title: of its exam.
        when: as "day 22" after the first visit; "" if that is unknown.
        tumour: what counts as its tumour, or what is missing.
        volume: functional tumour volume with its unit; "" before it is measured.
        diameter: longest diameter within a slice, with its unit.
        change: of the volume against the first visit; "" if the visits are of different patients.
        probability: after this visit, or that no decision is given; "" before a prediction or if it is stale.
        is_open: True if its exam is the one that is open.
        can_show: True if it has an exam.
        use: what counts as its tumour, see `VisitEntry`.
        day: after the first visit, as the user gave it; "" if the exams' dates count.
    """

    name: str
    title: str
    when: str
    tumour: str
    volume: str = ""
    diameter: str = ""
    change: str = ""
    probability: str = ""
    is_open: bool = False
    can_show: bool = True
    use: str = "drawn"
    day: str = ""


def rows_of(analysis: Analysis, _: Translate = str) -> list[VisitRow]:
    """Return a row for each visit on the table."""
    return [_row(entry, analysis, _) for entry in analysis.visits.entries.values()]


def _row(entry: VisitEntry, analysis: Analysis, _: Translate) -> VisitRow:
    visits, first = analysis.visits, next(iter(analysis.visits.entries.values()))
    is_comparable = first is not entry and analysis.is_one_patient
    values = entry.values if analysis.is_current(entry) else None
    before = first.values if is_comparable and analysis.is_current(first) else None
    changed = change(before.get(VOLUME), values.get(VOLUME)) if before is not None and values is not None else None
    return VisitRow(
        entry.name,
        entry.title,
        _when(entry, list(visits.entries.values()), _),
        _tumour(entry, visits.problem_of(entry) is not None, _),
        format_quantity(VOLUME, values.get(VOLUME)) if values is not None else "",
        format_quantity(DIAMETER, values.get(DIAMETER)) if values is not None else "",
        format_change(changed),
        _probability(entry.name, analysis, _),
        entry.name == visits.active,
        entry.exam is not None,
        entry.use,
        "" if entry.day is None else str(entry.day),
    )


def day_of(entry: VisitEntry, entries: Sequence[VisitEntry]) -> int | None:
    """Return the day of a visit, 0 for the first: as the user says, or by the dates of the exams; None if unknown."""
    first = entries[0]
    if any(each.day is not None for each in entries):
        return entry.day if entry is not first else entry.day or 0
    return (entry.date - first.date).days if entry.date is not None and first.date is not None else None


def _when(entry: VisitEntry, entries: Sequence[VisitEntry], _: Translate) -> str:
    return describe_day(day_of(entry, entries), _)


def _tumour(entry: VisitEntry, is_missing: bool, _: Translate) -> str:
    if entry.given is not None:
        return _("values from a table")
    if is_missing:
        return _("mask needed")
    return {"drawn": _("as drawn"), "gone": _("gone"), "baseline": _("inside the baseline's outline")}[entry.use]


def _probability(name: str, analysis: Analysis, _: Translate) -> str:
    if analysis.answer is None or analysis.answer.prediction is None or analysis.is_stale:
        return ""
    found = [after for after in analysis.answer.prediction.visits if after.visit == name]
    return describe_briefly(found[0], _) if found else ""
