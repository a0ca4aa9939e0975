"""The text of the overlay picture; positions are in inches in the figure."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

import numpy as np
from matplotlib.figure import Figure

from ..formatting import format_beside, format_percent
from ..prediction import RESEARCH_USE_ONLY, Prediction
from .bars import describe_points
from .wording import describe_base_rate, describe_model, describe_rates, describe_side

WIDTH, HEIGHT = 16.0, 10.75
TEXT, DIM, _RANGE, _WARN = "#f2f4f7", "#9aa4b2", "#6ea8fe", "#fbbf24"
_ROOM, _LINE = 2, 160  # lines of warnings without making the picture higher; characters per line
_WARNING_HIGH, _FOOT_HIGH = 0.22, 0.2  # inches of a line
_STYLE = {"va": "center", "parse_math": False}  # a dollar sign is no formula
_TOP_WARNING = 9.15  # inches
_HEAD = 9.2  # inches; what is above moves up with the lines of the warnings


class Sheet(Figure):
    """The figure of the picture: as high as its warnings and its footer need, which are never cut.

    Positions are those in a picture of `HEIGHT` with two lines of warnings and one of the footer.

    Args:
        warnings, footer: lines.
        background: colour.
    """

    def __init__(self, warnings: Sequence[str], footer: Sequence[str], background: str) -> None:
        self.warnings, self.footer = warnings, footer
        self._head = _WARNING_HIGH * max(len(warnings) - _ROOM, 0)
        self._foot = _FOOT_HIGH * (len(footer) - 1)
        super().__init__(figsize=(WIDTH, HEIGHT + self._head + self._foot), facecolor=background)

    def at(self, y: float) -> float:
        """Return a height in inches as a share of the figure's."""
        return (y + self._foot + (self._head if y > _HEAD else 0.0)) / self.get_figheight()

    def above_pictures(self, y: float) -> float:
        """Return a height between pictures and result, in inches, as a share of the figure's."""
        return (y + self._foot) / self.get_figheight()

    def rectangle(self, left: float, bottom: float, width: float, height: float) -> tuple[float, float, float, float]:
        """Return a rectangle in inches as shares of the figure."""
        return left / WIDTH, self.at(bottom), width / WIDTH, height / self.get_figheight()


def make_sheet(prediction: Prediction, background: str) -> Sheet:
    """Return the empty figure for a prediction."""
    ordered = sorted(prediction.notices, key=lambda notice: not notice.blocks_decision)
    told = [f"{'No decision' if n.blocks_decision else 'Warning'}: {n.message}" for n in ordered] or ["No warnings"]
    model = prediction.model
    use = f"{RESEARCH_USE_ONLY} Result {prediction.name}. {describe_model(model)} {model.intended_use}"
    return Sheet([line for text in told for line in _wrap(text)], _wrap(use), background)


def _wrap(text: str) -> list[str]:
    return wrap(text, _LINE, subsequent_indent="   ")


def write(figure: Sheet, x: float, y: float, text: str, size: float, colour: str = TEXT, **options: object) -> None:
    """Write a line, its middle at a height."""
    figure.text(x / WIDTH, figure.at(y), text, {**_STYLE, **options}, fontsize=size, color=colour)


def write_result(figure: Sheet, prediction: Prediction) -> None:
    """Write the probability as a number and on a line from 0 to 100 %."""
    point, (low, high) = prediction.operating_point, prediction.interval
    withheld = bool(prediction.reasons_against)
    write(figure, 0.15, 10.47, "Probability of pCR", 12, DIM)
    shown, threshold = format_beside(prediction.probability, point.threshold)
    size, colour = (20, DIM) if withheld else (46 - 4 * max(len(shown) - 4, 0), TEXT)
    write(figure, 0.12, 9.87, shown, size, colour, weight="normal" if withheld else "bold")
    if base := describe_base_rate(prediction):
        write(figure, 0.15, 9.36, base, 10, DIM)
    axes = figure.add_axes(figure.rectangle(2.2, 9.63, 3.9, 0.56))
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
    folds = f"{len(prediction.fold_probabilities)} folds agree within {format_percent(low)} to {format_percent(high)}"
    write(figure, 2.28, 10.32, folds, 12, _RANGE)


def write_facts(figure: Sheet, prediction: Prediction) -> None:
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


def write_notices(figure: Sheet, prediction: Prediction) -> None:
    """Write all warnings, wrapped."""
    colour = _WARN if prediction.notices else DIM
    first = _TOP_WARNING + _WARNING_HIGH * max(len(figure.warnings) - _ROOM, 0)
    for n, line in enumerate(figure.warnings):
        figure.text(
            0.15 / WIDTH, figure.above_pictures(first - _WARNING_HIGH * n), line, _STYLE, fontsize=11, color=colour
        )


def write_footer(figure: Sheet) -> None:
    """Write what the result is for, and the model, wrapped."""
    for n, line in enumerate(figure.footer):
        write(figure, 0.15, 0.17 - _FOOT_HIGH * n, line, 11)
