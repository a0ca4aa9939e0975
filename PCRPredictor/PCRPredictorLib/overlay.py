"""The overlay picture: the tumour in its phases, and where the model looked, as a radiologist reads an exam.

Slices are the acquisition's own, shown as viewers show them (axial: anterior up, the patient's right on the left) and
at true proportions; all lengths are mm.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec as Layout
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from .exam import Exam, Geometry
from .grid import AxisOrder, GridSpec, acquisition_order, place_window
from .prediction import RESEARCH_USE_ONLY, Prediction

COLOURS = "inferno"
FAINT = 0.1  # attention below this share of its peak is not drawn
_BACKGROUND, _TEXT, _DIM, _OUTLINE, _WARN = "#0d0f12", "#f2f4f7", "#9aa4b2", "#4ade80", "#fbbf24"
_MARK: dict[str, Any] = {"color": _TEXT, "path_effects": [withStroke(linewidth=2.5, foreground="black")]}
_OPPOSITE = {"L": "R", "P": "A", "S": "I"}
_OBLIQUE = np.sin(np.deg2rad(20))  # beyond this tilt a second letter is shown


@dataclass(frozen=True, eq=False)
class _Slices:
    """The exam as (slices, rows, columns), with what is needed to draw a slice in mm."""

    pre: np.ndarray
    early: np.ndarray
    mask: np.ndarray
    attention: np.ndarray
    spacing: tuple[float, float, float]
    letters: tuple[str, str, str, str]  # at the left, right, top and bottom edge
    box: tuple[float, float, float, float]  # of the zoom, mm: left, right, top, bottom
    low: float
    high: float
    difference: float


def save_overlay(exam: Exam, prediction: Prediction, path: Path) -> None:
    """Write the picture as a PNG, 1600 pixels wide.

    Raises:
        OSError: if the file cannot be written.
    """
    FigureCanvasAgg(figure := draw_overlay(exam, prediction))
    figure.savefig(path, dpi=100, facecolor=_BACKGROUND)


def draw_overlay(exam: Exam, prediction: Prediction) -> Figure:
    """Numbers; the slice of highest attention, whole and in 80 mm around the tumour; attention through the tumour.

    Args:
        exam: with a mask.
        prediction: of that exam.
    """
    slices = _prepare(exam, prediction)
    figure = Figure(figsize=(16, 9.9))
    layout = Layout(2, 4, figure, left=0.012, right=0.955, top=0.80, bottom=0.035, hspace=0.13, wspace=0.05)
    _write_numbers(figure, prediction)
    index = int(slices.attention.max(axis=(1, 2)).argmax())
    number = f"slice {index + 1} of {len(slices.mask)}"
    context, pre, early, difference = (figure.add_subplot(layout[0, column]) for column in range(4))
    _draw(context, slices, slices.early, index, f"Early phase, {number}", zoom=False)
    left, right, top, bottom = slices.box
    context.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor=_TEXT, linewidth=0.9))
    _draw(pre, slices, slices.pre, index, "Before contrast")
    _draw(early, slices, slices.early, index, "Early phase")
    _draw(difference, slices, slices.early - slices.pre.astype(np.float32), index, "Early - before", difference=True)
    for column, each in enumerate(_through_tumour(slices.mask, index)):
        axes = figure.add_subplot(layout[1, column])
        _draw(axes, slices, slices.early, each, f"Attention, slice {each + 1}")
        _colour(axes, slices, each)
    _legend(figure)
    return figure


def _prepare(exam: Exam, prediction: Prediction) -> _Slices:
    order = acquisition_order(exam.geometry)
    mask = np.asarray(exam.mask) != 0
    window = place_window(mask, exam.geometry, GridSpec())
    spacing = order.spacing(exam.geometry)
    near = window.region
    early, difference = exam.early[near], exam.early[near].astype(np.float32) - exam.pre[near]
    low, high = np.percentile(early, [1, 99.7])
    return _Slices(
        pre=order.view(exam.pre),
        early=order.view(exam.early),
        mask=order.view(mask),
        attention=order.view(prediction.attention),
        spacing=spacing,
        letters=_edge_letters(exam.geometry, order),
        box=(
            window.columns[0] * spacing[2],
            window.columns[1] * spacing[2],
            window.rows[0] * spacing[1],
            window.rows[1] * spacing[1],
        ),
        low=float(low),
        high=float(max(high, low + 1e-6)),
        difference=float(max(np.percentile(difference, 99.7), 1e-6)),
    )


def _edge_letters(geometry: Geometry, order: AxisOrder) -> tuple[str, str, str, str]:
    """Patient directions at the left, right, top and bottom edge of a slice."""
    across, down = (geometry.direction[:, 2 - order.axes[n]] * (-1 if order.mirrored[n] else 1) for n in (2, 1))
    return direction_letters(-across), direction_letters(across), direction_letters(-down), direction_letters(down)


def direction_letters(direction: np.ndarray) -> str:
    """Letters of an LPS direction: the main one, and the second one where it is more than 20 degrees oblique."""
    letters = ""
    for axis in np.argsort(-np.abs(direction)):
        if abs(direction[axis]) >= _OBLIQUE and len(letters) < 2:
            letter = "LPS"[axis]
            letters += letter if direction[axis] > 0 else _OPPOSITE[letter]
    return letters


def _through_tumour(mask: np.ndarray, peak: int) -> list[int]:
    """Up to four slices spread over the tumour, the one of highest attention among them, ascending."""
    present = np.flatnonzero(mask.any(axis=(1, 2)))
    spread = np.unique(present[np.linspace(0, len(present) - 1, 6).round().astype(int)[1:-1]])
    if peak not in spread:
        spread[np.abs(spread - peak).argmin()] = peak
    return sorted({int(index) for index in spread})


def _draw(
    axes: Axes,
    slices: _Slices,
    volume: np.ndarray,
    index: int,
    title: str,
    *,
    zoom: bool = True,
    difference: bool = False,
) -> None:
    """One slice in grey with the tumour's outline, edge letters and a scale bar."""
    low, high = (0.0, slices.difference) if difference else (slices.low, slices.high)
    extent = _extent(slices)
    axes.set_facecolor("black")
    axes.imshow(volume[index], cmap="gray", vmin=low, vmax=high, extent=extent, interpolation="bicubic")
    if slices.mask[index].any():
        axes.contour(slices.mask[index], [0.5], colors=_OUTLINE, linewidths=1.1, extent=extent, origin="upper")
    left, right, top, bottom = slices.box if zoom else _square(extent)
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_visible(False)
    axes.set_title(title, color=_TEXT, fontsize=12, loc="left", pad=4)
    for letter, x, y in zip(slices.letters, (0.03, 0.97, 0.5, 0.5), (0.5, 0.5, 0.96, 0.04), strict=True):
        axes.text(x, y, letter, fontsize=12, ha="center", va="center", transform=axes.transAxes, **_MARK)
    _scale_bar(axes, right - left)


def _extent(slices: _Slices) -> tuple[float, float, float, float]:
    """Edges of a whole slice in mm as imshow takes them: left, right, bottom, top; voxel (0, 0) is centred on 0."""
    _, rows, columns = slices.mask.shape
    _, down, across = slices.spacing
    return -0.5 * across, (columns - 0.5) * across, (rows - 0.5) * down, -0.5 * down


def _square(extent: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """A square around a slice: left, right, top, bottom."""
    left, right, bottom, top = extent
    half = max(right - left, bottom - top) / 2
    x, y = (left + right) / 2, (top + bottom) / 2
    return x - half, x + half, y - half, y + half


def _scale_bar(axes: Axes, width: float) -> None:
    """A bar of 2 cm, or 5 cm where the picture is wide."""
    length = 50 if width > 160 else 20
    axes.plot([0.05, 0.05 + length / width], [0.05, 0.05], linewidth=2, transform=axes.transAxes, **_MARK)
    axes.text(0.05, 0.065, f"{length // 10} cm", fontsize=10, transform=axes.transAxes, **_MARK)


def _colour(axes: Axes, slices: _Slices, index: int) -> None:
    """Attention in colour over a slice, the stronger the more opaque."""
    attention = slices.attention[index]
    coloured = colormaps[COLOURS](attention)
    coloured[..., 3] = np.where(attention < FAINT, 0, 0.2 + 0.5 * attention)
    axes.images[0].set_zorder(-1)
    axes.imshow(coloured, extent=_extent(slices), interpolation="bilinear", zorder=0)
    left, right, top, bottom = slices.box
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)


def _legend(figure: Figure) -> None:
    bar = figure.colorbar(
        ScalarMappable(cmap=COLOURS), cax=figure.add_axes((0.963, 0.06, 0.008, 0.3)), ticks=[0, 0.5, 1]
    )
    bar.ax.tick_params(colors=_TEXT, labelsize=10, length=0)
    bar.outline.set_visible(False)
    bar.ax.set_title("attention\n/ peak", color=_DIM, fontsize=9, pad=6)


def _write_numbers(figure: Figure, prediction: Prediction) -> None:
    """The result on top: probability first, then what it rests on, then warnings."""
    point, tumour = prediction.operating_point, prediction.tumour
    low, high = prediction.interval
    figure.text(0.013, 0.955, "pCR probability", color=_DIM, fontsize=13, va="center")
    figure.text(0.013, 0.893, f"{prediction.probability:.0%}", color=_TEXT, fontsize=42, va="center", weight="bold")
    figure.text(0.105, 0.912, f"folds {low:.0%} to {high:.0%}", color=_TEXT, fontsize=13, va="center")
    figure.text(0.105, 0.876, f"image alone {prediction.image_probability:.0%}", color=_TEXT, fontsize=13, va="center")
    rates = (
        f"sensitivity {point.sensitivity:.0%}, specificity {point.specificity:.0%}"
        if point.sensitivity is not None and point.specificity is not None
        else "rates unknown"
    )
    columns = (
        (
            0.25,
            "Decision",
            f"{prediction.decision} ({point.name}, at {point.threshold:.0%} or more)",
            f"in training: {rates}",
        ),
        (
            0.53,
            "Attention inside the tumour",
            f"{prediction.attention_summary.in_tumour:.0%}",
            f"peak {'inside' if prediction.attention_summary.peak_in_tumour else 'outside'} the tumour",
        ),
        (
            0.74,
            "Tumour",
            f"{tumour.volume_ml:.1f} ml",
            f"enhancement early {tumour.early_enhancement:+.0%}, late {tumour.late_enhancement:+.0%}",
        ),
    )
    for x, title, first, second in columns:
        figure.text(x, 0.955, title, color=_DIM, fontsize=13, va="center")
        figure.text(x, 0.912, first, color=_TEXT, fontsize=15, va="center")
        figure.text(x, 0.876, second, color=_TEXT, fontsize=12, va="center")
    messages = [notice.message for notice in prediction.notices]
    more = f" (+{len(messages) - 1} more, see the report)" if len(messages) > 1 else ""
    if messages:
        figure.text(0.013, 0.837, f"Warning: {messages[0]}{more}", color=_WARN, fontsize=11, va="center")
    model = prediction.model
    footer = f"{RESEARCH_USE_ONLY} Model {model.name} {model.version}: {model.intended_use}"
    figure.text(0.5, 0.012, footer, color=_DIM, fontsize=10, ha="center", va="center")
