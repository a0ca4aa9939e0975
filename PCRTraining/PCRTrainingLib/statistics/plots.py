"""Plots of the reports as SVG text: ROC and calibration curves, intervals, the course of training."""

import io
import math
from collections.abc import Mapping, Sequence
from textwrap import shorten
from typing import TypeGuard

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from PCRPredictorLib.formatting import format_value

Curve = tuple[Sequence[float], Sequence[float], float | None]  # false positive rate, true positive rate, AUC
ForestRow = tuple[str, float | None, float | None, float | None]  # name, value, low, high

# Okabe and Ito, Color Universal Design (2008), without its yellow, which is faint on white; red and black come last.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
_DASHES = ("-", "--", ":")
_TEXT, _DIM, _GRID = "#1c2430", "#55606e", "#e6e9ee"
_SMALL, _NORMAL = 10, 11  # points
_LONGEST_NAME = 44  # characters
_PANELS = (("loss", "Loss"), ("validation_auc", "Validation AUC"), ("attention_in_tumour", "Attention in tumour"))


def roc_plot(curves: Mapping[str, Curve]) -> str:
    """Plot ROC curves, one colour per name, and the diagonal; a curve without points is in the legend only."""
    figure, axes = _square("1 − specificity", "Sensitivity")
    for number, (name, (false_positive_rate, sensitivity, area)) in enumerate(curves.items()):
        label = f"{_shorten(name)}, AUC {format_value(area)}"
        axes.plot(false_positive_rate, sensitivity, **_line(number), label=_escape(label))
    _legend_below(axes)
    return _svg(figure)


def calibration_plot(curves: Mapping[str, list[dict]]) -> str:
    """Plot the observed against the predicted share of pCR, with intervals, and the diagonal on which both agree.

    Args:
        curves: points by name, each with `predicted`, `observed`, `low`, `high`.
    """
    figure, axes = _square("Predicted probability of pCR", "Observed share with pCR")
    for number, (name, points) in enumerate(curves.items()):
        known = [point for point in points if is_known(point["predicted"]) and is_known(point["observed"])]
        x = [point["predicted"] for point in known]
        y = [point["observed"] for point in known]
        bars = np.array([_bar(point["observed"], point["low"], point["high"]) for point in known]).reshape(-1, 2).T
        style = _line(number)
        axes.errorbar(x, y, bars, **style, marker="o", markersize=5, elinewidth=1, label=_escape(_shorten(name)))
    _legend_below(axes)
    return _svg(figure)


def decision_plot(curves: Mapping[str, list[dict]]) -> str:
    """Plot the net benefit by threshold, with intervals as a band, and that of deciding for everybody and for nobody.

    Args:
        curves: points by name, each with `threshold`, `net_benefit` (value, low, high) and `everybody`; of one cohort.
    """
    figure, axes = _figure(6.2, 4.2)
    axes.axhline(0, color=_DIM, linewidth=1)
    lowest = 0.0
    for number, (name, points) in enumerate(curves.items()):
        x = [point["threshold"] for point in points]
        values, low, high = ([point["net_benefit"][key] for point in points] for key in ("value", "low", "high"))
        if number == 0:
            axes.plot(x, [point["everybody"] for point in points], color=_DIM, linewidth=1, linestyle=(0, (2, 3)))
        axes.plot(x, values, **_line(number), label=_escape(_shorten(name)))
        if all(map(is_known, (*low, *high))):
            axes.fill_between(x, low, high, color=_line(number)["color"], alpha=0.08, linewidth=0)
        lowest = min([lowest, *filter(is_known, values)])
    axes.set_ylim(bottom=max(lowest, -0.1) - 0.03)
    axes.set_xlabel("Threshold of the decision", size=_NORMAL, color=_TEXT)
    axes.set_ylabel("Net benefit", size=_NORMAL, color=_TEXT)
    _legend_below(axes)
    return _svg(figure)


def curve_plot(panels: Mapping[str, Mapping[str, tuple[Sequence[float], Sequence[float]]]], x_label: str) -> str:
    """Plot curves side by side, a panel per title, with one colour per name and a common vertical axis from 0.

    Args:
        panels: by title, x and y of each curve by its name.
    """
    figure = Figure(figsize=(4.2 * len(panels), 3.4), facecolor="white")
    FigureCanvasAgg(figure)
    axes: list[Axes] = list(figure.subplots(1, len(panels), sharey=True, squeeze=False)[0])
    for each, (title, curves) in zip(axes, panels.items(), strict=True):
        _style_axes(each)
        each.set_title(_escape(title), size=_NORMAL, color=_TEXT)
        each.set_xlabel(x_label, size=_NORMAL, color=_TEXT)
        for number, (name, (x, y)) in enumerate(curves.items()):
            each.plot(x, y, **_line(number), marker="o", markersize=4, label=_escape(_shorten(name)))
        each.set_ylim(bottom=0)
    _legend_below(axes[0])
    return _svg(figure)


def forest_plot(rows: list[ForestRow], reference: float | None, label: str) -> str:
    """Plot values with intervals, one per line and the first on top.

    Args:
        rows: name, value, low, high; a row without a value has an empty line.
        reference: drawn as a dashed line across all rows.
        label: of the horizontal axis.
    """
    figure, axes = _figure(6.2, 0.75 + 0.34 * max(len(rows), 1))
    for height, (_, value, low, high) in enumerate(rows):
        if is_known(value):
            below, above = _bar(value, low, high)
            axes.errorbar(value, height, xerr=[[below], [above]], fmt="s", color=_COLOURS[0], markersize=6, capsize=3)
        words, transform = format_value({"value": value, "low": low, "high": high}), axes.get_yaxis_transform()
        axes.text(1.03, height, words, transform=transform, va="center", size=_SMALL, color=_TEXT)
    axes.set_yticks(range(len(rows)), [_escape(_shorten(row[0])) for row in rows], size=_SMALL, color=_TEXT)
    axes.set_ylim(max(len(rows), 1) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(_escape(label), size=_NORMAL, color=_TEXT)
    axes.margins(x=0.08)
    if is_known(reference):
        axes.axvline(reference, color=_COLOURS[1], linewidth=1.4, linestyle="--", zorder=1)
        words, place = format_value(reference), axes.get_xaxis_transform()
        axes.text(reference, 1.01, words, transform=place, ha="center", va="bottom", size=_SMALL, color=_COLOURS[1])
    return _svg(figure)


def training_plot(histories: Mapping[str, list[dict]]) -> str:
    """Plot loss, validation AUC and attention in the tumour by epoch, with a divider at each step.

    A quantity that was never measured has no panel.

    Args:
        histories: by name, for example of a fold: rows with `step`, `epoch`, `loss` and, or None, `validation_loss`,
            `validation_auc`, `attention_in_tumour`. A step is as wide as its longest history.
    """
    starts, end = _step_starts(histories)
    rows = [row for history in histories.values() for row in history]
    shown = [panel for panel in _PANELS if panel == _PANELS[0] or any(is_known(row[panel[0]]) for row in rows)]
    figure = Figure(figsize=(8.5, 2.7 * len(shown)), facecolor="white")
    panels: list[Axes] = list(figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0])
    for axes, (key, title) in zip(panels, shown, strict=True):
        _style_axes(axes)
        axes.set_ylabel(title, size=_NORMAL, color=_TEXT)
        for number, history in enumerate(histories.values()):
            if key == "loss":
                _draw_steps(axes, history, "loss", starts, _line(number) | {"linestyle": "--", "linewidth": 1.1})
                _draw_steps(axes, history, "validation_loss", starts, _line(number) | {"linestyle": "-"})
            else:
                _draw_steps(axes, history, key, starts, _line(number) | {"linestyle": "-"})
        for first, _ in list(starts.values())[1:]:
            axes.axvline(first - 0.5, color=_DIM, linewidth=1)
        axes.set_xlim(0.5, max(end, 1) + 0.5)
        if key == "attention_in_tumour":
            axes.set_ylim(bottom=0)
    for step, (first, _) in starts.items():
        name, transform = _escape(_shorten(step)), panels[0].get_xaxis_transform()
        panels[0].text(first - 0.3, 1.02, name, transform=transform, size=_SMALL, color=_DIM)
    panels[-1].set_xlabel("Epoch, over all steps", size=_NORMAL, color=_TEXT)
    handles = [Line2D([], [], color=_DIM, linestyle=dash) for dash in ("--", "-")]
    handles += [Line2D([], [], color=_line(number)["color"]) for number in range(len(histories))]
    names = ["training loss", "validation", *(_escape(_shorten(name)) for name in histories)]
    style = {"frameon": False, "fontsize": _SMALL, "labelcolor": _TEXT}
    figure.legend(handles, names, loc="upper center", bbox_to_anchor=(0.5, 0.05), ncols=4, **style)
    return _svg(figure)


def is_known(value: float | None) -> TypeGuard[float]:
    """Return True if a value is a finite number."""
    return value is not None and math.isfinite(value)


def _step_starts(histories: Mapping[str, list[dict]]) -> tuple[dict[str, tuple[int, int]], int]:
    """Return the place of each step's first epoch on the axis, that epoch's number, and the last place."""
    epochs: dict[str, list[int]] = {}
    for history in histories.values():
        for row in history:
            if row["epoch"] is not None:
                epochs.setdefault(str(row["step"]), []).append(int(row["epoch"]))
    starts, place = {}, 1
    for step, numbers in epochs.items():
        starts[step] = (place, min(numbers))
        place += max(numbers) - min(numbers) + 1
    return starts, place - 1


def _draw_steps(
    axes: Axes, history: Sequence[dict], key: str, starts: Mapping[str, tuple[int, int]], style: dict
) -> None:
    """Draw one line per step, so that no line crosses a divider."""
    for step, (first, number) in starts.items():
        rows = [row for row in history if str(row["step"]) == step and row["epoch"] is not None and is_known(row[key])]
        x = [first + int(row["epoch"]) - number for row in rows]
        axes.plot(x, [row[key] for row in rows], **style, marker="." if len(rows) == 1 else "")


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    _style_axes(axes)
    return figure, axes


def _square(x_label: str, y_label: str) -> tuple[Figure, Axes]:
    """Return axes from 0 to 1 with the diagonal."""
    figure, axes = _figure(4.6, 4.6)
    axes.plot([0, 1], [0, 1], color=_DIM, linewidth=1, linestyle=(0, (2, 3)))
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axes.set_xticks(np.linspace(0, 1, 6))
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.set_xlabel(x_label, size=_NORMAL, color=_TEXT)
    axes.set_ylabel(y_label, size=_NORMAL, color=_TEXT)
    return figure, axes


def _style_axes(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_DIM)
    axes.tick_params(labelsize=_SMALL, colors=_DIM)
    axes.grid(color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)


def _legend_below(axes: Axes) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.13), frameon=False, fontsize=_SMALL, labelcolor=_TEXT)


def _line(number: int) -> dict:
    """Return the style of the n-th curve; dashes distinguish curves of one colour."""
    dash = _DASHES[number // len(_COLOURS) % len(_DASHES)]
    return {"color": _COLOURS[number % len(_COLOURS)], "linestyle": dash, "linewidth": 1.8}


def _bar(value: float, low: float | None, high: float | None) -> tuple[float, float]:
    """Return the lengths of an error bar below and above; 0 on an unknown side."""
    below = max(value - low, 0.0) if is_known(low) else 0.0
    above = max(high - value, 0.0) if is_known(high) else 0.0
    return below, above


def _shorten(name: str) -> str:
    return shorten(name, _LONGEST_NAME, placeholder=" …") if " " in name else name[:_LONGEST_NAME]


def _escape(text: str) -> str:
    """Return text that matplotlib reads neither as a formula nor, by a leading underscore, as no label."""
    return (" " if text.startswith("_") else "") + text.replace("$", r"\$")


def _svg(figure: Figure) -> str:
    """Return a figure as SVG: the same text for the same figure, and glyphs drawn, so that no font is needed."""
    buffer = io.StringIO()
    no_metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with rc_context({"svg.hashsalt": "breastpcr", "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", metadata=no_metadata, bbox_inches="tight", pad_inches=0.08)
    text = buffer.getvalue()
    return text[text.index("<svg") :]
