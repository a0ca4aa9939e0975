"""What a response model reads: quantities at visits, their changes, and clinical values, as one row of numbers.

A quantity is read on its own scale, such as the logarithm of a volume, so that a tumour that is gone has a number, too.
The columns of the row are these numbers and the clinical values; the inputs of a formula are columns, or differences of
two of them, which are changes. An unknown column is nan.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import ConfigDict

from ..clinical import Category, ClinicalSchema, Value
from ..variables.number import Number
from .course import QUANTITIES, Quantity

Transform = Literal["log", "sqrt", "none"]
EXACT = ConfigDict(extra="forbid", allow_inf_nan=False)  # of what is read from JSON
_BY_NAME = {quantity.name: quantity for quantity in QUANTITIES}


@dataclass(frozen=True)
class Scale:
    """How the values of a quantity become numbers: log(value + floor), sqrt(value), or the value.

    Args:
        quantity: name of one of `course.QUANTITIES`.
        transform: "log", "sqrt" or "none".
        floor: added before a logarithm, in the quantity's unit; above 0 if the value may be 0.
        when_gone: value that is read for a tumour that is gone, if the quantity has none then, such as a sphericity;
            None to estimate it from the other values. Where `Quantity.when_gone` says 0, this is not needed.
    """

    __pydantic_config__ = EXACT

    quantity: str
    transform: Transform
    floor: float = 0.0
    when_gone: float | None = None

    @property
    def measure(self) -> Quantity:
        """Return label and unit of the quantity."""
        return _BY_NAME[self.quantity]

    @property
    def gone(self) -> float | None:
        """Return the value of a tumour that is gone, in the quantity's unit; None if it must be estimated."""
        return self.measure.when_gone if self.measure.when_gone is not None else self.when_gone

    def read(self, value: float) -> float:
        """Return the number of a value, which must not be negative."""
        if self.transform == "log":
            return math.log(value + self.floor)
        return math.sqrt(value) if self.transform == "sqrt" else value

    def undo(self, number: float) -> float:
        """Return the value of a number, at least 0."""
        if self.transform == "log":
            return max(math.exp(min(number, 100.0)) - self.floor, 0.0)
        return max(number, 0.0) ** 2 if self.transform == "sqrt" else max(number, 0.0)

    def describe(self, value: float) -> str:
        """Return a value with its unit."""
        return f"{value:.3g} {self.measure.unit}".strip()


@dataclass(frozen=True)
class Level:
    """A quantity at a visit.

    Args:
        quantity, visit: names.
        low, high: range of the training patients, in the quantity's unit; a value beyond is read as the nearer limit.
            `low` is 0 where a tumour may be gone.
    """

    __pydantic_config__ = EXACT

    quantity: str
    visit: str
    low: float
    high: float

    @property
    def name(self) -> str:
        """Return the name of the column, as that of a table of visits: "functional_volume_ml_T1"."""
        return f"{self.quantity}_{self.visit}"


@dataclass(frozen=True)
class Input:
    """A number that the logit is linear in: a level, or its change since an earlier visit.

    Args:
        quantity, visit: of the level.
        since: the earlier visit of a change, which is the difference of two numbers of the quantity's scale, such as
            the logarithm of a ratio; None for a level.
        low, high: range of a change in the training patients, on that scale; beyond it the nearer limit is read. None
            for no limit but those of the levels.
    """

    __pydantic_config__ = EXACT

    quantity: str
    visit: str
    since: str | None = None
    low: float | None = None
    high: float | None = None

    @property
    def name(self) -> str:
        """Return the name in a formula: that of the level, or "functional_volume_ml_T1_since_T0"."""
        level = f"{self.quantity}_{self.visit}"
        return level if self.since is None else f"{level}_since_{self.since}"

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the column that is read, and the one that is taken away from it."""
        return tuple(f"{self.quantity}_{visit}" for visit in (self.visit, self.since) if visit is not None)

    def clip(self, number: float) -> float:
        """Return the number inside the range of the training patients."""
        number = number if self.low is None else max(number, self.low)
        return number if self.high is None else min(number, self.high)

    @property
    def label(self) -> str:
        """Return what is shown to the user."""
        label = _BY_NAME[self.quantity].label
        return f"{label} at {self.visit}" if self.since is None else f"{label}, {self.since} to {self.visit}"


def columns_of(variable: Number | Category) -> tuple[str, ...]:
    """Return the columns of a clinical variable: itself, or one per value of a category, as "hr=positive"."""
    if isinstance(variable, Number):
        return (variable.name,)
    return tuple(f"{variable.name}={value}" for value in variable.codings)


def clinical_columns(schema: ClinicalSchema) -> tuple[str, ...]:
    """Return the columns of all clinical variables that are asked for."""
    return tuple(name for variable in schema.asked for name in columns_of(variable))


def read_clinical(schema: ClinicalSchema, values: Mapping[str, Value]) -> dict[str, float]:
    """Return the columns of clinical values; an unknown variable has none.

    A number is (value - mean) / sd inside its range, a value of a category 1 and its others 0.
    """
    found: dict[str, float] = {}
    for variable in schema.asked:
        if (value := values.get(variable.name)) is not None:
            found |= zip(columns_of(variable), variable.encode(value), strict=False)
    return found
