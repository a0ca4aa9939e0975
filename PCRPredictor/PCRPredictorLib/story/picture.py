"""The story as one picture: a column per network, a row per hospital, and the AUC at both underneath."""

from __future__ import annotations

import textwrap
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..formatting import format_percent
from .facts import HOSPITALS, NETWORKS, Facts
from .layers import grey_pixels, heat_pixels, outline_pixels
from .scene import Scene, View
from .words import TITLE, limits, small_print

_WIDTH, _HEIGHT, _DPI = 16.0, 11.4, 100
_BACKGROUND, _TEXT, _DIM = "#0d0f12", "#f2f4f7", "#9aa4b2"
_COLOURS = {"A": "#6ea8fe", "B": "#fcc93a"}
_HEADINGS = {
    "single": "Not guided\nimage and clinical facts at once",
    "step1": "Step 1\nlook anywhere",
    "step2": "Step 2\nlook at the tumour",
    "step3": "Step 3\nadd clinical facts",
}
_SIDES = {"A": "Hospital A\ntrained here", "B": "Hospital B\nnever seen"}


def save_story(facts: Facts, scene: Scene, path: Path) -> None:
    """Write the picture of a scene as a PNG, 1600 pixels wide.

    Raises:
        OSError: if the file cannot be written.
    """
    figure = Figure(figsize=(_WIDTH, _HEIGHT), facecolor=_BACKGROUND)
    FigureCanvasAgg(figure)
    _write(figure, 0.3, 11.0, TITLE, 22, weight="bold")
    for row, text in enumerate(limits()):
        _write(figure, 0.3, 10.76 - 0.2 * row, text, 10.5, "#fbbf24")
    for column, name in enumerate(NETWORKS):
        left = 1.75 + 3.55 * column
        _write(figure, left + 1.7, 10.15, _HEADINGS[name], 13, ha="center", weight="bold")
        for hospital, bottom in zip(HOSPITALS, (6.55, 3.4), strict=True):
            _draw_exam(_add(figure, left, bottom, 3.4, 3.0), scene.views[hospital], name)
        _draw_auc(_add(figure, left + 0.35, 1.85, 2.7, 1.1), facts, name)
    for hospital, height in zip(HOSPITALS, (8.05, 4.9), strict=True):
        _write(figure, 0.85, height, _SIDES[hospital], 13, _COLOURS[hospital], ha="center")
    _write(figure, 0.85, 2.4, "AUC\nall patients", 13, ha="center")
    lines = [line for text in small_print(facts, scene) for line in textwrap.wrap(text, 225)]
    for number, line in enumerate(lines):
        _write(figure, 0.3, 1.55 - 0.2 * number, line, 9.5, _DIM)
    figure.savefig(path, format="png", dpi=_DPI, facecolor=_BACKGROUND)


def _add(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    axes = figure.add_axes((left / _WIDTH, bottom / _HEIGHT, width / _WIDTH, height / _HEIGHT), facecolor="black")
    axes.set_axis_off()
    return axes


def _draw_exam(axes: Axes, view: View, name: str) -> None:
    heat = view.heat[name]
    for pixels in (grey_pixels(view.grey), heat_pixels(heat.image), outline_pixels(view.mask)):
        axes.imshow(pixels, interpolation="bilinear")
    rows, columns = (size * 6 for size in view.grey.shape)
    cut = (rows - columns * 3.0 / 3.4) / 2
    axes.set_xlim(0, columns)
    axes.set_ylim(rows - cut, cut)
    box = {"facecolor": "#000000b0", "edgecolor": "none", "pad": 3}
    answer, share = format_percent(heat.probability), format_percent(heat.in_tumour)
    text = f"{answer} probability of response\n{share} of the heat in the tumour"
    axes.text(0.02, 0.03, text, color=_TEXT, fontsize=10, transform=axes.transAxes, bbox=box)


def _draw_auc(axes: Axes, facts: Facts, name: str) -> None:
    """Draw a bar per hospital from 0.5 to 1, with its interval and the best that is possible without the shortcut."""
    for hospital, height in zip(HOSPITALS, (1.0, 0.0), strict=True):
        found, best = facts.auc[name][hospital], facts.hospitals[hospital].best
        axes.barh(height, 0.5, left=0.5, height=0.5, color="#262b33")
        axes.barh(height, max(found.value - 0.5, 0), left=0.5, height=0.5, color=_COLOURS[hospital])
        axes.plot([found.low, found.high], [height - 0.36] * 2, color=_DIM, linewidth=1.5)
        axes.plot([best, best], [height - 0.33, height + 0.33], color="white", linewidth=2)
        axes.text(0.49, height, f"{hospital}  {found.value:.2f}", color=_TEXT, fontsize=13, ha="right", va="center")
    axes.set_xlim(0.5, 1)
    axes.set_ylim(-0.5, 1.5)


def _write(
    figure: Figure,
    x: float,
    y: float,
    text: str,
    size: float,
    colour: str = _TEXT,
    ha: str = "left",
    weight: str = "normal",
) -> None:
    figure.text(x / _WIDTH, y / _HEIGHT, text, fontsize=size, color=colour, va="center", ha=ha, weight=weight)
