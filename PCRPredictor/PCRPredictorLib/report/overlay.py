"""The overlay picture: the tumour in its phases and the attention of the model.

Slices are those of the acquisition, oriented as in viewers and at true proportions; the three phases share grey
values. Positions are in inches in the figure and in mm in slices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ..exam import Exam
from ..formatting import format_value
from ..prediction import Prediction
from .display import (
    ATTENTION_RGB,
    Box,
    SliceView,
    attention_opacity,
    grey_limits,
    main_slice,
    near_tumour,
    slice_view,
    slices_through,
)
from .maps import MapOverlay, OverlayKind, make_overlay
from .overlay_text import (
    DIM,
    TEXT,
    WIDTH,
    Sheet,
    make_sheet,
    write,
    write_facts,
    write_footer,
    write_notices,
    write_result,
)
from .slices import draw_outline, draw_slice, extent, frame

COLOURS = LinearSegmentedColormap.from_list("attention", ATTENTION_RGB)
_SHOWN: tuple[OverlayKind, ...] = ("enhancement", "attention", "evidence")
_LEGENDS = {
    "enhancement": "Green: tumour mask. From the phases alone: no model has a part in it",
    "attention": "Share of its peak (cross): where the model looked, not why",
    "evidence": "Blue: towards response, orange: against it. Log-odds per ml of tissue",
}
_OUT_OF_MEAN = 4.0  # times its mean in the window that a peak is at least, if a map is not flat
_LARGE = 5.0  # inches
_SIGNED_OPACITY = 1.4  # times that of attention, whose palest colour is the strongest
_DPI, _BACKGROUND = 100, "#0d0f12"


@dataclass(frozen=True, eq=False)
class _Pictures:
    """The content of the panels: volumes as (slices, rows, columns), and how they are drawn."""

    view: SliceView
    pre: np.ndarray
    early: np.ndarray
    late: np.ndarray
    mask: np.ndarray
    attention: np.ndarray
    zoom: Box
    grey: tuple[float, float]


def save_overlay(exam: Exam, prediction: Prediction, path: Path) -> None:
    """Write the picture as a PNG, 1600 pixels wide.

    Raises:
        OSError: if the file cannot be written.
    """
    figure = render_overlay(exam, prediction)
    figure.savefig(path, format="png", dpi=_DPI, facecolor=_BACKGROUND)


def render_overlay(exam: Exam, prediction: Prediction) -> Figure:
    """Draw the numbers; the slice of highest attention, whole and zoomed; its phases; attention through the tumour.

    The patient is not named.

    Args:
        exam: with a mask that is not empty.
        prediction: of the exam.
    """
    pictures = _prepare(exam, prediction.attention)
    main = main_slice(pictures.attention, pictures.mask)
    figure = make_sheet(prediction, _BACKGROUND)
    FigureCanvasAgg(figure)
    write_result(figure, prediction)
    write_facts(figure, prediction)
    write_notices(figure, prediction)
    write_footer(figure)
    overlays = [made for kind in _SHOWN if (made := make_overlay(kind, exam, prediction)) is not None]
    for n, overlay in enumerate(overlays):
        left = 0.12 + n * 5.305
        _draw_map(_add_panel(figure, left, 3.5, _LARGE), pictures, overlay, main, _map_title(overlay, prediction))
        _draw_colour_bar(figure, overlay, left + _LARGE)
        write(figure, left, 3.36, _LEGENDS[overlay.kind], 10, DIM)
        if overlay.kind == "attention":
            _mark_peak(figure.axes[-2], pictures, main)
    small = [_add_panel(figure, 0.12 + 2.64 * n, 0.38, 2.56) for n in range(6)]
    _draw_context(small[0], pictures, main)
    for axes, name in zip(small[1:4], ("pre", "early", "late"), strict=True):
        _draw(axes, pictures, getattr(pictures, name)[main], pictures.grey, f"{name.capitalize()} phase")
    through = slices_through(pictures.mask, 2)
    for axes, index in zip(small[4:], through, strict=False):
        title = f"{overlays[-1].kind.capitalize()}, {pictures.view.label(index)}"
        _draw_map(axes, pictures, overlays[-1], index, title)
    for axes in small[4 + len(through) :]:
        axes.remove()
    return figure


def save_attention(cases: Sequence[tuple[str, Exam, np.ndarray]], path: Path) -> None:
    """Write the slice of highest attention of several exams as a PNG, three per row; a flat map is shown as flat.

    Args:
        cases: title, exam, attention (k, j, i) of each; at least one.

    Raises:
        OSError: if the file cannot be written.
    """
    rows, tall = -(-len(cases) // 3), 5.6
    figure = Figure(figsize=(WIDTH, rows * tall), facecolor=_BACKGROUND)
    FigureCanvasAgg(figure)
    for n, (title, exam, attention) in enumerate(cases):
        pictures = _prepare(exam, attention)
        place = ((0.12 + n % 3 * 5.305) / WIDTH, 1 - (n // 3 + 0.98) / rows, 5.15 / WIDTH, 5.15 / (rows * tall))
        axes = figure.add_axes(place, facecolor="black")
        axes.set_axis_off()
        strength = standing_out(attention)
        shown = MapOverlay("attention", strength * attention, 0.0, 1.0, "")
        title = title if strength == 1 else f"{title}; flat map: no place stands out"
        _draw_map(axes, pictures, shown, main_slice(pictures.attention, pictures.mask), title)
    figure.savefig(path, format="png", dpi=_DPI, facecolor=_BACKGROUND)


def standing_out(attention: np.ndarray) -> float:
    """Return how strongly a map is shown: 1 if its peak stands out of its mean, less for a flat map.

    Attention is a share of its peak, so that a map that is the same everywhere would be all peak.

    Args:
        attention: (k, j, i), 1 at the peak, 0 outside the window.
    """
    inside = attention[attention > 0]
    return min(1.0, 1 / (_OUT_OF_MEAN * float(inside.mean()))) if inside.size else 1.0


def _prepare(exam: Exam, attention: np.ndarray) -> _Pictures:
    view, near = slice_view(exam.geometry), near_tumour(exam)
    mask = np.asarray(exam.mask) != 0
    return _Pictures(
        view=view,
        pre=view.order.view(exam.pre),
        early=view.order.view(exam.early),
        late=view.order.view(exam.late),
        mask=view.order.view(mask),
        attention=view.order.view(attention),
        zoom=view.zoom(mask),
        grey=grey_limits(exam.early[near], mask[near]),
    )


def _add_panel(figure: Sheet, left: float, bottom: float, edge: float) -> Axes:
    axes = figure.add_axes(figure.rectangle(left, bottom, edge, edge), facecolor="black")
    axes.set_axis_off()
    axes.add_artist(Rectangle((0, 0), 1, 1, transform=axes.transAxes, color="black", zorder=-10))
    return axes


def _draw_context(axes: Axes, pictures: _Pictures, index: int) -> None:
    """Draw the whole slice with the frame of the zoom."""
    title = f"Early phase, {pictures.view.label(index)}"
    _draw(axes, pictures, pictures.early[index], pictures.grey, title, pictures.view.field.square)
    box = pictures.zoom
    if box.width < 0.95 * pictures.view.field.square.width:
        axes.add_patch(Rectangle((box.left, box.top), box.width, box.height, fill=False, edgecolor=TEXT, linewidth=1))


def _draw_map(axes: Axes, pictures: _Pictures, overlay: MapOverlay, index: int, title: str) -> None:
    """Draw the early phase a little darker, a map in colour, more opaque if stronger, and the outline."""
    low, high = pictures.grey
    _draw(axes, pictures, pictures.early[index], (low, low + 1.3 * (high - low)), title)
    values = pictures.view.order.view(overlay.values)[index]
    coloured = _colours(overlay)((values - overlay.low) / (overlay.high - overlay.low))
    coloured[..., 3] = attention_opacity(overlay.share(values)) * (_SIGNED_OPACITY if overlay.is_signed else 1.0)
    axes.imshow(coloured, extent=extent(pictures.view), interpolation="bilinear")
    frame(axes, pictures.zoom)
    draw_outline(axes, pictures.view, pictures.mask[index])


def _colours(overlay: MapOverlay) -> LinearSegmentedColormap:
    return LinearSegmentedColormap.from_list(overlay.kind, overlay.colours)


def _map_title(overlay: MapOverlay, prediction: Prediction) -> str:
    if overlay.kind == "evidence" and prediction.evidence is not None:
        return f"Evidence, sum {format_value(prediction.evidence.image.log_odds, signed=True)} log-odds"
    return {"enhancement": "Early enhancement", "attention": "Attention", "evidence": "Evidence"}[overlay.kind]


def _mark_peak(axes: Axes, pictures: _Pictures, index: int) -> None:
    attention, (_, down, across) = pictures.attention[index], pictures.view.spacing
    if attention.max() > 0:
        row, column = np.unravel_index(int(attention.argmax()), attention.shape)
        for colour, width in (("black", 4), (TEXT, 1.6)):
            axes.plot([column * across], [row * down], "+", color=colour, markersize=13, markeredgewidth=width)


def _draw(
    axes: Axes, pictures: _Pictures, image: np.ndarray, grey: tuple[float, float], title: str, box: Box | None = None
) -> None:
    draw_slice(axes, pictures.view, image, grey, title, box or pictures.zoom)


def _draw_colour_bar(figure: Sheet, overlay: MapOverlay, right: float) -> None:
    """Draw the colour bar above a panel, at its right edge in inches, so that it hides nothing."""
    axes = figure.add_axes(figure.rectangle(right - 1.62, 8.57, 0.7, 0.14))
    bar = figure.colorbar(ScalarMappable(cmap=_colours(overlay)), cax=axes, orientation="horizontal", ticks=[])
    bar.outline.set_visible(False)
    low, high = (
        f"{value:+g}".replace("-", "−") if overlay.is_signed else f"{value:g}" for value in (overlay.low, overlay.high)
    )
    write(figure, right - 1.68, 8.64, low, 10, ha="right")
    write(figure, right - 0.86, 8.64, f"{high} {overlay.unit.removeprefix('log-odds')}".replace(" per ", "/"), 10)
