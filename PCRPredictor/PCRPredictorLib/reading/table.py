"""Tables of patients, CSV or Excel, as people and programs write them: a row per patient, every value as text."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ..errors import DataError
from ..formatting import first_few
from ..variables.receptors import add_hormone_receptors
from .identifiers import clean, identifier_key
from .mapping import CohortMapping
from .text_table import Report, TextTable, read_text_table

PATIENT = "patient_id"
# Long numbers that a spreadsheet shortened (1.23E+15), formulas without a value, and errors (#N/A, #REF!)
_SPOILED = re.compile(r"\d+([.,]\d+)?E\+\d+|=.*|#(N/A|DATE\(.*|[A-Z0/]+[!?])", re.IGNORECASE)


class Rows(dict[str, dict[str, str]]):
    """Rows by patient (`identifier_key`); columns in lower case, every value as text.

    Attributes:
        doubts: why a patient has none though the table names it, likewise by patient.
    """

    def __init__(self, rows: Mapping[str, dict[str, str]] = {}, doubts: Mapping[str, str] = {}) -> None:
        super().__init__(rows)
        self.doubts = dict(doubts)


def read_rows(file: Path, mapping: CohortMapping | None = None, report: Report = lambda _: None) -> Rows:
    """Read the rows of a table. A row that cannot be told to be of one patient is left out and reported.

    Args:
        file: see `read_text_table`.
        mapping: names that the table uses.
        report: called with each sentence about what was guessed or left aside.

    Raises:
        DataError: if it cannot be read, lacks a mapped column or `patient_id`, has two columns of one name, or no row
            has a patient.
    """
    mapping = mapping or CohortMapping()
    table = read_text_table(file, mapping.sheet, mapping.columns.get(PATIENT, PATIENT), report)
    columns = _map_columns(table, mapping)
    rows = [(number, {name: values[k] for name, k in columns.items()}) for number, values in table.rows]
    for column, meanings in mapping.values.items():
        if column.lower() not in columns:
            raise DataError(f"{file}: must have the column {column!r} whose values cohort.json maps; {_has(table)}")
        known = {_value_key(text): meaning for text, meaning in meanings.items()}
        for _, row in rows:
            row[column.lower()] = known.get(_value_key(row[column.lower()]), row[column.lower()])
    add_hormone_receptors([row for _, row in rows if row[PATIENT]], report)
    return _by_patient(file, rows, report)


def _map_columns(table: TextTable, mapping: CohortMapping) -> dict[str, int]:
    """Return our lower-case names and the table's with the position of their column."""
    ours = {}
    for name, theirs in mapping.columns.items():
        if (position := table.find(theirs)) is None:
            raise DataError(
                f"{table.file}: must have the column {theirs!r} that cohort.json names for {name}; {_has(table)}"
            )
        ours[name.strip().lower()] = position
    table.check_columns(ours.values())
    columns = {column.lower(): k for k, column in enumerate(table.columns) if k not in ours.values()}
    columns |= {table.columns[k].lower(): k for k in ours.values()}
    columns |= ours
    if PATIENT not in columns:
        raise DataError(f"{table.file}: must have a column patient_id, or cohort.json must name it; {_has(table)}")
    return columns


def _value_key(text: str) -> str:
    key = clean(text).casefold()
    whole, point, rest = key.partition(".")
    return whole if point and whole.lstrip("-").isdigit() and not rest.strip("0") else key


def _by_patient(file: Path, rows: Iterable[tuple[int, dict[str, str]]], report: Report) -> Rows:
    found: dict[str, tuple[int, dict[str, str]]] = {}
    nameless, spoilt, same = [], dict[int, str](), []
    doubts: dict[str, str] = {}
    for number, row in rows:
        key = identifier_key(row[PATIENT])
        if not key:
            nameless.append(number)
        elif _SPOILED.fullmatch(row[PATIENT]):  # changed beyond recognition
            spoilt[number] = row[PATIENT]
        else:
            first, known = found.setdefault(key, (number, row))
            if number != first and {**known, PATIENT: key} == {**row, PATIENT: key}:
                same.append(number)
            elif number != first:
                lines = f"lines {first} and {number} of {file.name}"
                doubts.setdefault(key, f"has more than one row, {lines}; keep one row per patient")
    _report_left_out(file, nameless, spoilt, report if found else _refuse)
    if same:
        report(f"{file.name} has rows twice, of which one is used: line {first_few(same)}")
    for key, reason in doubts.items():
        report(f"{found.pop(key)[1][PATIENT]} {reason}")
    return Rows({key: row for key, (_, row) in found.items()}, doubts)


def _report_left_out(file: Path, nameless: Sequence[int], spoilt: Mapping[int, str], report: Report) -> None:
    """Report rows of nobody, and those whose identifiers a spreadsheet has changed."""
    if nameless:
        report(f"{file}: {_lines(nameless)} no patient_id, left out; fill it in or delete the row")
    if spoilt:
        first = next(iter(spoilt.values()))
        report(
            f"{file}: {_lines(list(spoilt))} an identifier that a spreadsheet made, left out, got {first!r}; format "
            "the column as text and enter it again"
        )


def _refuse(sentence: str) -> None:
    raise DataError(sentence)


def _lines(numbers: Sequence[int]) -> str:
    shown = first_few(numbers)
    return f"line {shown} has" if len(numbers) == 1 else f"{len(numbers)} lines ({shown}) have"


def _has(table: TextTable) -> str:
    return f"it has {first_few(table.columns)}"
