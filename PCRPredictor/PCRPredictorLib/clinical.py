"""Clinical variables: a schema with units and codings, values parsed as people write them, the network's input."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from .answers import read_word
from .errors import DataError
from .formatting import as_line
from .variables.category import Category
from .variables.number import Number

__all__ = ["Category", "ClinicalSchema", "Clipped", "Number", "Value", "explain_cell", "is_missing"]
_WHOLE = re.compile(r"0*(\d+)(?:\.0+)?")
_PLUS, _DASHES = {"+", "\uff0b"}, set("-\u2010\u2013\u2212\uff0d")
_NOT_APPLICABLE = "not applicable"  # as I-SPY's "above categories not applicable AND age < 50"
_TWO_VALUES = {"negative", "positive"}
Value = float | str | None


@dataclass(frozen=True)
class Clipped:
    """A value that the network reads as the nearer limit of the training patients' range.

    Args:
        variable: whose value it is.
        value: as given or measured, in its unit.
        used: the limit that is read instead.
    """

    variable: Number
    value: float
    used: float


@dataclass(frozen=True)
class ClinicalSchema:
    """Hold the variables of a model, in the order of its input."""

    variables: tuple[Number | Category, ...]

    @property
    def widths(self) -> list[int]:
        """Return the number of network inputs of each variable."""
        return [variable.width for variable in self.variables]

    @property
    def width(self) -> int:
        """Return the length of the network's clinical input."""
        return sum(self.widths)

    def parse(self, given: Mapping[str, object], *, strict: bool = False) -> dict[str, Value]:
        """Return every variable that is asked for with its value, None if it is missing.

        Args:
            given: values as they were written; case does not matter in names.
            strict: for what the user typed: refuse names that are not in the schema (tables have more columns), and
                values of optional variables that cannot be read (of a table these are None, see `find_unreadable`).

        Raises:
            DataError: for a value outside the schema, with the allowed ones listed.
        """
        by_name = {str(name).strip().lower(): value for name, value in given.items()}
        names = [variable.name for variable in self.asked]
        if strict and (unknown := sorted(set(by_name) - {name.lower() for name in names})):
            raise DataError(f"clinical variable {unknown[0]!r} is not known to this model; use {', '.join(names)}")
        unread = {} if strict else self.find_unreadable(given)
        asked = [(v, None if v.name in unread else by_name.get(v.name.lower())) for v in self.asked]
        return {variable.name: _parse(variable, value) for variable, value in asked}

    def find_unreadable(self, given: Mapping[str, object]) -> dict[str, str]:
        """Return the optional variables whose value is outside the schema, and a sentence about each."""
        by_name = {str(name).strip().lower(): value for name, value in given.items()}
        found = {}
        for variable in self.asked:
            try:
                if variable.optional:
                    _parse(variable, by_name.get(variable.name.lower()))
            except DataError as error:
                found[variable.name] = str(error)
        return found

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
    def measured(self) -> tuple[Number, ...]:
        """Return the variables that are measured in the exam."""
        return tuple(v for v in self.variables if isinstance(v, Number) and v.measured)

    @property
    def table_columns(self) -> list[str]:
        """Return the columns of a table that the schema can read, lower case."""
        names = {variable.name for variable in self.variables}
        return sorted({name.lower() for name in names.union(*(variable.columns for variable in self.measured))})

    def read_measured(self, row: Mapping[str, object]) -> dict[str, float]:
        """Return the measured variables that a table's row has, by name: for patients without images.

        Raises:
            DataError: for a value outside the possible range, with that range.
        """
        by_name = {str(name).strip().lower(): value for name, value in row.items()}
        found = ((variable.name, _read_measured(variable, by_name)) for variable in self.measured)
        return {name: value for name, value in found if value is not None}

    def parse_row(self, row: Mapping[str, object]) -> dict[str, Value]:
        """Return every variable of a patient without images: `parse` and `read_measured`.

        Raises:
            DataError: see both.
        """
        return {**self.parse(row), **self.read_measured(row)}

    def complete(self, values: Mapping[str, Value], quantities: Mapping[str, float]) -> dict[str, Value]:
        """Return the values and those that are measured in the exam, clipped to their possible range."""
        return {**values, **{v.name: min(max(quantities[v.name], v.minimum), v.maximum) for v in self.measured}}

    def find_clipped(self, values: Mapping[str, Value], quantities: Mapping[str, float]) -> list[Clipped]:
        """Return the values, given or measured, that the network reads as a limit of their range."""
        every = {**values, **{v.name: quantities[v.name] for v in self.measured}}
        known = [
            (v, float(x)) for v in self.variables if isinstance(v, Number) and (x := every.get(v.name)) is not None
        ]
        return [Clipped(v, x, v.clip(x)) for v, x in known if not math.isclose(v.clip(x), x)]

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


def contradict(one: object, other: object) -> bool:
    """Return True if two values of a variable differ, both numbers or both words; a number may stand for a word."""
    if is_missing(one):
        return False
    texts = [str(value).strip().casefold() for value in (one, other)]
    numbers = [_as_number(text) for text in texts]
    return numbers[0] != numbers[1] if None not in numbers else numbers == [None, None] and texts[0] != texts[1]


def _as_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def find_doubtful_cells(cells: Sequence[str]) -> dict[int, str]:
    """Return the cells of a column of yes or no that cannot be read beside the others, and why.

    Returns:
        Position to the rest of a sentence that begins with the column's name.
    """
    numbers = {k: match[1] for k, cell in enumerate(cells) if (match := _WHOLE.fullmatch(cell.strip()))}
    found = {}
    if other := sorted(set(numbers.values()) - {"0", "1"}, key=float):
        shown = ", ".join(as_line(text, 20) for text in other[:5])
        reason = (
            f"must be coded with 0 and 1, but this column has {shown}, too, so that its numbers may be another coding; "
            "say in cohort.json what each value means"
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


def _read_measured(variable: Number, row: Mapping[str, object]) -> float | None:
    """Return a measured variable from the first column that has it, None if none has."""
    own = row.get(variable.name.lower())
    if not is_missing(own):
        return float(_parse(variable, own))  # type: ignore[arg-type]
    for column, factor in variable.columns.items():
        if is_missing(given := row.get(column.lower())):
            continue
        try:
            return variable.convert(str(given).strip(), factor)
        except ValueError:
            text = str(given).strip()
            raise DataError(
                f"{column} must be {variable.allowed_in_column(factor)}, got {text!r}{explain_cell(text)}"
            ) from None
    return None
