"""The text of the overlay picture; positions are in inches in the figure."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from ..formatting import format_beside, format_percent
from ..prediction import RESEARCH_USE_ONLY, Prediction
from .bars import describe_points
from .wording import describe_base_rate, describe_model, describe_rates, describe_side

WIDTH, HEIGHT = 16.0, 10.75
TEXT, DIM, _RANGE, _WARN = "#f2f4f7", "#9aa4b2", "#6ea8fe", "#fbbf24"
_WARNINGS_SHOWN, _LINE = 2, 170  # lines; characters per line


def write(figure: Figure, x: float, y: float, text: str, size: float, colour: str = TEXT, **options: object) -> None:
    """Write a line, its middle at a height."""
    style = {"va": "center", "parse_math": False, **options}  # a dollar sign is no formula
    figure.text(x / WIDTH, y / HEIGHT, text, style, fontsize=size, color=colour)


def write_result(figure: Figure, prediction: Prediction) -> None:
    """Write the probability as a number and on a line from 0 to 100 %."""
    point, (low, high) = prediction.operating_point, prediction.interval
    withheld = bool(prediction.reasons_against)
    write(figure, 0.15, 10.47, "Probability of pCR", 12, DIM)
    shown, threshold = format_beside(prediction.probability, point.threshold)
    size, colour = (20, DIM) if withheld else (46 - 4 * max(len(shown) - 4, 0), TEXT)
    write(figure, 0.12, 9.87, shown, size, colour, weight="normal" if withheld else "bold")
    if base := describe_base_rate(prediction):
        write(figure, 0.15, 9.36, base, 10, DIM)
    axes = figure.add_axes((2.2 / WIDTH, 9.63 / HEIGHT, 3.9 / WIDTH, 0.56 / HEIGHT))
    axes.set(xlim=(-0.02, 1.02), ylim=(0, 1))
    axes.set_axis_off()
    axes.plot([0, 1], [0.5, 0.5], color="#3a414c", linewidth=5, solid_capstyle="round")
    axes.plot([low, high], [0.5, 0.5], color=_RANGE, linewidth=9, solid_capstyle="round")
    axes.plot([prediction.probability], [0.5], "o", color=TEXT, markersize=12)
    axes.plot([point.threshold] * 2, [0.02, 0.98], color=_WARN, linewidth=1.8)
    write(figure, 2.28, 9.52, "0%", 10, DIM, ha="center")
    write(figure, 6.02, 9.52, "100%", 10, DIM, ha="center")
    middle = float(np.clip(2.28 + 3.74 * point.threshold, 3.0, 5.2))
    write(figure, middle, 9.52, f"threshold {threshold}", 10, _WARN, ha="center")
    models = len(prediction.fold_probabilities)
    write(figure, 2.28, 10.32, f"{format_percent(low)} to {format_percent(high)} among {models} models", 12, _RANGE)


def write_facts(figure: Figure, prediction: Prediction) -> None:
    """Write decision, what the image adds, attention and tumour: a title and two lines per column."""
    point, attention, tumour = prediction.operating_point, prediction.attention_summary, prediction.tumour
    side = "Withheld" if prediction.reasons_against else describe_side(prediction).split(" the ")[0] + " threshold"
    inside = "peak inside the tumour" if attention.peak_in_tumour else "peak outside the tumour"
    rates = f"{point.name} operating point\n{describe_rates(point) or 'sensitivity and specificity unknown'}"
    image = ("Image adds", describe_points(prediction.evidence.image)) if prediction.evidence else ("Image", "")
    columns = (
        (6.6, "Decision", side, rates),
        (9.75, *image, f"{format_percent(prediction.image_probability)} without\nclinical values"),
        (11.7, "Attention in tumour", format_percent(attention.in_tumour), inside),
        (13.85, "Tumour", f"{tumour.volume_ml:.1f} ml", f"enhancement {100 * tumour.early_enhancement:+.0f} %"),
    )
    for x, title, value, remark in columns:
        write(figure, x, 10.47, title, 12, DIM)
        write(figure, x, 10.08, value, 20, weight="bold")
        write(figure, x, 9.82, remark, 11, va="top", linespacing=1.4)


def write_notices(figure: Figure, prediction: Prediction) -> None:
    """Write the warnings that fit, one per line."""
    ordered = sorted(prediction.notices, key=lambda notice: not notice.blocks_decision)
    lines = [f"{'No decision' if n.blocks_decision else 'Warning'}: {n.message}" for n in ordered] or ["No warnings"]
    more = len(lines) - _WARNINGS_SHOWN
    lines = [line if len(line) <= _LINE else line[: _LINE - 1] + "…" for line in lines[:_WARNINGS_SHOWN]]
    if more > 0:
        lines[-1] += f"  (+{more} more in the report)"
    for n, line in enumerate(lines):
        write(figure, 0.15, 9.15 - 0.22 * n, line, 11, _WARN if prediction.notices else DIM)


def write_footer(figure: Figure, prediction: Prediction) -> None:
    """Write what the result is for, and the model."""
    model = prediction.model
    use = f"{RESEARCH_USE_ONLY} {describe_model(model)} {model.intended_use}"
    write(figure, 0.15, 0.17, use if len(use) <= _LINE else use[: _LINE - 1] + "…", 11)
