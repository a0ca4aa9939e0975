"""Cells of columns with visits: numbers, with a unit of their own or not, and a tumour that is gone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from PCRPredictorLib.answers import fold
from PCRPredictorLib.clinical import is_missing
from PCRPredictorLib.variables.number import read_number
from PCRPredictorLib.visits.columns import BACKGROUND, DIAMETER, SER, SPHERICITY, VOLUME, units_of

LARGEST = {VOLUME: 2000.0, DIAMETER: 250.0, SPHERICITY: 1.0, BACKGROUND: 500.0, SER: 20.0}  # in our units
_WITH_UNIT = re.compile(r"(?P<number>[-+\d.,]+)\s*(?P<unit>mm3|cm3|mm|cm|ml|cc|%)")
_GONE = {"gone", "resolved", "no residual", "no tumour", "no tumor", "complete response", "cr"}


@dataclass(frozen=True)
class Cell:
    """What a cell says.

    Args:
        value: in our unit; None if there is none.
        problem: why the cell is not used, "" if it is, or if it is empty.
    """

    value: float | None = None
    problem: str = ""


def read_cell(quantity: str, text: str, factor: float) -> Cell:
    """Return the value of a cell.

    Args:
        quantity: name of one of `QUANTITIES`.
        text: of the cell.
        factor: that makes its numbers our unit.
    """
    text = text.strip()
    if is_missing(text):
        return Cell()
    if fold(text) in _GONE and quantity in (VOLUME, DIAMETER):
        return Cell(0.0)
    number = number_of(quantity, text)
    if number is None:
        return Cell(problem=f"{text!r} is not a number")
    value = number[0] * (number[1] or factor)
    if value < 0:
        return Cell(problem=f"{text} is negative")
    if value > LARGEST[quantity]:
        return Cell(problem=f"{text} is too large for {_WORDS[quantity]}")
    return Cell(value)


def number_of(quantity: str, text: str) -> tuple[float, float | None] | None:
    """Return the number in a cell, and the factor of its own unit if it has one; None if it is not a number."""
    found, units = _WITH_UNIT.fullmatch(text.strip().lower()), units_of(quantity)
    if found is not None and found["unit"] not in units:
        return None
    try:
        return (read_number(found["number"]), units[found["unit"]]) if found else (read_number(text.strip()), None)
    except ValueError:
        return None


def has_bare_number(quantity: str, text: str) -> bool:
    """Return True for a number above 0 without a unit of its own."""
    found = number_of(quantity, text)
    return found is not None and found[0] > 0 and found[1] is None


_WORDS: Mapping[str, str] = {
    VOLUME: "a volume (over 2000 ml)",
    DIAMETER: "a diameter (over 250 mm)",
    SPHERICITY: "a sphericity (over 1)",
    BACKGROUND: "an enhancement of the background (over 500 %)",
    SER: "a signal enhancement ratio (over 20)",
}
