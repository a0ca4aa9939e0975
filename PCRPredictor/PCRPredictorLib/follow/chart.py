"""The chart of a follow-up: volume and diameter over the visits, and below them the probability after each visit.

The trial's patients with and without pCR are bands: the middle half of them, and the median. Bands and lines differ in
hatching and dashes, too, so that the chart can be read in black and white.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from html import escape
from itertools import pairwise
from pathlib import Path
from textwrap import fill
from typing import Any, Literal, NamedTuple

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from ..formatting import format_percent
from ..report.wording import Translate
from ..response.bands import Band, Bands
from ..response.course import VISITS, Course
from ..response.prediction import ResponsePrediction
from .words import describe_chart, describe_day, describe_when, format_probability, format_quantity, label_quantity

_WIDTH, _ABOVE, _ROW, _BELOW = 8.4, 0.95, 2.6, 0.95  # inches
_NARROW = 5.2  # inches, of a chart in a panel
_DPI = 120
_TEXT, _DIM, _GRID = "#1c2430", "#55606e", "#e6e9ee"
_RANGE, _THRESHOLD = "#8e98a5", "#8a1c1c"
_LEGEND_ROW = 0.19  # inches
_ROW_OF_LABELS = 1.07  # on the scale of the probability
_HALF = 0.22  # visits, half the width of a range


class _Style(NamedTuple):
    """How a group of the trial is drawn: colours of Okabe and Ito, and a hatch and dashes of its own."""

    colour: str
    pale: str
    hatch: str
    dashes: Literal["--", ":"]


_WITH, _WITHOUT = _Style("#0072B2", "#a3cbe3", "////", "--"), _Style("#D55E00", "#eeb690", "", ":")


class _Scale(NamedTuple):
    """A logarithmic scale that ends in a straight part down to 0."""

    name: str
    straight_below: float
    ticks: tuple[float, ...]


_SCALES = (
    _Scale("functional_volume_ml", 0.1, (0, 0.1, 1, 10, 100, 1000)),
    _Scale("longest_diameter_mm", 5, (0, 5, 10, 20, 50, 100, 200)),
)


def save_chart(
    course: Course, prediction: ResponsePrediction | None, bands: Bands | None, folder: Path, stem: str
) -> None:
    """Write the chart as PNG and as SVG, with a text for those who cannot see it.

    Args:
        stem: name of the files without their ending.

    Raises:
        OSError: if a file cannot be written.
    """
    figure = draw_chart(course, prediction, bands)
    text = describe_chart(course, prediction)
    figure.savefig(folder / f"{stem}.png", format="png", dpi=_DPI, metadata={"Description": text})
    (folder / f"{stem}.svg").write_text(to_svg(figure, text), encoding="utf-8")


def draw_chart(
    course: Course,
    prediction: ResponsePrediction | None,
    bands: Bands | None,
    _: Translate = str,
    *,
    narrow: bool = False,
) -> Figure:
    """Draw the chart; visits that were not reached have bands but no values.

    Args:
        prediction: None draws the measurements alone.
        bands: of the trial; None draws the patient alone.
        narrow: for a panel beside the views, with texts of the same size.
    """
    width = _NARROW if narrow else _WIDTH
    rows = len(_SCALES) + (prediction is not None)
    entries, columns = _legend_entries(bands, prediction, _), 2 if narrow else 3
    above = _ABOVE + _LEGEND_ROW * (-(-len(entries) // columns) - 2)
    height = above + rows * _ROW + _BELOW
    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    place = {"top": 1 - above / height, "bottom": _BELOW / height, "left": 0.92 / width, "right": 1 - 0.21 / width}
    grid = figure.add_gridspec(rows, 1, **place, hspace=0.22)
    for row, scale in enumerate(_SCALES):
        _draw_quantity(_axes(figure, grid[row]), scale, course, bands, _)
    if prediction is not None:
        _draw_probability(_axes(figure, grid[2]), prediction, _)
    _name_visits(figure.axes[-1], course, _, 12 if narrow else 18)
    _add_legend(figure, entries, columns)
    return figure


def to_svg(figure: Figure, text: str) -> str:
    """Return a figure as SVG with a description; glyphs are drawn, so that no font is needed."""
    buffer = io.StringIO()
    no_metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with rc_context({"svg.hashsalt": "breastpcr", "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", metadata=no_metadata)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    end = svg.index(">") + 1
    head = svg[:end].replace("<svg", '<svg role="img"', 1)
    return f"{head}<title>{escape(text)}</title>{svg[end:]}"


def _axes(figure: Figure, place: SubplotSpec) -> Axes:
    axes = figure.add_subplot(place)
    axes.set_xlim(-0.45, len(VISITS) - 0.55)
    axes.xaxis.set_major_locator(FixedLocator(range(len(VISITS))))
    axes.set_xticklabels([])
    axes.tick_params(colors=_DIM, labelsize=10, length=0)
    axes.grid(axis="y", color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(_DIM)
    return axes


def _draw_quantity(axes: Axes, scale: _Scale, course: Course, bands: Bands | None, _: Translate) -> None:
    """Draw the bands of a quantity and the patient's values over them."""
    values = [visit.values.get(scale.name) for visit in course]
    known = {VISITS.index(v.name): x for v, x in zip(course, values, strict=True) if x is not None}
    highest = [*known.values()]
    for style in (_WITHOUT, _WITH):
        if bands is not None and (each := bands.of(scale.name, style is _WITH)):
            highest += _draw_band(axes, style, {VISITS.index(visit): band for visit, band in each.items()})
    axes.set_yscale("symlog", linthresh=scale.straight_below, linscale=0.35)
    axes.set_ylim(-0.18 * scale.straight_below, 1.8 * max([*highest, 3 * scale.straight_below]))
    axes.yaxis.set_major_locator(FixedLocator(scale.ticks))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _position: f"{value:g}"))
    _title(axes, label_quantity(scale.name, _), format_quantity(scale.name, 1.0).split()[-1])
    _draw_course(axes, known, [format_quantity(scale.name, value) for value in known.values()])


def _draw_band(axes: Axes, style: _Style, band: dict[int, Band]) -> list[float]:
    """Draw the middle half and the median of a group; return the upper ends."""
    at = sorted(band)
    low, middle, high = (np.array([getattr(band[x], name) for x in at]) for name in ("low", "median", "high"))
    axes.fill_between(at, low, high, facecolor=f"{style.colour}22", edgecolor="none")
    axes.fill_between(at, low, high, facecolor="none", edgecolor=style.pale, hatch=style.hatch, linewidth=0.8)
    axes.plot(at, middle, style.dashes, color=style.colour, linewidth=2)
    return high.tolist()


def _draw_course(axes: Axes, known: dict[int, float], labels: Sequence[str], above: Sequence[float] = ()) -> None:
    """Draw the patient's values; a line over a visit without a value is dotted.

    Args:
        above: heights over which the labels stand; beside the values without them.
    """
    at = sorted(known)
    for first, second in pairwise(at):
        dashes = "-" if second == first + 1 else ":"
        axes.plot([first, second], [known[first], known[second]], dashes, color="black", linewidth=2.2)
    axes.plot(at, [known[x] for x in at], "o", color="black", markersize=8, clip_on=False, zorder=5)
    for n, (x, label) in enumerate(zip(at, labels, strict=True)):
        rises = n + 1 < len(at) and known[at[n + 1]] > known[x]
        place = (above[n], 0, 0, "center") if above else (known[x], 10, -17 if rises else 7, "left")
        _write_label(axes, x, *place, label)


def _write_label(axes: Axes, x: float, y: float, right: float, up: float, align: str, text: str) -> None:
    box = {"facecolor": "#ffffffd8", "edgecolor": "none", "pad": 1.2}
    style: dict[str, Any] = {
        "fontsize": 11,
        "weight": "bold",
        "color": _TEXT,
        "bbox": box,
        "ha": align,
        "zorder": 4,
    }  # below points
    axes.annotate(text, (x, y), (right, up), textcoords="offset points", **style)


def _draw_probability(axes: Axes, prediction: ResponsePrediction, _: Translate) -> None:
    """Draw the probability after each visit with its range, and the share of responders in training."""
    axes.set_ylim(0, 1.22)  # room for the labels, which stand in a row above thresholds and ranges
    axes.yaxis.set_major_locator(FixedLocator([0, 0.25, 0.5, 0.75, 1]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _position: format_percent(value)))
    if (rate := prediction.model.base_rate) is not None:
        axes.axhline(rate, color=_DIM, linewidth=1.4, dashes=(6, 3))
    found = {VISITS.index(after.visit): after for after in prediction.visits}
    for x, after in found.items():
        low, high = after.interval
        if after.missing_interval is not None:
            axes.plot([x, x], after.missing_interval, color=_RANGE, linewidth=1.6, marker="_", markersize=9)
        axes.plot([x, x], [low, high], color=_RANGE, linewidth=7, solid_capstyle="butt")
        threshold = after.operating_point.threshold
        axes.plot([x - _HALF, x + _HALF], [threshold] * 2, color=_THRESHOLD, linewidth=2)
    _title(axes, _("Probability of pCR after each visit"), "")
    known = {x: after.probability for x, after in found.items()}
    _draw_course(axes, known, [format_probability(after) for after in found.values()], [_ROW_OF_LABELS] * len(known))


def _title(axes: Axes, title: str, unit: str) -> None:
    axes.set_title(f"{title}, {unit}" if unit else title, loc="left", fontsize=12, color=_TEXT, pad=6)


def _name_visits(axes: Axes, course: Course, _: Translate, letters: int) -> None:
    days = course.days
    lines = [(name, fill(describe_when(name, _), letters), describe_day(days.get(name), _)) for name in VISITS]
    axes.set_xticklabels(["\n".join(part for part in line if part) for line in lines])
    axes.tick_params(axis="x", labelsize=10, labelcolor=_TEXT, pad=6)


def _legend_entries(
    bands: Bands | None, prediction: ResponsePrediction | None, _: Translate
) -> list[tuple[object, str]]:
    """Return the entries of the legend: what is drawn, and its words."""
    entries: list[tuple[object, str]] = [(Line2D([], [], color="black", marker="o", linewidth=2.2), _("this patient"))]
    if prediction is not None:
        entries.append((Patch(facecolor=_RANGE), _("agreement of the model's fits")))
        if any(after.missing_interval is not None for after in prediction.visits):
            unknown = Line2D([], [], color=_RANGE, linewidth=1.6, marker="|", markersize=9)
            entries.append((unknown, _("range by what is unknown")))
    if bands is not None and bands.bands:
        entries += [
            (_swatch(_WITH), _("trial, with pCR: middle half, median")),
            (_swatch(_WITHOUT), _("trial, without pCR")),
        ]
    if prediction is not None:
        threshold = Line2D([], [], color=_THRESHOLD, linewidth=2)
        if prediction.model.base_rate is not None:
            rate = Line2D([], [], color=_DIM, linewidth=1.4, dashes=(6, 3))
            entries.append((rate, _("share with pCR in training")))
        entries.append((threshold, _("threshold")))
    return entries


def _add_legend(figure: Figure, entries: Sequence[tuple[object, str]], columns: int) -> None:
    handles, labels = zip(*entries, strict=True)
    size = 9.5 if columns > 2 else 8.5  # points
    more = {"bbox_to_anchor": (0.03, 0.995), "ncols": columns, "frameon": False, "fontsize": size}
    figure.legend(handles, labels, loc="upper left", **more)


def _swatch(style: _Style) -> tuple[Patch, Patch, Line2D]:
    """Return the entry of a band in the legend: its filling, hatch and median.

    Filling and hatch are apart, as an SVG draws a hatch as faint as the filling.
    """
    filling = Patch(facecolor=f"{style.colour}22", edgecolor="none")
    hatch = Patch(facecolor="none", edgecolor=style.pale, hatch=style.hatch)
    return filling, hatch, Line2D([], [], color=style.colour, linestyle=style.dashes, linewidth=2)
