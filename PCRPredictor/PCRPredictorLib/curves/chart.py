"""Curves as a chart in SVG, for the page and the report; `Line` is also what Slicer's plot views draw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from .curve import Curve
from .phases import Phases
from .words import Translate, describe_clock, describe_enhancement

_WIDTH, _HEIGHT = 360, 210
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 22, 38  # margins
_LONG_PAUSE = 1.5  # times the other phases together: longer before the first phase after contrast is drawn shortened
_SHORTENED = 0.3
_STEPS = np.array([1.0, 2.0, 5.0, 10.0])


@dataclass(frozen=True)
class Line:
    """A curve to be drawn.

    Args:
        label: in words.
        colour: as "#rrggbb".
        x: seconds or, if they are unknown, numbers of phases from 0.
        y: percent over pre-contrast.
    """

    label: str
    colour: str
    x: tuple[float, ...]
    y: tuple[float, ...]


def line_of(curve: Curve, label: str, colour: str) -> Line | None:
    """Return the line of a curve, None if it has no signal before contrast to compare with."""
    y = curve.enhancement
    x = curve.seconds or tuple(float(k) for k in range(len(curve.signal)))
    return None if y is None else Line(label, colour, x, y)


def draw_chart(phases: Phases, lines: Sequence[Line], _: Translate = str, ink: str = "currentColor") -> str:
    """Return an SVG of curves with titles, units and a legend; its text has the colour `ink`.

    A pause before the first phase after contrast that is longer than all that follows is shortened, and marked.
    """
    x, is_shortened = _places(phases)
    values = [value for line in lines for value in line.y]
    low, high, step = _scale(min([0.0, *values]), max([10.0, *values]))
    right, top = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM

    def across(value: float) -> float:
        return _LEFT + (value - x[0]) / max(x[-1] - x[0], 1e-6) * (right - _LEFT)

    def up(value: float) -> float:
        return top - (value - low) / (high - low) * (top - _TOP)

    parts = [_frame(phases, lines, _, ink), *_rows(low, high, step, up, ink), *_columns(phases, x, across, ink)]
    if is_shortened:
        middle = (across(x[0]) + across(x[1])) / 2
        parts.append(_text(middle, top + 3, "//", ink, "middle"))
    for line in lines:
        points = " ".join(f"{across(a):.1f},{up(b):.1f}" for a, b in zip(x, line.y, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{line.colour}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{across(a):.1f}" cy="{up(b):.1f}" r="2.5" fill="{line.colour}"/>'
            for a, b in zip(x, line.y, strict=True)
        ]
    return "".join((*parts, "</svg>"))


def _places(phases: Phases) -> tuple[list[float], bool]:
    """Return where the phases are drawn along the axis, and if the first pause is shortened."""
    if phases.seconds is None:
        return [float(k) for k in range(len(phases.arrays))], False
    places = list(phases.seconds)
    rest = places[-1] - places[1]
    if len(places) < 3 or places[1] - places[0] <= _LONG_PAUSE * rest:
        return places, False
    return [places[1] - _SHORTENED * rest, *places[1:]], True


def _scale(low: float, high: float) -> tuple[float, float, float]:
    """Return the ends of an axis and the step of its labels."""
    rough = (high - low) / 4
    power = 10.0 ** np.floor(np.log10(rough))
    step = float(_STEPS[np.searchsorted(_STEPS, rough / power - 1e-9)] * power)
    return float(np.floor(low / step) * step), float(np.ceil(high / step) * step), step


def _frame(phases: Phases, lines: Sequence[Line], _: Translate, ink: str) -> str:
    """Return the beginning of the picture: its size, titles of the axes, and the legend."""
    name = escape(_("Time-intensity curve"))
    size = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{name}" width="100%"'
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="10">']
    parts.append(_text((_LEFT + _WIDTH) / 2, _HEIGHT - 6, describe_clock(phases, _), ink, "middle"))
    middle = (_TOP + _HEIGHT - _BOTTOM) / 2
    turned = f'transform="rotate(-90 11 {middle:.0f})"'
    parts.append(_text(11, middle, describe_enhancement(_), ink, "middle", turned))
    place = float(_LEFT)
    for line in lines:
        parts.append(f'<line x1="{place}" y1="9" x2="{place + 14}" y2="9" stroke="{line.colour}" stroke-width="2"/>')
        parts.append(_text(place + 18, 12, line.label, ink, "start"))
        place += 30 + 5.6 * len(line.label)
    return "".join(parts)


def _rows(low: float, high: float, step: float, up: Callable[[float], float], ink: str) -> list[str]:
    """Return the lines and labels of the upright axis."""
    parts = []
    for value in np.arange(low, high + step / 2, step):
        y = up(float(value))
        line = f'x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"'
        parts.append(f'<line {line} stroke="{ink}" stroke-opacity="{0.6 if value == 0 else 0.18}"/>')
        parts.append(_text(_LEFT - 4, y + 3, f"{value:.0f}".replace("-", "−"), ink, "end"))
    return parts


def _columns(phases: Phases, places: Sequence[float], across: Callable[[float], float], ink: str) -> list[str]:
    """Return a mark for each phase, with name and time of those that were picked."""
    names = dict(zip(phases.picked, ("pre", "early", "late"), strict=True))
    seconds = phases.seconds or tuple(range(len(places)))
    parts, axis = [], _HEIGHT - _BOTTOM
    for k, place in enumerate(places):
        x = across(place)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{axis}" y2="{axis + 3}" stroke="{ink}"/>')
        if k in names:
            anchor = "start" if k == 0 else "end" if k == len(places) - 1 else "middle"
            parts.append(_text(x, axis + 13, f"{names[k]} {seconds[k]:.0f}", ink, anchor))
    return parts


def _text(x: float, y: float, text: str, ink: str, anchor: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{ink}" text-anchor="{anchor}" {more}>{escape(text)}</text>'
