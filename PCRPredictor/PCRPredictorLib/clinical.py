"""Clinical variables: a schema with units and codings, values parsed as people write them, the network's input."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np

from .errors import DataError

_MISSING = {"", "unknown", "missing", "na", "n/a", "nan", "none", "null", "<na>"}
# A comma is a decimal one unless three digits follow, which may be thousands: "12,5", "0,125", not "1,234".
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+|\d+,(?!\d{3}$)\d+|0,\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_NOT_APPLICABLE = "not applicable"  # as I-SPY's "above categories not applicable AND age < 50"
_NEGATIONS = {"no", "not", "non", "without"}
Value = float | str | None


@dataclass(frozen=True)
class Number:
    """A measured variable.

    Args:
        name: key in tables and on the command line.
        label: shown to the user.
        unit: of the value, "" if it has no unit.
        minimum, maximum: allowed range, both included, in `unit`.
        mean, sd: of the training patients, in `unit`; the network reads (value - mean) / sd and whether it is known.
        measured: taken from the exam (`kinetics.tumour_quantities`), never asked for.
    """

    name: str
    label: str
    unit: str
    minimum: float
    maximum: float
    mean: float
    sd: float
    measured: bool = False

    @property
    def width(self) -> int:
        """Return the number of network inputs: the value, and 1 if it is known."""
        return 2

    @property
    def allowed(self) -> str:
        """Return the values that may be given, in words."""
        return f"a number from {self.minimum:g} to {self.maximum:g} {self.unit}".strip() + ", or unknown"

    def parse(self, text: str) -> float:
        """Return the value in `unit`.

        Raises:
            ValueError: if it is outside the schema.
        """
        if not _NUMBER.fullmatch(text):
            raise ValueError
        value = float(text.replace(",", "."))
        if not self.minimum <= value <= self.maximum:
            raise ValueError
        return value

    def encode(self, value: Value) -> list[float]:
        """Return (standardised value, 1), or (0, 0) if the value is missing."""
        return [0.0, 0.0] if value is None else [(float(value) - self.mean) / self.sd, 1.0]

    def describe(self, value: Value) -> str:
        """Return the value as text, with its unit."""
        return "unknown" if value is None else f"{value:g} {self.unit}".strip()


@dataclass(frozen=True)
class Category:
    """A variable with a fixed list of values.

    Args:
        name: key in tables and on the command line.
        label: shown to the user.
        codings: value to the ways of writing it, lower case. Of a longer text, only the words before the first
            bracket or comma count: "post (>12 months since LMP)" is "post". They must not deny or name two values.
    """

    name: str
    label: str
    codings: Mapping[str, Sequence[str]]
    measured: ClassVar[bool] = False

    @property
    def width(self) -> int:
        """Return the number of network inputs: one per value, all 0 if it is missing."""
        return len(self.codings)

    @property
    def allowed(self) -> str:
        """Return the values that may be given, in words."""
        return ", ".join(self.codings) + ", or unknown"

    def parse(self, text: str) -> str:
        """Return the value, as the schema names it.

        Raises:
            ValueError: if it is outside the schema.
        """
        text = text.lower()
        for written in (text, text.removesuffix(".0")):
            if (value := self._find(written)) is not None:
                return value
        words = re.findall(r"[a-z]+", re.split(r"[(,;]", text)[0])
        found = {value for value in map(self._find, words) if value is not None}
        if len(found) != 1 or _NEGATIONS.intersection(words):
            raise ValueError
        return found.pop()

    def _find(self, written: str) -> str | None:
        return next((value for value, ways in self.codings.items() if written in {value.lower(), *ways}), None)

    def encode(self, value: Value) -> list[float]:
        """Return a one-hot vector, all 0 if the value is missing."""
        return [float(value == known) for known in self.codings]

    def describe(self, value: Value) -> str:
        """Return the value as text, with its unit."""
        return "unknown" if value is None else str(value)


@dataclass(frozen=True)
class ClinicalSchema:
    """Hold the variables of a model, in the order of its input."""

    variables: tuple[Number | Category, ...]

    @property
    def width(self) -> int:
        """Return the length of the network's clinical input."""
        return sum(variable.width for variable in self.variables)

    def parse(self, given: Mapping[str, object], *, strict: bool = False) -> dict[str, Value]:
        """Return every variable that is asked for with its value, None if it is missing.

        Args:
            given: values as they were written; case does not matter in names.
            strict: refuse names that are not in the schema, if the user typed them; tables have more columns.

        Raises:
            DataError: for a value outside the schema, with the allowed ones listed.
        """
        by_name = {str(name).strip().lower(): value for name, value in given.items()}
        names = [variable.name for variable in self.asked]
        if strict and (unknown := sorted(set(by_name) - {name.lower() for name in names})):
            raise DataError(f"clinical variable {unknown[0]!r} is not known to this model; use {', '.join(names)}")
        return {variable.name: _parse(variable, by_name.get(variable.name.lower())) for variable in self.asked}

    def parse_each(self, given: Mapping[str, object]) -> tuple[dict[str, Value], list[str]]:
        """Parse each variable separately: an invalid value leaves only that variable out.

        Returns:
            Every variable with its value, None if it is missing or invalid; and one sentence per invalid value.
        """
        values: dict[str, Value] = {}
        problems = []
        for variable in self.asked:
            try:
                values |= ClinicalSchema((variable,)).parse(given)
            except DataError as error:
                values[variable.name] = None
                problems.append(str(error))
        return values, problems

    @property
    def asked(self) -> tuple[Number | Category, ...]:
        """Return the variables that the user or a table gives."""
        return tuple(variable for variable in self.variables if not variable.measured)

    @property
    def asked_columns(self) -> np.ndarray:
        """Return which inputs of the network belong to variables that are asked for: bool (width,)."""
        return np.array([not variable.measured for variable in self.variables for _ in range(variable.width)], bool)

    def complete(self, values: Mapping[str, Value], quantities: Mapping[str, float]) -> dict[str, Value]:
        """Return the values and those that are measured in the exam, clipped to their range."""
        numbers = [v for v in self.variables if isinstance(v, Number) and v.measured]
        return {**values, **{v.name: min(max(quantities[v.name], v.minimum), v.maximum) for v in numbers}}

    def encode(self, values: Mapping[str, Value]) -> np.ndarray:
        """Return the network's input, float32 (width,); missing variables are zeros."""
        return np.array([x for v in self.variables for x in v.encode(values.get(v.name))], np.float32)

    def describe(self, values: Mapping[str, Value]) -> dict[str, str]:
        """Return label and value, as text, of the variables that are asked for."""
        return {variable.label: variable.describe(values.get(variable.name)) for variable in self.asked}

    def to_json(self) -> list[dict[str, object]]:
        """Return plain values, for a bundle's metadata."""
        return [asdict(variable) for variable in self.variables]

    @staticmethod
    def from_json(items: Sequence[Mapping[str, object]]) -> ClinicalSchema:
        """Return the schema that `to_json` wrote."""
        return ClinicalSchema(
            tuple(Category(**item) if "codings" in item else Number(**item) for item in items)  # type: ignore[arg-type]
        )


def is_missing(given: object) -> bool:
    """Return True if a cell of a table, or a value of the user, means that the value is not known."""
    return given is None or (isinstance(given, float) and math.isnan(given)) or str(given).strip().lower() in _MISSING


def _parse(variable: Number | Category, given: object) -> Value:
    text = str(given).strip()
    if is_missing(given) or _NOT_APPLICABLE in text.lower():
        return None
    try:
        return variable.parse(text)
    except ValueError:
        raise DataError(f"{variable.name} must be {variable.allowed}, got {text!r}") from None
