"""A prediction in the words of the panel, the page in the browser and the report.

Each function takes `_`, which translates a sentence: `slicer.i18n.tr` in Slicer, `str` elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from html import escape
from typing import Protocol

from ..errors import Notice
from ..formatting import format_beside, format_percent, format_value
from ..model.card import ModelCard
from ..prediction import LesionPrediction, ModelIdentity, OperatingPoint, Prediction
from .frequencies import frequencies

Translate = Callable[[str], str]
_REMARKS = frozenset(  # codes of warnings that can be read after the probability
    {
        *("several_lesions", "segments_left_aside", "lesions_overlap", "mask_off_grid", "phases_off_grid"),
        *("curve_phase_left_out", "curve_phases_too_large", "burned_in_text", "patient_differs", "study_differs"),
        *("dates_differ", "identifier_number", "age_unusable", "clinical_missing", "optional_unreadable"),
    }
)
OUT_OF_FOLD = "out of fold"  # end of the name of training patients, each predicted without having been trained on


class HasAuc(Protocol):
    """What is known of how well a model tells responders from others."""

    @property
    def auc(self) -> Mapping[str, object]:
        """The AUC by patients."""

    @property
    def elsewhere(self) -> str:
        """How models that were trained the same way did at sites that they had not seen; "" if unknown."""


class HasCard(Protocol):
    """A model of any kind."""

    @property
    def card(self) -> ModelCard:
        """The facts for people."""

    @property
    def lacking(self) -> tuple[str, ...]:
        """What a model of an earlier version lacks, a sentence each."""


def describe_result(prediction: Prediction, _: Translate = str) -> str:
    """Return the probability, with that of the training patients and its range over the ensemble, as rich text.

    If no decision is given, the reason comes first and the probability is small.
    """
    shown = _("Probability of pCR {value}").format(value=describe_probability(prediction))
    base = describe_base_rate(prediction, _)
    span = f"({escape(describe_ranges(prediction, _))})"
    if not prediction.reasons_against:
        return f"<big><b>{escape(shown)}</b></big>{escape(f' ({base})' if base else '')}<br>{span}"
    reasons = "<br>".join(escape(notice.message) for notice in prediction.reasons_against)
    return f"<b>{escape(_('No decision.'))}</b> {reasons}<br><small>{escape(shown)} {span}</small>"


def describe_headline(prediction: Prediction, _: Translate = str) -> str:
    """Return probability, ranges and side of the threshold in a few lines, for where there is no room, as rich text.

    If no decision is given, the first reason comes first and the probability is small.
    """
    shown = _("Probability of pCR {value}").format(value=describe_probability(prediction))
    low, high = map(format_percent, prediction.interval)
    ranges = [_("Folds agree within {low} to {high}").format(low=low, high=high)]
    if prediction.mask_interval is not None:
        ranges.append(describe_mask_interval(prediction.mask_interval, _))
    span = escape("; ".join(ranges))
    if reasons := prediction.reasons_against:
        why = f"<b>{escape(_('No decision.'))}</b> {escape(reasons[0].message)}"
        return f"{why}<br><small>{escape(shown)}. {span}.</small>"
    side = escape(describe_side(prediction, _))
    return f"<big><b>{escape(shown)}</b></big><br><small>{span}. {side}.</small>"


def describe_assumptions(assumptions: str, _: Translate = str) -> str:
    """Return the line above a hypothetical result, rich text; "" if nothing is assumed."""
    if not assumptions:
        return ""
    line = _("Hypothetical, if {assumptions}:").format(assumptions=assumptions)
    return f"<b><i>{escape(line)}</i></b><br>"


def describe_probability(prediction: Prediction) -> str:
    """Return the probability with as many digits as its place beside the threshold needs, as in "26.4 %"."""
    return format_beside(prediction.probability, prediction.operating_point.threshold)[0]


def describe_briefly(prediction: Prediction, _: Translate = str) -> str:
    """Return the probability for a list, or that no decision is given."""
    return _("no decision") if prediction.reasons_against else describe_probability(prediction)


def describe_base_rate(prediction: Prediction, _: Translate = str) -> str:
    """Return how many of the training patients had pCR, to compare the probability with; empty if unknown."""
    if (rate := prediction.model.base_rate) is None:
        return ""
    return _("patients like those it was trained on: {rate}").format(rate=format_percent(rate))


def describe_ranges(prediction: Prediction, _: Translate = str) -> str:
    """Return the ranges of the probability: over the folds and, if it was varied, over the mask."""
    low, high = prediction.interval
    span = _("the folds of the model agree within {low} to {high}, which is no confidence interval").format(
        low=format_percent(low), high=format_percent(high)
    )
    if prediction.mask_interval is not None:
        span += "; " + describe_mask_interval(prediction.mask_interval, _)
    return span


def describe_spread(prediction: Prediction, _: Translate = str) -> str:
    """Return what the probability is to be compared with, and its ranges, as sentences."""
    parts = filter(None, (describe_base_rate(prediction, _), describe_ranges(prediction, _)))
    return " ".join(f"{part[0].upper()}{part[1:]}." for part in parts)


def describe_mask_interval(interval: tuple[float, float], _: Translate = str) -> str:
    """Return the range of the probability over variants of the mask."""
    low, high = map(format_percent, interval)
    return _("outline of the tumour varied: {low} to {high}").format(low=low, high=high)


def describe_lesion(lesion: LesionPrediction, _: Translate = str) -> str:
    """Return name, volume and probability of one of several lesions in a line."""
    volume = f"{lesion.prediction.tumour.volume_ml:.1f}"
    value = describe_briefly(lesion.prediction, _)
    return _("{name}, {volume} ml: {value}").format(name=lesion.name, volume=volume, value=value)


def describe_decision(prediction: Prediction, _: Translate = str) -> str:
    """Return on which side of the threshold the probability is, and what that meant in training.

    Empty if no decision is given: `describe_result` says why.
    """
    if prediction.reasons_against:
        return ""
    text = f"{describe_side(prediction, _)}{describe_frequencies(prediction, _)}"
    rates = describe_rates(prediction.operating_point, _)
    return f"{text} {_('In training: {rates}.').format(rates=rates)}" if rates else text


def describe_side(prediction: Prediction, _: Translate = str) -> str:
    """Return on which side of the operating point's threshold the probability is, without a full stop."""
    return describe_side_of(prediction.probability, prediction.operating_point, _)


def describe_side_of(probability: float, point: OperatingPoint, _: Translate = str) -> str:
    """Return on which side of a threshold a probability is, without a full stop."""
    if probability > point.threshold:
        text = _("Above the threshold of {point} ({threshold})")
    elif probability == point.threshold:
        text = _("At the threshold of {point} ({threshold})")
    else:
        text = _("Below the threshold of {point} ({threshold})")
    threshold = format_beside(probability, point.threshold)[1]
    return text.format(point=f"“{point.name}”", threshold=threshold)


def describe_frequencies(prediction: Prediction, _: Translate = str) -> str:
    """Return how many of 100 training patients on this side had pCR, and of 100 on the other, to follow the side."""
    return describe_frequencies_at(prediction.probability, prediction.operating_point, prediction.model.base_rate, _)


def describe_frequencies_at(
    probability: float, point: OperatingPoint, base_rate: float | None, _: Translate = str
) -> str:
    """Return what `describe_frequencies` does, for a probability at an operating point of a model.

    Args:
        base_rate: share of the training patients with pCR, None if unknown.
    """
    found = frequencies(point, base_rate)
    if found is None:
        return "."
    if probability >= point.threshold:
        text = _(": of 100 such patients in training, {above} had pCR; of 100 below it, {below}.")
    else:
        text = _(": of 100 such patients in training, {below} had pCR; of 100 above it, {above}.")
    return text.format(above=found.above, below=found.below)


def describe_model(model: ModelIdentity, _: Translate = str) -> str:
    """Return name and version of a model, and how well it tells responders from others, on whom."""
    return f"{_('Model {name}: ').format(name=f'{model.name} {model.version}')}{describe_auc(model, _)}"


def describe_auc(model: HasAuc, _: Translate = str) -> str:
    """Return in sentences how well a model tells responders from others, on whom, and what was not measured."""
    if not model.auc:
        return _("how good it is was not measured.")
    each = ", ".join(f"{format_value(auc)} {of}" for of, auc in model.auc.items())
    if not all(of.endswith(OUT_OF_FOLD) for of in model.auc):
        return _("AUC {auc}.").format(auc=each)
    text = _("AUC {auc}: among its training patients, each left out once.").format(auc=each)
    not_measured = _("The model itself has not been measured on patients of other hospitals.")
    return " ".join(filter(None, (text, model.elsewhere, not_measured)))


def describe_rates(point: OperatingPoint, _: Translate = str) -> str:
    """Return sensitivity and specificity of an operating point; empty if unknown."""
    if point.sensitivity is None or point.specificity is None:
        return ""
    return _("sensitivity {sensitivity}, specificity {specificity}").format(
        sensitivity=format_percent(point.sensitivity), specificity=format_percent(point.specificity)
    )


def describe_image_alone(prediction: Prediction, _: Translate = str) -> str:
    """Return the probability without clinical values, and how far they changed it."""
    if not prediction.clinical:
        return _("The model reads the image alone.")
    if all(value == "unknown" for value in prediction.clinical.values()):
        return _("No clinical value was given: the probability comes from the measured tumour and the image.")
    change = round(100 * prediction.probability) - round(100 * prediction.image_probability)  # of the numbers shown
    text = _("Without clinical values it would be {value}; they changed it by {change} percentage points.").format(
        value=format_percent(prediction.image_probability), change=format_value(float(change), 0, signed=True)
    )
    if prediction.evidence is None or prediction.evidence.reference != "typical":
        return text
    more = _("That is against unknown values, not the sum of their bars, which are against the average patient's.")
    return f"{text} {more}"


def describe_attention(prediction: Prediction, _: Translate = str) -> str:
    """Return the share of the attention inside the tumour and whether its peak is there."""
    summary = prediction.attention_summary
    peak = _("its peak is in the tumour") if summary.peak_in_tumour else _("its peak is NOT in the tumour")
    return _("{share} of the attention is inside the tumour, {peak}.").format(
        share=format_percent(summary.in_tumour), peak=peak
    )


def describe_warnings(prediction: Prediction, _: Translate = str) -> str:
    """Return the warnings as a list in rich text; empty without warnings."""
    return list_notices(prediction.notices, _)


def bears_on_result(notice: Notice) -> bool:
    """Return True for a warning that must be read before the probability; others are remarks."""
    return notice.blocks_decision or notice.code not in _REMARKS


def split_doubts(prediction: Prediction, _: Translate = str) -> tuple[str, str]:
    """Return the most important warning, plain, to stand below `describe_headline`, and the others, rich text.

    The headline holds one that forbids a decision. How many others there are is said with the first.
    """
    ordered = sorted(prediction.notices, key=lambda n: (not n.blocks_decision, not bears_on_result(n)))
    first, others = ordered[:1], ordered[1:]
    if first and not bears_on_result(first[0]):
        first, others = [], ordered
    shown = [] if prediction.reasons_against else [notice.message for notice in first]
    doubts = sum(map(bears_on_result, others))
    if doubts:
        text = _("One more warning before you rely on it, under Result.")
        several = _("{count} more warnings before you rely on it, under Result.")
        shown.append(text if doubts == 1 else several.format(count=doubts))
    return " ".join(shown), list_notices(others, _)


def list_notices(notices: Iterable[Notice], _: Translate = str) -> str:
    """Return warnings as a list in rich text, those that forbid a decision first; empty without warnings."""
    ordered = sorted(notices, key=lambda notice: not notice.blocks_decision)
    items = "".join(f"<li>{escape(notice.message)}</li>" for notice in ordered)
    return f"<b>{escape(_('Warnings'))}</b><ul>{items}</ul>" if items else ""


def describe_card(model: HasCard, _: Translate = str) -> str:
    """Return the card of a model as a few lines of rich text."""
    card = model.card
    lines = [
        (_("Trained on"), card.training_data),
        (_("Times of the phases"), card.timing),
        (_("Performance"), describe_auc(card, _)),
        (_("For"), card.intended_use),
        (_("Not for"), card.not_intended_use),
        (_("Limits"), card.known_limits),
        (_("Of an earlier version"), " ".join(model.lacking)),
        (_("Licence"), card.licence),
    ]
    text = "<br>".join(f"<b>{escape(name)}:</b> {escape(value)}" for name, value in lines if value)
    return f"<b>{escape(card.name)} {escape(card.version)}</b><br>{text}"


def describe_card_briefly(model: HasCard, _: Translate = str) -> str:
    """Return name, AUC and the first limit of a model, as rich text."""
    card = model.card
    limit = re.split(r"(?<=[.!?])\s", card.known_limits, maxsplit=1)[0]
    text = f"{describe_auc(card, _)} {limit}".rstrip()
    return f"<b>{escape(card.name)} {escape(card.version)}</b>: {escape(text)}"
