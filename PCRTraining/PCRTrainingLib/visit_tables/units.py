"""The unit of a column whose name has none: told only if every other unit is impossible, otherwise asked about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from PCRPredictorLib.visits.columns import BACKGROUND, DIAMETER, VOLUME, units_of

from .cells import has_bare_number, number_of

_FEWEST = 5  # values that can tell
# The median of untreated tumours cannot be outside these, in our units, whatever the trial.
_POSSIBLE = {DIAMETER: (1.0, 200.0), VOLUME: (0.05, 500.0), BACKGROUND: (1.0, 400.0)}
SPELLINGS = {DIAMETER: ("mm", "cm"), VOLUME: ("ml", "mm3"), BACKGROUND: ("percent", "fraction")}


@dataclass(frozen=True)
class InferredUnit:
    """The unit of columns.

    Args:
        unit: None if it cannot be told.
        why: in words.
    """

    unit: str | None
    why: str


def infer_unit(quantity: str, cells: Iterable[str]) -> InferredUnit:
    """Return the unit of the cells at the earliest visit.

    Args:
        quantity: name of one of `QUANTITIES`.
        cells: texts of the column.
    """
    bare = [text for text in cells if has_bare_number(quantity, text)]
    numbers = [found[0] for text in bare if (found := number_of(quantity, text))]
    middle = median(numbers) if numbers else 0.0
    if len(numbers) < _FEWEST:
        return InferredUnit(None, f"{len(numbers)} values")
    low, high = _POSSIBLE[quantity]
    factors = units_of(quantity)
    fitting = [unit for unit in SPELLINGS[quantity] if low <= middle * factors[unit] <= high]
    if len(fitting) != 1:
        return InferredUnit(None, f"median {middle:g}")
    others = [unit for unit in SPELLINGS[quantity] if unit not in fitting]
    return InferredUnit(fitting[0], f"a median of {middle:g} {' or '.join(others)} is impossible")


def ask(quantity: str, names: Sequence[str], why: str) -> str:
    """Return the sentence that asks for the unit of columns."""
    units = SPELLINGS[quantity]
    shown = ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
    return (
        f"the unit of {shown} must be given, its name and values ({why}) do not tell it; give --unit {units[0]} or "
        f"--unit {units[1]}, or units in a --mapping file"
    )
