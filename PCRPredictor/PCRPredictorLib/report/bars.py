"""The evidence as bars and sentences: one definition for report, picture, panel and page.

Each function takes `_`, see `wording`.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..evidence import Evidence, Term, logit_to_probability
from ..formatting import format_percent, format_value
from .wording import Translate

_WHOLE_POINTS = 9.95  # points; from here no decimal is shown


@dataclass(frozen=True)
class Bar:
    """One term of the evidence, to be drawn on one scale with the others.

    Args:
        label, value: of the term, in words; the value is "" if it has none.
        start, end: of the bar as shares of the scale, in [-1, 1], 0 in the middle and positive towards response. Of an
            unknown variable they are the ends of the range that it could add.
        at: the term itself on the same scale; of a known term it is `end`.
        log_odds, points: the term, as text with its sign.
        known: False for a bar to be drawn in grey.
        note: of an unknown variable, the answer for each possibility; else "".
    """

    label: str
    value: str
    start: float
    end: float
    at: float
    log_odds: str
    points: str
    known: bool
    note: str = ""


@dataclass(frozen=True)
class Bars:
    """The evidence of a prediction.

    Args:
        start: sentence on the base, from which the bars lead to the probability.
        bars: the largest first, unknown ones last.
        scale: log-odds at the end of the scale.
        total: sentence with the sum.
        notes: how to read the bars.
    """

    start: str
    bars: tuple[Bar, ...]
    scale: float
    total: str
    notes: tuple[str, ...]


def make_bars(evidence: Evidence, _: Translate = str) -> Bars:
    """Return the bars of a prediction, all on one scale."""
    shown = evidence.bars
    ends = [abs(end) for term in shown for end in (term.log_odds, *_range(term))]
    scale = max(*ends, 0.1)
    return Bars(
        start=_describe_start(evidence, _),
        bars=tuple(_bar(term, scale, _) for term in shown),
        scale=scale,
        total=_describe_total(evidence, _),
        notes=tuple(_notes(evidence, _)),
    )


def label_term(term: Term, _: Translate = str) -> str:
    """Return the name of a term; that of a variable comes from the model and is not translated."""
    own = {"base": _("Base"), "image": _("Image"), "averaging": _("Averaging of the folds")}
    return own.get(term.kind, term.label)


def describe_points(term: Term, _: Translate = str) -> str:
    """Return "+3.6 points", the change of the probability that a term alone makes."""
    digits = 0 if abs(term.points) >= _WHOLE_POINTS else 1
    return _("{points} points").format(points=format_value(term.points, digits, signed=True))


def describe_image_evidence(evidence: Evidence, _: Translate = str) -> str:
    """Return what the image adds, in a line under its map."""
    image = evidence.image
    text = _("Sum of the map: {log_odds} log-odds, which is what the image adds: {points} of probability.")
    return text.format(log_odds=format_value(image.log_odds, 2, signed=True), points=describe_points(image, _))


def _bar(term: Term, scale: float, _: Translate) -> Bar:
    low, high = _range(term) if not term.known else (0.0, term.log_odds)
    possible = ", ".join(f"{each.value}: {format_percent(each.probability)}" for each in term.possibilities)
    return Bar(
        label=label_term(term, _),
        value=term.value if term.known or term.kind == "estimated" else _("unknown"),
        start=low / scale,
        end=high / scale,
        at=term.log_odds / scale,
        log_odds=format_value(term.log_odds, 2, signed=True),
        points=describe_points(term, _),
        known=term.known,
        note=_("if {possible}").format(possible=possible) if possible else "",
    )


def _range(term: Term) -> tuple[float, float]:
    """Return the lowest and highest that an unknown term could become, in log-odds; of a known one itself."""
    low, high = term.could_add or (0.0, 0.0)
    return term.log_odds + low, term.log_odds + high


def _describe_start(evidence: Evidence, _: Translate) -> str:
    if not evidence.has_image:
        text = _("Start: {share}, with the values of the average patient that the model was trained on.")
    elif evidence.reference == "typical":
        text = _("Start: {share}, with values and an image as of the average patient that the model was trained on.")
    else:
        text = _("Start: {share}, with all variables unknown and an image that says nothing.")
    return text.format(share=format_percent(evidence.base_probability))


def _describe_total(evidence: Evidence, _: Translate) -> str:
    rest = evidence.logit - evidence.base.log_odds
    text = _("Sum: {base} of the start and {rest} of the bars are {logit} log-odds, that is {share}.")
    base, logit = (format_value(x, 2, signed=True) for x in (evidence.base.log_odds, evidence.logit))
    share = format_percent(logit_to_probability(evidence.logit))
    return text.format(base=base, rest=format_value(rest, 2, signed=True), logit=logit, share=share)


def _notes(evidence: Evidence, _: Translate) -> list[str]:
    notes = [
        _(
            "The bars are log-odds, which add up. The points say by how much the probability would change back without "
            "this bar alone; they do not add up exactly."
        )
    ]
    if any(not term.known for term in evidence.bars):
        notes.append(
            _("Grey: unknown, with the range that the value could give (of a number, its 5th to 95th percentile).")
        )
    if evidence.reference == "typical" and any(not term.known and term.log_odds for term in evidence.bars):
        notes.append(_("An unknown value has a small bar of its own: not knowing it is not the average of the others."))
    if not evidence.exact:
        notes.append(
            _(
                "In this model variables act together; each bar is the mean of what its variable adds, over all orders "
                "in which they could become known (Shapley value)."
            )
        )
    if any(term.kind == "averaging" for term in evidence.bars):
        notes.append(_("This model averages the probabilities of its folds; a bar of its own shows what that adds."))
    return notes
