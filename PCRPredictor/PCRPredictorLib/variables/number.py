"""A number with its unit, its possible range, and the centre, scale and range that it had in the training patients."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

# A comma is a decimal one unless three digits follow, which may be thousands: "12,5", "0,125", not "1,234".
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+|\d+,(?!\d{3}$)\d+|0,\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_LOG = "log "  # before the unit of a logarithm
YEARS = "years"


@dataclass(frozen=True)
class Number:
    """A number.

    Args:
        name: key in tables and on the command line.
        label: shown to the user.
        unit: of the value, "" if it has no unit; "log ml" for the natural logarithm of a volume in ml.
        minimum, maximum: possible range, both included, in `unit`.
        mean, sd: centre and scale of the training patients, in `unit`: median and interquartile range / 1.349 in a
            schema that was fitted to a run (`PCRTrainingLib.schema.fit_scaling`), mean and standard deviation before.
            The network reads (value - mean) / sd and whether it is known.
        measured: taken from the exam (`kinetics.tumour_quantities`), never asked for.
        low, high: range of the training patients (1st and 99th percentile), in `unit`; the network reads a value beyond
            as the nearer limit. None, as in models of older versions: no limit but the possible range.
        columns: columns of a table that hold a measured variable of patients without images, beside the one of its own
            `name`, which is in `unit`: column to the factor that makes its values `unit` without "log".
        agreement: of the column with what is measured in the exam, where both are known: `patients`, `correlation`,
            `difference` (median of column minus exam, in `unit`), `percent` (the same of a logarithm); None if unknown.
    """

    name: str
    label: str
    unit: str
    minimum: float
    maximum: float
    mean: float
    sd: float
    measured: bool = False
    low: float | None = None
    high: float | None = None
    columns: Mapping[str, float] = field(default_factory=dict)
    agreement: Mapping[str, float] | None = None
    optional: ClassVar[bool] = False

    @property
    def width(self) -> int:
        """Return the number of network inputs: the value, and 1 if it is known."""
        return 2

    @property
    def is_log(self) -> bool:
        """Return True if the value is a natural logarithm."""
        return self.unit.startswith(_LOG)

    @property
    def range(self) -> tuple[float, float]:
        """Return the range of the values that the network reads as they are, in `unit`."""
        return self.minimum if self.low is None else self.low, self.maximum if self.high is None else self.high

    @property
    def allowed(self) -> str:
        """Return the values that may be given, in words."""
        return f"a number from {self.minimum:g} to {self.maximum:g} {self.unit}".strip() + ", or unknown"

    def parse(self, text: str) -> float:
        """Return the value in `unit`.

        Raises:
            ValueError: if it is outside the possible range.
        """
        value = read_number(text)
        if not self.minimum <= value <= self.maximum:
            raise ValueError
        return value

    def convert(self, text: str, factor: float) -> float:
        """Return the value in `unit` of a cell of one of `columns`.

        Raises:
            ValueError: if it is outside the possible range.
        """
        value = factor * read_number(text)
        if self.is_log:
            value = math.log(value) if value > 0 else -math.inf
        if not self.minimum <= value <= self.maximum:
            raise ValueError
        return value

    def allowed_in_column(self, factor: float) -> str:
        """Return the values that may be in one of `columns`, in words."""
        low, high = (math.exp(x) if self.is_log else x for x in (self.minimum, self.maximum))
        return f"a number from {low / factor:.3g} to {high / factor:.4g}, or empty"

    def clip(self, value: float) -> float:
        """Return the value inside `range`, in `unit`."""
        low, high = self.range
        return min(max(value, low), high)

    def round(self, value: float) -> float:
        """Return a value as it is shown if nobody gave it: whole years, or three digits, inside `range`."""
        return float(f"{value:.0f}") if self.unit == YEARS else self.clip(float(f"{value:.3g}"))

    def encode(self, value: float | str | None) -> list[float]:
        """Return (standardised value, 1), or (0, 0) if the value is missing."""
        if value is None:
            return [0.0, 0.0]
        value = float(value)
        return [((value if self.low is None else self.clip(value)) - self.mean) / self.sd, 1.0]

    def describe(self, value: float | str | None) -> str:
        """Return the value as text, with its unit; that of a logarithm is given as a plain value."""
        if value is None:
            return "unknown"
        if self.is_log:
            return f"{math.exp(float(value)):.3g} {self.unit.removeprefix(_LOG)}"
        return f"{float(value):.3g} {self.unit}".strip() if self.measured else f"{value:g} {self.unit}".strip()

    def describe_limit(self, value: float) -> str:
        """Return a value that nobody gave as text, with its unit: an age in whole years."""
        return self.describe(self.round(value) if self.unit == YEARS else value)

    def describe_range(self) -> str:
        """Return `range` as text, with its unit."""
        low, high = map(self.describe_limit, self.range)
        unit = self.unit.removeprefix(_LOG)
        return f"{low.removesuffix(unit).strip()} to {high}"


def read_number(text: str) -> float:
    """Return the number that a text is, with a decimal point or comma.

    Raises:
        ValueError: if it is not one, or may be two.
    """
    if not _NUMBER.fullmatch(text):
        raise ValueError
    return float(text.replace(",", "."))
