"""Warnings that go with a prediction of a response model, in words for a radiologist."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..clinical import ClinicalSchema, Value
from ..errors import Notice
from ..formatting import format_percent
from ..model.card import ModelCard
from .course import Course, Visit
from .reader import ClippedChange, ClippedLevel, Reading, was_measured
from .settings import Cost, Formula, ResponseSettings

FEW = 10  # training patients with the same clinical values


def about_visits(not_used: Iterable[Visit], settings: ResponseSettings) -> Iterable[Notice]:
    """Yield warnings about visits that have no part in the probability: nothing was measured, or the model cannot."""
    visits = list(not_used)
    if others := [v.name for v in visits if was_measured(v, settings) or v.name not in settings.visits]:
        text = f"This model was not trained with {_join(others)} here; what was measured then is not used."
        yield Notice("visit_not_used", text)
    if empty := [v.name for v in visits if v.name in settings.visits and not was_measured(v, settings)]:
        text = f"Nothing was measured at {_join(empty)}; the probability rests on what else is known."
        yield Notice("visit_without_values", text)


def about_gone(course: Course, formula: Formula, reading: Reading) -> Iterable[Notice]:
    """Yield a sentence on how a tumour that is gone is read, at the last visit of a course."""
    visit = course.visits[course.last]
    if not visit.values.gone or visit.name not in formula.visits:
        return
    limits = {change.change.columns[0]: change.used for change in reading.clipped_changes(formula)}
    read = []
    for level in (each for each in reading.settings.levels if each.name in reading.gone and each.visit == visit.name):
        scale = reading.scale(level)
        value = scale.describe(limits.get(level.name, reading.values[level.name]))
        why = " (the limit of the training patients' changes)" if level.name in limits else ""
        read.append(f"{_lower(scale.measure.label)} as {value}{why}")
    yield Notice("tumour_gone", f"The tumour is gone at {visit.name}: the model reads {_join(read) or 'no value'}.")


def about_clipped_levels(clipped: Iterable[ClippedLevel], reading: Reading, visit: str) -> Iterable[Notice]:
    """Yield a warning for each value of a visit that is read as a limit of the training patients' range."""
    for each in clipped:
        if each.level.visit != visit:
            continue
        scale, level = reading.scale(each.level), each.level
        yield Notice(
            f"clipped_{level.name}",
            f"Outside the range of the training patients: {_lower(scale.measure.label)} at {visit} is "
            f"{scale.describe(each.value)}; the range is {level.low:.3g} to {scale.describe(level.high)}. "
            f"The model reads {scale.describe(each.used)} instead.",
        )


def about_clipped_changes(clipped: Iterable[ClippedChange], reading: Reading, visit: str) -> Iterable[Notice]:
    """Yield a warning for each change to a visit that is read as a limit of the training patients' changes.

    That of a tumour that is gone is part of `about_gone`.
    """
    for each in clipped:
        if each.change.visit != visit or each.change.columns[0] in reading.gone:
            continue
        scale, (low, high) = reading.scale(each.change), each.allowed
        range_ = f"{low:.3g} to {scale.describe(high)}" if high < float("inf") else f"from {scale.describe(low)} on"
        yield Notice(
            f"clipped_{each.change.name}",
            f"Outside the range of the training patients: the change of {_lower(scale.measure.label)} from "
            f"{scale.describe(each.before)} at {each.change.since} to {scale.describe(each.now)} at {visit}; in range "
            f"would be {range_}. The model reads {scale.describe(each.used)} instead.",
        )


def about_estimated(
    estimated: Mapping[str, Sequence[str]],
    missing_interval: tuple[float, float] | None,
    formula: Formula,
    costs: Iterable[Cost],
    read: Iterable[str],
) -> Iterable[Notice]:
    """Yield a warning that names what was estimated, and what not knowing it costs.

    Args:
        estimated: label of a quantity to the visits at which it is unknown.
        missing_interval: of the probability, see `VisitPrediction`.
        formula: that was used.
        costs: of the model.
        read: names of the quantities of the formula that are known at all of its visits.
    """
    if not estimated or missing_interval is None:
        return
    what = "; ".join(f"{_lower(label)} at {_join(visits)}" for label, visits in estimated.items())
    low, high = map(format_percent, missing_interval)
    text = (
        f"Not known and therefore estimated from the other values: {what}. If nothing were unknown, the probability "
        f"would be between {low} and {high} in 9 of 10 patients."
    )
    known = set(read)
    for cost in costs:
        if cost.visits == formula.visits and set(cost.quantities) == known:
            text += f" In the training patients the AUC without it was {cost.auc:.2f}, with it {cost.auc_of_all:.2f}."
    yield Notice("estimated", text)


def about_group(settings: ResponseSettings, schema: ClinicalSchema, values: Mapping[str, Value]) -> Iterable[Notice]:
    """Yield a warning if hardly any training patient had these clinical values."""
    if not settings.groups:
        return
    names = list(settings.groups[0].values)
    own = {name: values.get(name) for name in names}
    if any(value is None for value in own.values()):
        return
    patients = sum(group.patients for group in settings.groups if dict(group.values) == own)
    if patients < FEW:
        labels = {variable.name: variable.label for variable in schema.asked}
        what = ", ".join(f"{labels.get(name, name)} {value}" for name, value in own.items())
        count = f"only {patients}" if patients else "none"
        yield Notice("unfamiliar_group", f"Of the training patients {count} had these values: {what}.")


def about_validity(card: ModelCard, visit: Visit) -> Iterable[Notice]:
    """Yield a warning if a model of simulated exams is used on a patient's exam."""
    if card.is_of_phantoms and not (visit.exam is not None and visit.exam.provenance.is_phantom):
        yield Notice(
            "model_of_phantoms",
            f"The model {card.name} was trained on simulated exams and knows nothing about patients; do not rely on "
            "the result. Choose a model that was trained on patients.",
            blocks_decision=visit.exam is not None,
        )


def _lower(label: str) -> str:
    return f"{label[:1].lower()}{label[1:]}"


def _join(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
