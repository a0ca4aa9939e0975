"""The evidence of a prediction as rich text for the panel and the page: `bars` has the words and numbers.

The bars are cells of tables: Qt's labels and browsers draw them alike. They are as long as log-odds, which add up.
"""

from __future__ import annotations

from html import escape
from textwrap import wrap

from ..evidence import Evidence, logit_to_probability
from ..formatting import format_percent, format_value
from .bars import Bar, make_bars
from .wording import Translate

_HALF = 36  # pixels of the longest bar
_LINE = 58  # characters of a line below a bar
_TOWARDS, _AGAINST, _UNKNOWN = "#3d8fe0", "#d07a10", "#8c8c8c"  # contrast 3 on white and on dark backgrounds
_NOTHING = 1e-9  # log-odds of an image that has no part in the sum


def describe_evidence(evidence: Evidence | None, _: Translate = str) -> str:
    """Return what the image did, if there is one, and the bars; "" for a result without evidence."""
    if evidence is None:
        return ""
    if not evidence.has_image:
        return describe_bars(evidence, _)
    return f"<b>{escape(describe_image_part(evidence, _))}</b>{describe_bars(evidence, _)}"


def describe_image_part(evidence: Evidence, _: Translate = str) -> str:
    """Return by how much the image moved the probability, or that it has no part in it."""
    image = evidence.image
    if abs(image.log_odds) < _NOTHING:
        return _("The image has no part in this probability: it comes from the values below alone.")
    probability = logit_to_probability(evidence.logit)
    text = _("The image moved the probability by {points} points; without it, it would be {without}.")
    without = format_percent(min(max(probability - image.points / 100, 0.0), 1.0))
    return text.format(points=format_value(image.points, 1, signed=True), without=without)


def describe_bars(evidence: Evidence, _: Translate = str) -> str:
    """Return a table with the bars of `make_bars`, and what they start from."""
    bars = make_bars(evidence, _)
    titles = (f'<td align="right"><small>&nbsp;{escape(t)}</small></td>' for t in (_("log-odds"), _("probability")))
    head = f"<td></td><td></td>{''.join(titles)}"
    rows = "".join(map(_row, bars.bars))
    colours = _("Blue: towards response; orange: against it; grey: what an unknown value could add.")
    text = f"<small>{escape(bars.start)} {escape(colours)}</small>"
    return f'<table cellspacing="0" cellpadding="1"><tr>{head}</tr>{rows}</table>{text}'


def _row(bar: Bar) -> str:
    """Return the row of a bar; an unknown variable is slanted, with the answer for each possibility in a row below."""
    name = escape(f"{bar.label}: {bar.value}" if bar.value else bar.label)
    cells = "".join(f'<td align="right">&nbsp;{text}</td>' for text in (bar.log_odds, bar.points))
    row = f"<tr><td>{_slanted(name, bar)}&nbsp;</td><td>{_draw(bar)}</td>{cells}</tr>"
    if bar.note:
        note = "<br>".join(map(escape, wrap(bar.note, _LINE)))  # Qt does not wrap a cell of several columns
        row += f'<tr><td colspan="4"><small>{_slanted(note, bar)}</small></td></tr>'
    return row


def _slanted(text: str, bar: Bar) -> str:
    return text if bar.known else f"<i>{text}</i>"


def _draw(bar: Bar) -> str:
    """Return a bar to the left (against) or right (towards response) of the middle; of the unknown, the range."""
    left, right = (round(max(side, 0.0) * _HALF) for side in (-min(bar.start, bar.end), max(bar.start, bar.end)))
    colours = (_AGAINST, _TOWARDS) if bar.known else (_UNKNOWN, _UNKNOWN)
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
