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
from ..formatting import format_beside, format_percent
from ..prediction import RESEARCH_USE_ONLY, Prediction
from .display import (
    ATTENTION_RGB,
    OUTLINE_RGB,
    Box,
    SliceView,
    attention_opacity,
    enhancement_limits,
    grey_limits,
    main_slice,
    near_tumour,
    slice_view,
    slices_through,
    subtract,
)
from .wording import describe_base_rate, describe_model, describe_rates, describe_side

COLOURS = LinearSegmentedColormap.from_list("attention", ATTENTION_RGB)
_WIDTH, _HEIGHT, _DPI = 16.0, 10.75, 100
_BACKGROUND, _TEXT, _DIM, _RANGE, _WARN = "#0d0f12", "#f2f4f7", "#9aa4b2", "#6ea8fe", "#fbbf24"
_HALO = {"facecolor": "#00000070", "edgecolor": "none", "pad": 1.5}
_WARNINGS_SHOWN, _LINE = 2, 170  # lines; characters per line


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
    enhancement: tuple[float, float]


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
    figure = Figure(figsize=(_WIDTH, _HEIGHT), facecolor=_BACKGROUND)
    FigureCanvasAgg(figure)
    _write_result(figure, prediction)
    _write_facts(figure, prediction)
    _write_notices(figure, prediction)
    _write_footer(figure, prediction)
    context, enhancement, attention = (_add_panel(figure, x, 3.3, 5.15) for x in (0.12, 5.425, 10.73))
    _draw_context(context, pictures, main)
    _draw_enhancement(enhancement, pictures, main)
    _draw_attention(attention, pictures, main, "Attention, share of its peak (cross)")
    _mark_peak(attention, pictures, main)
    _draw_colour_bar(figure)
    small = [_add_panel(figure, 0.12 + 2.64 * n, 0.38, 2.56) for n in range(6)]
    for axes, name in zip(small, ("pre", "early", "late"), strict=False):
        _draw(axes, pictures, getattr(pictures, name)[main], pictures.grey, f"{name.capitalize()} phase")
    through = slices_through(pictures.mask, 3)
    for axes, index in zip(small[3:], through, strict=False):
        _draw_attention(axes, pictures, index, f"Attention, {pictures.view.label(index)}")
    for axes in small[3 + len(through) :]:
        axes.remove()
    return figure


def save_attention(cases: Sequence[tuple[str, Exam, np.ndarray]], path: Path) -> None:
    """Write the slice of highest attention of several exams as a PNG, three per row.

    Args:
        cases: title, exam, attention (k, j, i) of each; at least one.

    Raises:
        OSError: if the file cannot be written.
    """
    rows, tall = -(-len(cases) // 3), 5.6
    figure = Figure(figsize=(_WIDTH, rows * tall), facecolor=_BACKGROUND)
    FigureCanvasAgg(figure)
    for n, (title, exam, attention) in enumerate(cases):
        pictures = _prepare(exam, attention)
        place = ((0.12 + n % 3 * 5.305) / _WIDTH, 1 - (n // 3 + 0.98) / rows, 5.15 / _WIDTH, 5.15 / (rows * tall))
        axes = figure.add_axes(place, facecolor="black")
        axes.set_axis_off()
        _draw_attention(axes, pictures, main_slice(pictures.attention, pictures.mask), title)
    figure.savefig(path, format="png", dpi=_DPI, facecolor=_BACKGROUND)


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
        enhancement=enhancement_limits(exam.early[near], exam.pre[near], mask[near]),
    )


def _add_panel(figure: Figure, left: float, bottom: float, edge: float) -> Axes:
    axes = figure.add_axes((left / _WIDTH, bottom / _HEIGHT, edge / _WIDTH, edge / _HEIGHT), facecolor="black")
    axes.set_axis_off()
    axes.add_artist(Rectangle((0, 0), 1, 1, transform=axes.transAxes, color="black", zorder=-10))
    return axes


def _draw_context(axes: Axes, pictures: _Pictures, index: int) -> None:
    """Draw the whole slice with the frame of the zoom."""
    title = f"Early phase, {pictures.view.label(index)}"
    _draw(axes, pictures, pictures.early[index], pictures.grey, title, pictures.view.field.square)
    box = pictures.zoom
    if box.width < 0.95 * pictures.view.field.square.width:
        axes.add_patch(Rectangle((box.left, box.top), box.width, box.height, fill=False, edgecolor=_TEXT, linewidth=1))


def _draw_enhancement(axes: Axes, pictures: _Pictures, index: int) -> None:
    difference = subtract(pictures.early[index], pictures.pre[index])
    outlined = "green: tumour mask" if pictures.mask[index].any() else "no tumour in this slice"
    _draw(axes, pictures, difference, pictures.enhancement, f"Early minus pre ({outlined})")
    _outline(axes, pictures, index)


def _draw_attention(axes: Axes, pictures: _Pictures, index: int, title: str) -> None:
    """Draw the early phase a little darker, attention in colour, more opaque if stronger, and the outline."""
    low, high = pictures.grey
    _draw(axes, pictures, pictures.early[index], (low, low + 1.3 * (high - low)), title)
    attention = pictures.attention[index]
    coloured = COLOURS(attention)
    coloured[..., 3] = attention_opacity(attention)
    axes.imshow(coloured, extent=_extent(pictures.view), interpolation="bilinear")
    _frame(axes, pictures.zoom)
    _outline(axes, pictures, index)


def _mark_peak(axes: Axes, pictures: _Pictures, index: int) -> None:
    attention, (_, down, across) = pictures.attention[index], pictures.view.spacing
    if attention.max() > 0:
        row, column = np.unravel_index(int(attention.argmax()), attention.shape)
        for colour, width in (("black", 4), (_TEXT, 1.6)):
            axes.plot([column * across], [row * down], "+", color=colour, markersize=13, markeredgewidth=width)


def _draw(
    axes: Axes, pictures: _Pictures, image: np.ndarray, grey: tuple[float, float], title: str, box: Box | None = None
) -> None:
    """Draw one slice in grey, with edge letters and a scale bar."""
    box = box or pictures.zoom
    large = axes.get_position().width > 0.25
    size = 13 if large else 10
    low, high = grey
    axes.imshow(image, cmap="gray", vmin=low, vmax=high, extent=_extent(pictures.view), interpolation="bicubic")
    _frame(axes, box)
    axes.set_title(title, color=_TEXT, fontsize=size, loc="left", pad=5)
    inset = 0.03 if large else 0.055
    places = ((inset, 0.5), (1 - inset, 0.5), (0.5, 1 - inset), (0.5, inset))
    for letter, (x, y) in zip(pictures.view.letters, places, strict=True):
        axes.text(
            x, y, letter, color=_TEXT, fontsize=size, ha="center", va="center", transform=axes.transAxes, bbox=_HALO
        )
    _scale_bar(axes, box.width, size)


def _extent(view: SliceView) -> tuple[float, float, float, float]:
    """Return the edges of a whole slice in the order of imshow."""
    field = view.field
    return field.left, field.right, field.bottom, field.top


def _frame(axes: Axes, box: Box) -> None:
    axes.set_aspect("equal")
    axes.set_xlim(box.left, box.right)
    axes.set_ylim(box.bottom, box.top)


def _outline(axes: Axes, pictures: _Pictures, index: int) -> None:
    """Draw the edge of the mask, closed at the edge of the field."""
    if not pictures.mask[index].any():
        return
    _, down, across = pictures.view.spacing
    padded = np.pad(pictures.mask[index], 1).astype(np.uint8)
    rows, columns = ((np.arange(n) - 1) * step for n, step in zip(padded.shape, (down, across), strict=True))
    axes.contour(columns, rows, padded, [0.5], colors=[OUTLINE_RGB], linewidths=1.2)


def _scale_bar(axes: Axes, width: float, size: int) -> None:
    """Draw a bar of 1, 2, 5 or 10 cm: the longest of at most a third of the picture."""
    length = max((mm for mm in (10, 20, 50, 100) if mm <= width / 3), default=10)
    axes.plot([0.04, 0.04 + length / width], [0.035, 0.035], color=_TEXT, linewidth=2.5, transform=axes.transAxes)
    axes.text(0.04, 0.055, f"{length // 10} cm", color=_TEXT, fontsize=size - 2, transform=axes.transAxes, bbox=_HALO)


def _draw_colour_bar(figure: Figure) -> None:
    """Draw the colour bar above the attention panel, so that it hides nothing."""
    axes = figure.add_axes((14.55 / _WIDTH, 8.53 / _HEIGHT, 1.1 / _WIDTH, 0.14 / _HEIGHT))
    bar = figure.colorbar(ScalarMappable(cmap=COLOURS), cax=axes, orientation="horizontal", ticks=[])
    bar.outline.set_visible(False)
    _write(figure, 14.47, 8.6, "0", 11, ha="right")
    _write(figure, 15.73, 8.6, "1", 11)


def _write(figure: Figure, x: float, y: float, text: str, size: float, colour: str = _TEXT, **options: object) -> None:
    style = {"va": "center", "parse_math": False, **options}  # a dollar sign is no formula
    figure.text(x / _WIDTH, y / _HEIGHT, text, style, fontsize=size, color=colour)


def _write_result(figure: Figure, prediction: Prediction) -> None:
    """Write the probability as a number and on a line from 0 to 100 %."""
    point, (low, high) = prediction.operating_point, prediction.interval
    withheld = bool(prediction.reasons_against)
    _write(figure, 0.15, 10.47, "Probability of pCR", 12, _DIM)
    shown, threshold = format_beside(prediction.probability, point.threshold)
    size, colour = (20, _DIM) if withheld else (46 - 4 * max(len(shown) - 4, 0), _TEXT)
    _write(figure, 0.12, 9.87, shown, size, colour, weight="normal" if withheld else "bold")
    if base := describe_base_rate(prediction):
        _write(figure, 0.15, 9.36, base, 10, _DIM)
    axes = figure.add_axes((2.2 / _WIDTH, 9.63 / _HEIGHT, 3.9 / _WIDTH, 0.56 / _HEIGHT))
    axes.set(xlim=(-0.02, 1.02), ylim=(0, 1))
    axes.set_axis_off()
    axes.plot([0, 1], [0.5, 0.5], color="#3a414c", linewidth=5, solid_capstyle="round")
    axes.plot([low, high], [0.5, 0.5], color=_RANGE, linewidth=9, solid_capstyle="round")
    axes.plot([prediction.probability], [0.5], "o", color=_TEXT, markersize=12)
    axes.plot([point.threshold] * 2, [0.02, 0.98], color=_WARN, linewidth=1.8)
    _write(figure, 2.28, 9.52, "0%", 10, _DIM, ha="center")
    _write(figure, 6.02, 9.52, "100%", 10, _DIM, ha="center")
    middle = float(np.clip(2.28 + 3.74 * point.threshold, 3.0, 5.2))
    _write(figure, middle, 9.52, f"threshold {threshold}", 10, _WARN, ha="center")
    models = len(prediction.fold_probabilities)
    _write(figure, 2.28, 10.32, f"{format_percent(low)} to {format_percent(high)} among {models} models", 12, _RANGE)


def _write_facts(figure: Figure, prediction: Prediction) -> None:
    """Write decision, image alone, attention and tumour: a title and two lines per column."""
    point, attention, tumour = prediction.operating_point, prediction.attention_summary, prediction.tumour
    side = "Withheld" if prediction.reasons_against else describe_side(prediction).split(" the ")[0] + " threshold"
    inside = "peak inside the tumour" if attention.peak_in_tumour else "peak outside the tumour"
    rates = f"{point.name} operating point\n{describe_rates(point) or 'sensitivity and specificity unknown'}"
    columns = (
        (6.6, "Decision", side, rates),
        (9.75, "Image alone", format_percent(prediction.image_probability), "without clinical values"),
        (11.7, "Attention in tumour", format_percent(attention.in_tumour), inside),
        (13.85, "Tumour", f"{tumour.volume_ml:.1f} ml", f"enhancement {100 * tumour.early_enhancement:+.0f} %"),
    )
    for x, title, value, remark in columns:
        _write(figure, x, 10.47, title, 12, _DIM)
        _write(figure, x, 10.08, value, 20, weight="bold")
        _write(figure, x, 9.82, remark, 11, va="top", linespacing=1.4)


def _write_notices(figure: Figure, prediction: Prediction) -> None:
    """Write the warnings that fit, one per line."""
    ordered = sorted(prediction.notices, key=lambda notice: not notice.blocks_decision)
    lines = [f"{'No decision' if n.blocks_decision else 'Warning'}: {n.message}" for n in ordered] or ["No warnings"]
    more = len(lines) - _WARNINGS_SHOWN
    lines = [line if len(line) <= _LINE else line[: _LINE - 1] + "…" for line in lines[:_WARNINGS_SHOWN]]
    if more > 0:
        lines[-1] += f"  (+{more} more in the report)"
    for n, line in enumerate(lines):
        _write(figure, 0.15, 9.15 - 0.22 * n, line, 11, _WARN if prediction.notices else _DIM)


def _write_footer(figure: Figure, prediction: Prediction) -> None:
    model = prediction.model
    use = f"{RESEARCH_USE_ONLY} {describe_model(model)} {model.intended_use}"
    _write(figure, 0.15, 0.17, use if len(use) <= _LINE else use[: _LINE - 1] + "…", 11)
