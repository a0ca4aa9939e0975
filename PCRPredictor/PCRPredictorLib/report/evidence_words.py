"""The evidence of a prediction in words and bars, rich text for the panel and the page.

The bars are cells of tables: Qt's labels and browsers draw them alike. They are as long as log-odds, which add up.
"""

from __future__ import annotations

from html import escape

from ..evidence import Evidence, Term, logit_to_probability
from ..formatting import format_percent, format_value
from .wording import Translate

_HALF = 46  # pixels of the longest bar
_TOWARDS, _AGAINST, _UNKNOWN = "#3d8fe0", "#e08a1e", "#9a9a9a"
_NOTHING = 1e-9  # log-odds of an image that has no part in the sum


def describe_evidence(evidence: Evidence | None, _: Translate = str) -> str:
    """Return what the image did, and the bars; "" for a result without evidence."""
    if evidence is None:
        return ""
    return f"<b>{escape(describe_image_part(evidence, _))}</b>{describe_bars(evidence, _)}"


def describe_image_part(evidence: Evidence, _: Translate = str) -> str:
    """Return by how much the image moved the probability, or that it has no part in it."""
    image = evidence.image
    if abs(image.log_odds) < _NOTHING:
        return _("The image has no part in this probability: it comes from the values below alone.")
    probability = logit_to_probability(evidence.logit)
    text = _("The image moved the probability by {points} points; without it, it would be {without}.")
    without = format_percent(min(max(probability - image.points / 100, 0.0), 1.0))
    return text.format(points=_signed(image.points, 1), without=without)


def describe_bars(evidence: Evidence, _: Translate = str) -> str:
    """Return a table with a bar for every term, as they come in `Evidence.bars`, and what the bars start from."""
    longest = max((_size(term) for term in evidence.bars), default=0.0) or 1.0
    head = "".join(f"<td><small>{escape(text)}</small></td>" for text in ("", "", _("points"), _("log-odds")))
    rows = "".join(_row(term, longest, _) for term in evidence.bars)
    start = {
        "typical": _("Bars start from the average training patient, {base}."),
        "unknown": _("Bars start from a patient of whom nothing is known, {base}."),
    }[evidence.reference].format(base=format_percent(evidence.base_probability))
    colours = _("Blue: towards response; orange: against it; grey: what an unknown value could add.")
    text = f"<small>{escape(start)} {escape(colours)}</small>"
    return f'<table cellspacing="0" cellpadding="1"><tr>{head}</tr>{rows}</table>{text}'


def describe_possibilities(term: Term, _: Translate = str) -> str:
    """Return what the answer would be for each value of an unknown variable, as in "negative 20 %, positive 35 %"."""
    return ", ".join(f"{each.value} {format_percent(each.probability)}" for each in term.possibilities)


def _row(term: Term, longest: float, _: Translate) -> str:
    """Return the row of a term; an unknown variable is grey, with its possibilities in a row below."""
    label = {"image": _("Image"), "averaging": _("Averaging of the folds")}.get(term.kind, term.label)
    name = f"{label}: {term.value}" if term.value else label
    numbers = (_signed(term.points, 1), _signed(term.log_odds, 2))
    cells = "".join(f'<td align="right">&nbsp;{text}</td>' for text in numbers)
    row = f"<tr><td>{_grey(escape(name), term)}&nbsp;</td><td>{_bar(term, longest)}</td>{cells}</tr>"
    if term.possibilities:
        row += f'<tr><td colspan="4"><small>{_grey(escape(describe_possibilities(term, _)), term)}</small></td></tr>'
    return row


def _grey(text: str, term: Term) -> str:
    return text if term.known else f'<span style="color: gray">{text}</span>'


def _bar(term: Term, longest: float) -> str:
    """Return a bar to the left (against) or right (towards response) of the middle; of the unknown, the range."""
    low, high = (min(term.log_odds, 0.0), max(term.log_odds, 0.0)) if term.known else _range(term)
    scale = _HALF / longest
    left, right = round(-min(low, 0.0) * scale), round(max(high, 0.0) * scale)
    colours = (_AGAINST, _TOWARDS) if term.known else (_UNKNOWN, _UNKNOWN)
    cells = _cell(_HALF - left) + _cell(left, colours[0]) + _cell(1, "#808080")
    cells += _cell(right, colours[1]) + _cell(_HALF - right)
    return f'<table cellspacing="0" cellpadding="0"><tr>{cells}</tr></table>'


def _cell(width: int, colour: str = "") -> str:
    """Return a cell of so many pixels; none of 0. The size of the letter gives its height."""
    if width <= 0:
        return ""
    painted = f' bgcolor="{colour}"' if colour else ""
    style = f"line-height: 9px; font-size: 8px; padding: 0; {f'background-color: {colour}' if colour else ''}"
    return f'<td width="{width}"{painted} style="{style}"><span style="font-size: 8px">&nbsp;</span></td>'


def _range(term: Term) -> tuple[float, float]:
    low, high = term.could_add or (0.0, 0.0)
    return min(low, 0.0), max(high, 0.0)


def _size(term: Term) -> float:
    low, high = _range(term)
    return abs(term.log_odds) if term.known else max(-low, high)


def _signed(value: float, digits: int) -> str:
    return format_value(value, digits, signed=True)
