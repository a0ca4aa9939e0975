"""Clinical variables: a schema with units and codings, parsing of what people write, and the network's input vector."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np

from .errors import DataError

_MISSING = {"", "unknown", "missing", "na", "n/a", "nan", "none", "null", "<na>"}
_NOT_APPLICABLE = "not applicable"  # as I-SPY's "above categories not applicable AND age < 50"
_NEGATIONS = {"no", "not", "non", "without"}
Value = float | str | None


@dataclass(frozen=True)
class Number:
    """A measured variable.

    Args:
        name: key in tables and on the command line.
        label: what a person reads.
        unit: of the value, "" for none.
        minimum, maximum: allowed range, both included, in `unit`.
        mean, sd: of the training patients, in `unit`; the network sees (value - mean) / sd and whether it is known.
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
        """Numbers it takes in the network's input: the value and whether it is known."""
        return 2

    @property
    def allowed(self) -> str:
        """What may be given, in words."""
        return f"a number from {self.minimum:g} to {self.maximum:g} {self.unit}".strip() + ", or unknown"

    def parse(self, text: str) -> float:
        """The value in `unit`.

        Raises:
            ValueError: if it is outside the schema.
        """
        value = float(text)
        if not self.minimum <= value <= self.maximum:
            raise ValueError
        return value

    def encode(self, value: Value) -> list[float]:
        """(standardised value, 1) or (0, 0) where missing."""
        return [0.0, 0.0] if value is None else [(float(value) - self.mean) / self.sd, 1.0]

    def show(self, value: Value) -> str:
        """For a person."""
        return "unknown" if value is None else f"{value:g} {self.unit}".strip()


@dataclass(frozen=True)
class Category:
    """A variable with a fixed list of values.

    Args:
        name: key in tables and on the command line.
        label: what a person reads.
        codings: value to the ways of writing it, lower case. Of a longer text the words before the first bracket or
            comma count, so that "post (>12 months since LMP)" is "post", unless they deny or name two values.
    """

    name: str
    label: str
    codings: Mapping[str, Sequence[str]]
    measured: ClassVar[bool] = False

    @property
    def width(self) -> int:
        """One number a value; all are 0 where missing."""
        return len(self.codings)

    @property
    def allowed(self) -> str:
        """What may be given, in words."""
        return ", ".join(self.codings) + ", or unknown"

    def parse(self, text: str) -> str:
        """The value, as the schema names it.

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
        """One-hot, or all 0 where missing."""
        return [float(value == known) for known in self.codings]

    def show(self, value: Value) -> str:
        """For a person."""
        return "unknown" if value is None else str(value)


@dataclass(frozen=True)
class ClinicalSchema:
    """The variables that a model takes, in the order of its input."""

    variables: tuple[Number | Category, ...]

    @property
    def width(self) -> int:
        """Length of the network's clinical input."""
        return sum(variable.width for variable in self.variables)

    def parse(self, given: Mapping[str, object], *, strict: bool = False) -> dict[str, Value]:
        """Every variable that is asked for with its value, None where missing.

        Args:
            given: values as they were written; names are compared without case.
            strict: refuse names that are not in the schema (a person typed them); tables have other columns.

        Raises:
            DataError: for a value outside the schema, with the allowed ones listed.
        """
        by_name = {str(name).strip().lower(): value for name, value in given.items()}
        names = [variable.name for variable in self.asked]
        if strict and (unknown := sorted(set(by_name) - {name.lower() for name in names})):
            raise DataError(f"clinical variable {unknown[0]!r} is not known to this model; use {', '.join(names)}")
        return {variable.name: _parse(variable, by_name.get(variable.name.lower())) for variable in self.asked}

    def parse_each(self, given: Mapping[str, object]) -> tuple[dict[str, Value], list[str]]:
        """Like `parse`, but a value outside the schema costs that variable alone.

        Returns:
            Every variable with its value, None where missing or unreadable; and what is wrong, a sentence each.
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
        """The variables that a person or a table gives."""
        return tuple(variable for variable in self.variables if not variable.measured)

    @property
    def asked_columns(self) -> np.ndarray:
        """Which numbers of the network's input are of variables that are asked for: bool (width,)."""
        return np.array([not variable.measured for variable in self.variables for _ in range(variable.width)], bool)

    def complete(self, values: Mapping[str, Value], quantities: Mapping[str, float]) -> dict[str, Value]:
        """The values together with those that are measured in the exam, held to their range."""
        numbers = [v for v in self.variables if isinstance(v, Number) and v.measured]
        return {**values, **{v.name: min(max(quantities[v.name], v.minimum), v.maximum) for v in numbers}}

    def encode(self, values: Mapping[str, Value]) -> np.ndarray:
        """The network's input, float32 (width,); missing variables are zeros."""
        return np.array([x for v in self.variables for x in v.encode(values.get(v.name))], np.float32)

    def show(self, values: Mapping[str, Value]) -> dict[str, str]:
        """Label to value of what is asked for, for a person."""
        return {variable.label: variable.show(values.get(variable.name)) for variable in self.asked}

    def to_json(self) -> list[dict[str, object]]:
        """Plain values, for a bundle's metadata."""
        return [asdict(variable) for variable in self.variables]

    @staticmethod
    def from_json(items: Sequence[Mapping[str, object]]) -> ClinicalSchema:
        """The schema that `to_json` wrote."""
        return ClinicalSchema(
            tuple(Category(**item) if "codings" in item else Number(**item) for item in items)  # type: ignore[arg-type]
        )


def is_missing(given: object) -> bool:
    """Whether a cell of a table, or what a person gave, stands for no value."""
    return given is None or (isinstance(given, float) and math.isnan(given)) or str(given).strip().lower() in _MISSING


def _parse(variable: Number | Category, given: object) -> Value:
    text = str(given).strip()
    if is_missing(given) or _NOT_APPLICABLE in text.lower():
        return None
    try:
        return variable.parse(text)
    except ValueError:
        raise DataError(f"{variable.name} must be {variable.allowed}, got {text!r}") from None
