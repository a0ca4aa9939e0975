"""A prediction in the words of the panel, the page in the browser and the report.

Each function takes `_`, which translates a sentence: `slicer.i18n.tr` in Slicer, `str` elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape

from ..errors import Notice
from ..formatting import format_value
from ..model.bundle import Bundle
from ..prediction import LesionPrediction, OperatingPoint, Prediction

Translate = Callable[[str], str]


def describe_probability(prediction: Prediction, _: Translate = str) -> str:
    """Return the probability and its range over the ensemble as rich text."""
    low, high = prediction.interval
    text = _("Probability of pCR {value}").format(value=f"{prediction.probability:.0%}")
    span = _("folds of the model: {low} to {high}").format(low=f"{low:.0%}", high=f"{high:.0%}")
    if prediction.mask_interval is not None:
        span += "; " + describe_mask_interval(prediction.mask_interval, _)
    return f"<big><b>{escape(text)}</b></big> ({escape(span)})"


def describe_mask_interval(interval: tuple[float, float], _: Translate = str) -> str:
    """Return the range of the probability over variants of the mask."""
    low, high = (f"{value:.0%}" for value in interval)
    return _("outline of the tumour varied: {low} to {high}").format(low=low, high=high)


def describe_lesion(lesion: LesionPrediction, _: Translate = str) -> str:
    """Return name, volume and probability of one of several lesions in a line."""
    found = lesion.prediction
    return _("{name}, {volume} ml: {value}").format(
        name=lesion.name, volume=f"{found.tumour.volume_ml:.1f}", value=f"{found.probability:.0%}"
    )


def describe_decision(prediction: Prediction, point: OperatingPoint, _: Translate = str) -> str:
    """Return the decision at an operating point, with the sensitivity and specificity of that point if known."""
    decision = _("pCR") if prediction.probability >= point.threshold else _("no pCR")
    text = _("{decision} at threshold {threshold}").format(decision=decision, threshold=f"{point.threshold:.2f}")
    rates = describe_rates(point, _)
    return f"{text}; {rates}" if rates else text


def describe_rates(point: OperatingPoint, _: Translate = str) -> str:
    """Return sensitivity and specificity of an operating point; empty if unknown."""
    if point.sensitivity is None or point.specificity is None:
        return ""
    return _("sensitivity {sensitivity}, specificity {specificity}").format(
        sensitivity=f"{point.sensitivity:.0%}", specificity=f"{point.specificity:.0%}"
    )


def describe_image_alone(prediction: Prediction, _: Translate = str) -> str:
    """Return the probability without clinical values, and how far they changed it."""
    if not prediction.clinical:
        return _("The model reads the image alone.")
    if all(value == "unknown" for value in prediction.clinical.values()):
        return _("No clinical value was given, so this is the image alone.")
    change = round(100 * prediction.probability) - round(100 * prediction.image_probability)  # of the numbers shown
    return _("From the image alone {value}; the clinical values changed it by {change} percentage points.").format(
        value=f"{prediction.image_probability:.0%}", change=f"{change:+d}"
    )


def describe_attention(prediction: Prediction, _: Translate = str) -> str:
    """Return the share of the attention inside the tumour and whether its peak is there."""
    summary = prediction.attention_summary
    peak = _("its peak is in the tumour") if summary.peak_in_tumour else _("its peak is NOT in the tumour")
    return _("{share} of the attention is inside the tumour, {peak}.").format(
        share=f"{summary.in_tumour:.0%}", peak=peak
    )


def describe_warnings(prediction: Prediction, _: Translate = str) -> str:
    """Return the warnings as a list in rich text; empty without warnings."""
    return list_notices(prediction.notices, _)


def list_notices(notices: Iterable[Notice], _: Translate = str) -> str:
    """Return warnings as a list in rich text; empty without warnings."""
    items = "".join(f"<li>{escape(notice.message)}</li>" for notice in notices)
    return f"<b>{escape(_('Warnings'))}</b><ul>{items}</ul>" if items else ""


def describe_card(bundle: Bundle, _: Translate = str) -> str:
    """Return the card of a model as a few lines of rich text."""
    card = bundle.card
    lines = [
        (_("Trained on"), card.training_data),
        (_("Times of the phases"), card.timing),
        (_("Performance"), _performance(card.metrics)),
        (_("For"), card.intended_use),
        (_("Not for"), card.not_intended_use),
        (_("Limits"), card.known_limits),
        (_("Licence"), card.licence),
    ]
    text = "<br>".join(f"<b>{escape(name)}:</b> {escape(value)}" for name, value in lines if value)
    return f"<b>{escape(card.name)} {escape(card.version)}</b><br>{text}"


def _performance(metrics: object) -> str:
    """Return the AUC on each group of patients of the card."""
    if not isinstance(metrics, dict):
        return ""
    found = []
    for patients, values in metrics.items():
        auc = values.get("auc") if isinstance(values, dict) else None
        if isinstance(auc, dict):
            found.append(f"AUC {format_value(auc)}, {patients}")
    return "; ".join(found)
