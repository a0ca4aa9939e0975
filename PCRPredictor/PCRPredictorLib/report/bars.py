"""The evidence as bars and sentences: one definition for report, picture, panel and page.

Each function takes `_`, see `wording`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..evidence import Evidence, Term, logit_to_probability
from ..formatting import format_percent, format_value
from .wording import Translate

_DIGITS = 2  # decimals of log-odds
_VOLUME = "log_whole_volume"  # of `model.kinetics`, which says why
_WHOLE_POINTS = 9.95  # points; from here no decimal is shown


@dataclass(frozen=True)
class Bar:
    """One term of the evidence, to be drawn on one scale with the others.

    Args:
        label, value: of the term, in words; the value is "" if it has none.
        start, end: of the bar as shares of the scale, in [-1, 1], 0 in the middle and positive towards response. Of an
            unknown variable they are the ends of the range that it could add.
        at: the term itself on the same scale; of a known term it is `end`.
        log_odds, points: the term, as text with its sign; log-odds add up as they are shown.
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
    base, *each = _round_together([evidence.base, *shown], evidence.logit)
    return Bars(
        start=_describe_start(evidence, _),
        bars=tuple(_bar(term, log_odds, scale, _) for term, log_odds in zip(shown, each, strict=True)),
        scale=scale,
        total=_describe_total(evidence, base, _),
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


def _round_together(terms: Sequence[Term], logit: float) -> list[float]:
    """Return the log-odds of terms with two decimals that add up to the logit with two decimals.

    Those that are furthest from their rounded value are rounded the other way; the image's, which stands under its map,
    comes last.
    """
    rounded = [round(term.log_odds, _DIGITS) for term in terms]
    step = 10.0**-_DIGITS
    missing = round((round(logit, _DIGITS) - math.fsum(rounded)) / step)
    towards = math.copysign(1.0, missing)

    def gain(k: int) -> tuple[bool, float]:
        return terms[k].kind != "image", towards * (terms[k].log_odds - rounded[k])

    for k in sorted(range(len(terms)), key=gain, reverse=True)[: abs(missing)]:
        rounded[k] += towards * step
    return rounded


def _bar(term: Term, log_odds: float, scale: float, _: Translate) -> Bar:
    low, high = _range(term) if not term.known else (0.0, term.log_odds)
    possible = ", ".join(f"{each.value}: {format_percent(each.probability)}" for each in term.possibilities)
    return Bar(
        label=label_term(term, _),
        value=term.value if term.known or term.kind == "estimated" else _("unknown"),
        start=low / scale,
        end=high / scale,
        at=term.log_odds / scale,
        log_odds=format_value(log_odds, _DIGITS, signed=True),
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


def _describe_total(evidence: Evidence, base: float, _: Translate) -> str:
    text = _("Sum: {base} of the start and {rest} of the bars are {logit} log-odds, that is {share}.")
    numbers = {"base": base, "rest": round(evidence.logit, _DIGITS) - base, "logit": evidence.logit}
    shown = {name: format_value(x, _DIGITS, signed=True) for name, x in numbers.items()}
    return text.format(**shown, share=format_percent(logit_to_probability(evidence.logit)))


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
        notes.append(
            _("A value that is read as unknown has a bar of its own: not knowing it is not the average of the others.")
        )
    if any(term.name == _VOLUME for term in evidence.bars):
        notes.append(_("Tumour volume: of a mask that reaches the first or last slice, half a slice more at that end."))
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
