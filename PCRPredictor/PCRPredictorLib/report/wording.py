"""A prediction in the words of the panel, of the browser's page and of the report. No widget here.

Each function takes `_`, which translates a sentence: `slicer.i18n.tr` in Slicer, nothing elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from ..formatting import format_value
from ..model.bundle import Bundle
from ..prediction import OperatingPoint, Prediction

Translate = Callable[[str], str]


def describe_probability(prediction: Prediction, _: Translate = str) -> str:
    """Probability with the range over the ensemble, rich text."""
    low, high = prediction.interval
    text = _("Probability of pCR {value}").format(value=f"{prediction.probability:.0%}")
    span = _("folds of the model: {low} to {high}").format(low=f"{low:.0%}", high=f"{high:.0%}")
    return f"<big><b>{escape(text)}</b></big> ({escape(span)})"


def describe_decision(prediction: Prediction, point: OperatingPoint, _: Translate = str) -> str:
    """What an operating point makes of the probability, and how often it was right."""
    decision = _("pCR") if prediction.probability >= point.threshold else _("no pCR")
    text = _("{decision} at threshold {threshold}").format(decision=decision, threshold=f"{point.threshold:.2f}")
    if point.sensitivity is None or point.specificity is None:
        return text
    rates = _("finds {sensitivity} of responders, clears {specificity} of the others").format(
        sensitivity=f"{point.sensitivity:.0%}", specificity=f"{point.specificity:.0%}"
    )
    return f"{text}; {rates}"


def describe_image_alone(prediction: Prediction, _: Translate = str) -> str:
    """The probability without clinical values, beside the one with them."""
    if not prediction.clinical:
        return _("The model reads the image alone.")
    if all(value == "unknown" for value in prediction.clinical.values()):
        return _("From the image alone: no clinical value is known.")
    change = round(100 * prediction.probability) - round(100 * prediction.image_probability)  # of what is shown
    return _("From the image alone {value}; the clinical values changed it by {change} points.").format(
        value=f"{prediction.image_probability:.0%}", change=f"{change:+d}"
    )


def describe_attention(prediction: Prediction, _: Translate = str) -> str:
    """Share of the attention inside the tumour, and where its peak is."""
    summary = prediction.attention_summary
    peak = _("its peak is in the tumour") if summary.peak_in_tumour else _("its peak is NOT in the tumour")
    return _("{share} of the attention is inside the tumour, {peak}.").format(
        share=f"{summary.in_tumour:.0%}", peak=peak
    )


def describe_warnings(prediction: Prediction, _: Translate = str) -> str:
    """Warnings as a list, rich text; empty without any."""
    items = "".join(f"<li>{escape(notice.message)}</li>" for notice in prediction.notices)
    return f"<b>{escape(_('Warnings'))}</b><ul>{items}</ul>" if items else ""


def describe_model(bundle: Bundle, _: Translate = str) -> str:
    """A model's card in a few lines, rich text."""
    card = bundle.card
    lines = [
        (_("Trained on"), card.training_data),
        (_("Performance"), _performance(card.metrics)),
        (_("For"), card.intended_use),
        (_("Not for"), card.not_intended_use),
        (_("Limits"), card.known_limits),
        (_("Licence"), card.licence),
    ]
    text = "<br>".join(f"<b>{escape(name)}:</b> {escape(value)}" for name, value in lines if value)
    return f"<b>{escape(card.name)} {escape(card.version)}</b><br>{text}"


def _performance(metrics: object) -> str:
    """AUC on each group of patients that the card knows."""
    if not isinstance(metrics, dict):
        return ""
    found = []
    for patients, values in metrics.items():
        auc = values.get("auc") if isinstance(values, dict) else None
        if isinstance(auc, dict):
            found.append(f"AUC {format_value(auc)}, {patients}")
    return "; ".join(found)
