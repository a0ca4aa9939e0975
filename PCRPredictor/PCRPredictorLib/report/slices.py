"""One slice in a picture: grey values, edge letters, scale bar and outlines. Positions are in mm in the slice."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from .display import OUTLINE_RGB, Box, SliceView
from .overlay_text import TEXT

_LARGE = 4.0  # inches; wider panels have larger letters
_HALO = {"facecolor": "#00000070", "edgecolor": "none", "pad": 1.5}
Colour = str | tuple[float, float, float]


def draw_slice(axes: Axes, view: SliceView, image: np.ndarray, grey: tuple[float, float], title: str, box: Box) -> None:
    """Draw a slice in grey, with title, edge letters and a scale bar.

    Args:
        image: (rows, columns), the whole slice.
        grey: black and white level.
        box: that is shown.
    """
    large = axes.get_window_extent().width / axes.figure.dpi > _LARGE
    size = 13 if large else 10
    low, high = grey
    axes.imshow(image, cmap="gray", vmin=low, vmax=high, extent=extent(view), interpolation="bicubic")
    frame(axes, box)
    axes.set_title(title, color=TEXT, fontsize=size, loc="left", pad=5)
    inset = 0.03 if large else 0.055
    places = ((inset, 0.5), (1 - inset, 0.5), (0.5, 1 - inset), (0.5, inset))
    for letter, (x, y) in zip(view.letters, places, strict=True):
        axes.text(
            x, y, letter, color=TEXT, fontsize=size, ha="center", va="center", transform=axes.transAxes, bbox=_HALO
        )
    _scale_bar(axes, box.width, size)


def draw_outline(
    axes: Axes,
    view: SliceView,
    mask: np.ndarray,
    colour: Colour = OUTLINE_RGB,
    style: str = "solid",
    width: float = 1.2,
) -> None:
    """Draw the edge of a mask, (rows, columns), closed at the edge of the field; nothing if it is empty."""
    if not mask.any():
        return
    _, down, across = view.spacing
    padded = np.pad(mask, 1).astype(np.uint8)
    rows, columns = ((np.arange(n) - 1) * step for n, step in zip(padded.shape, (down, across), strict=True))
    axes.contour(columns, rows, padded, [0.5], colors=[colour], linewidths=width, linestyles=style)


def extent(view: SliceView) -> tuple[float, float, float, float]:
    """Return the edges of a whole slice in the order of imshow."""
    field = view.field
    return field.left, field.right, field.bottom, field.top


def frame(axes: Axes, box: Box) -> None:
    """Show a part of the slice, at true proportions."""
    axes.set_aspect("equal")
    axes.set_xlim(box.left, box.right)
    axes.set_ylim(box.bottom, box.top)


def _scale_bar(axes: Axes, width: float, size: int) -> None:
    """Draw a bar of 1, 2, 5 or 10 cm: the longest of at most a third of the picture."""
    length = max((mm for mm in (10, 20, 50, 100) if mm <= width / 3), default=10)
    axes.plot([0.04, 0.04 + length / width], [0.035, 0.035], color=TEXT, linewidth=2.5, transform=axes.transAxes)
    axes.text(0.04, 0.055, f"{length // 10} cm", color=TEXT, fontsize=size - 2, transform=axes.transAxes, bbox=_HALO)
