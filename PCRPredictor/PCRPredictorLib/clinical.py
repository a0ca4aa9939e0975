"""Clinical variables: a schema with units and codings, values parsed as people write them, the network's input."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np

from .answers import read_word
from .errors import DataError

# A comma is a decimal one unless three digits follow, which may be thousands: "12,5", "0,125", not "1,234".
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+|\d+,(?!\d{3}$)\d+|0,\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_WHOLE = re.compile(r"0*(\d+)(?:\.0+)?")
_PLUS, _DASHES = {"+", "\uff0b"}, set("-\u2010\u2013\u2212\uff0d")
_NOT_APPLICABLE = "not applicable"  # as I-SPY's "above categories not applicable AND age < 50"
_NEGATIONS = {"no", "not", "non", "without", "never", "nicht", "kein", "keine", "ohne", "pas", "sans", "sin", "senza"}
_NEGATIONS |= {"nie", "nunca", "mai", "niet", "geen", "sem", "nao", "bez", "ikke", "inte", "ei", "yok", "degil"}
_TWO_VALUES = {"negative", "positive"}
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
        for written in (text, text.removesuffix(".0"), read_word(text) or text):
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

    def find_doubts(self, rows: Sequence[Mapping[str, object]]) -> dict[int, str]:
        """Return the rows of a table whose cells cannot be read beside the others of their column, and why.

        Numbers mean nothing if some of them are of another coding (1 and 2 for negative and positive), and "-" may be
        negative or missing.

        Returns:
            Position of the row to a sentence.
        """
        found: dict[int, str] = {}
        for variable in self.asked:
            if isinstance(variable, Category) and set(variable.codings) == _TWO_VALUES:
                cells = [str(row.get(variable.name.lower(), "")) for row in rows]
                for position, reason in find_doubtful_cells(cells).items():
                    found.setdefault(position, f"{variable.name} {reason}")
        return found

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
    return given is None or (isinstance(given, float) and math.isnan(given)) or read_word(str(given)) == "unknown"


def find_doubtful_cells(cells: Sequence[str]) -> dict[int, str]:
    """Return the cells of a column of yes or no that cannot be read beside the others, and why.

    Returns:
        Position to the rest of a sentence that begins with the column's name.
    """
    numbers = {k: match[1] for k, cell in enumerate(cells) if (match := _WHOLE.fullmatch(cell.strip()))}
    found = {}
    if other := sorted(set(numbers.values()) - {"0", "1"}, key=int):
        reason = (
            f"must be coded with 0 and 1, but this column has {', '.join(other[:5])}, too, so that its numbers may be "
            "another coding; say in cohort.json what each value means"
        )
        found = dict.fromkeys(numbers, reason)
    if not any(cell.strip() in _PLUS for cell in cells):
        reason = "must not be '-' in a column without '+', as that may mean negative or missing; write 0, or nothing"
        found |= {k: reason for k, cell in enumerate(cells) if cell.strip() in _DASHES}
    return found


def explain_cell(text: str) -> str:
    """Return what a cell that is no value is, in brackets: an error of a spreadsheet, or a formula; else ""."""
    if text.startswith("#"):
        return " (an error of the spreadsheet; correct its formula)"
    return " (a formula without a value; open and save the table in its program)" if text.startswith("=") else ""


def _parse(variable: Number | Category, given: object) -> Value:
    text = str(given).strip()
    if is_missing(given) or _NOT_APPLICABLE in text.lower():
        return None
    try:
        return variable.parse(text)
    except ValueError:
        raise DataError(f"{variable.name} must be {variable.allowed}, got {text!r}{explain_cell(text)}") from None
