"""The picture of a comparison: the visits side by side, baseline first."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ..prediction import RESEARCH_USE_ONLY
from ..report.display import Box
from ..report.overlay_text import DIM, TEXT
from ..report.slices import draw_outline, draw_slice
from ..report.wording import Translate
from ..response.course import Course
from .compare import Comparison, Panel
from .words import describe_day, describe_outlines, describe_planes, describe_registration, describe_scale

_WIDTH, _MARGIN, _GAP = 16.0, 0.12, 0.1  # inches
_LINE, _HEAD, _TITLE = 0.27, 0.4, 0.28  # inches, of a line of text, a group's heading and a panel's title
_HIGHEST = 5.2  # inches, of a projection
_DPI, _BACKGROUND, _WARN = 100, "#0d0f12", "#fbbf24"
_BASELINE = "#ffd75e"  # of the baseline's outline, which is dashed, too


class _Group(NamedTuple):
    """One kind of image of all visits: heading, place of the first panel and size of each, inches from the top left."""

    heading: str
    left: float
    top: float
    width: float
    height: float


def save_comparison(comparison: Comparison, course: Course, path: Path) -> None:
    """Write the picture as a PNG, 1600 pixels wide.

    Raises:
        OSError: if the file cannot be written.
    """
    draw_comparison(comparison, course).savefig(path, format="png", dpi=_DPI, facecolor=_BACKGROUND)


def draw_comparison(comparison: Comparison, course: Course, _: Translate = str) -> Figure:
    """Draw early phase, subtraction and MIP of all visits; of two visits the first two kinds share a row.

    The patient is not named, and a date is a day after the first visit.
    """
    notes = [(describe_scale(_), DIM), (describe_outlines(_), DIM), *_notes(comparison, _)]
    field = _common_field(comparison)
    early, difference, projection = _layout(len(comparison.panels), field, _MARGIN + _LINE * len(notes), _)
    height = projection.top + projection.height + _LINE + _MARGIN
    figure = Figure(figsize=(_WIDTH, height), facecolor=_BACKGROUND)
    FigureCanvasAgg(figure)
    for n, (text, colour) in enumerate(notes):
        _write(figure, _MARGIN, _MARGIN + _LINE * (n + 0.5), text, 11, colour)
    for group in (early, difference, projection):
        _write(figure, group.left, group.top - _TITLE - 0.12, group.heading, 13, TEXT)
    for n, panel in enumerate(comparison.panels):
        title, index = _title(panel, course, _), panel.index
        at_slice = f"{title}, {panel.view.label(index)}" + (
            "" if panel.has_place else _(", place of the tumour unknown")
        )
        outlines = panel.mask[index], panel.baseline[index]
        _draw(_axes(figure, early, n), panel, panel.early[index], comparison.grey, outlines, at_slice)
        _draw(_axes(figure, difference, n), panel, panel.difference[index], comparison.difference, outlines, at_slice)
        through = np.any(panel.mask, axis=0), np.any(panel.baseline, axis=0)
        box = _around(panel.view.field, *field)
        _draw(_axes(figure, projection, n), panel, panel.projection, comparison.difference, through, title, box)
    _write(figure, _MARGIN, height - _MARGIN - _LINE / 2, RESEARCH_USE_ONLY, 11, TEXT)
    return figure


def _notes(comparison: Comparison, _: Translate) -> list[tuple[str, str]]:
    """Return how well each registration holds, and where planes differ, with a colour."""
    first, *others = comparison.panels
    found = []
    for panel in others:
        holds = panel.registration is not None and panel.registration.holds
        found.append((describe_registration(panel.visit, panel.registration, _), DIM if holds else _WARN))
    planes = [(panel, describe_planes(first.visit, first.plane, panel.visit, panel.plane, _)) for panel in others]
    return found + [(text, _WARN) for _panel, text in planes if text]


def _layout(count: int, field: tuple[float, float], top: float, _: Translate) -> tuple[_Group, _Group, _Group]:
    """Return the places of early phase, subtraction and MIP.

    Args:
        count: number of visits.
        field: mm across and down that a MIP shows.
        top: inches above the first heading.
    """
    shared = 2 if count == 2 else 1
    edge = (_WIDTH - 2 * _MARGIN - (shared * count - 1) * _GAP) / (shared * count)
    wide = (_WIDTH - 2 * _MARGIN - (count - 1) * _GAP) / count
    row = _HEAD + _TITLE + edge
    right, below = (count * (edge + _GAP), 0.0) if shared == 2 else (0.0, row)
    first = top + _HEAD + _TITLE
    last = first + below + row
    return (
        _Group(_("Early phase"), _MARGIN, first, edge, edge),
        _Group(_("Subtraction: early minus pre-contrast phase"), _MARGIN + right, first + below, edge, edge),
        _Group(_("Maximum intensity projection of the subtraction"), _MARGIN, last, wide, wide * field[1] / field[0]),
    )


def _common_field(comparison: Comparison) -> tuple[float, float]:
    """Return mm across and down in which the whole slices of all visits fit; not too high for a row of them."""
    fields = [panel.view.field for panel in comparison.panels]
    across, down = max(field.width for field in fields), max(field.height for field in fields)
    wide = (_WIDTH - 2 * _MARGIN) / len(fields)
    return max(across, down * wide / _HIGHEST), down


def _around(field: Box, across: float, down: float) -> Box:
    x, y = (field.left + field.right) / 2, (field.top + field.bottom) / 2
    return Box(x - across / 2, x + across / 2, y - down / 2, y + down / 2)


def _title(panel: Panel, course: Course, _: Translate) -> str:
    return ", ".join(part for part in (panel.visit, describe_day(course.days[panel.visit], _)) if part)


def _axes(figure: Figure, group: _Group, number: int) -> Axes:
    """Add the panel of a visit to a group."""
    high = figure.get_figheight()
    left, bottom = group.left + number * (group.width + _GAP), high - group.top - group.height
    axes = figure.add_axes((left / _WIDTH, bottom / high, group.width / _WIDTH, group.height / high), facecolor="black")
    axes.set_axis_off()
    axes.add_artist(Rectangle((0, 0), 1, 1, transform=axes.transAxes, color="black", zorder=-10))
    return axes


def _draw(
    axes: Axes,
    panel: Panel,
    image: np.ndarray,
    grey: tuple[float, float],
    outlines: tuple[np.ndarray, np.ndarray],
    title: str,
    box: Box | None = None,
) -> None:
    """Draw an image with the outlines of the visit's tumour and of the baseline's; the zoom unless a box is given."""
    draw_slice(axes, panel.view, image, grey, title, box or panel.zoom)
    if panel.registration is not None:
        draw_outline(axes, panel.view, outlines[1], _BASELINE, "dashed")
    draw_outline(axes, panel.view, outlines[0])


def _write(figure: Figure, x: float, y: float, text: str, size: float, colour: str) -> None:
    """Write a line, its middle at inches from the top left."""
    high = figure.get_figheight()
    figure.text(x / _WIDTH, 1 - y / high, text, fontsize=size, color=colour, va="center", parse_math=False)
