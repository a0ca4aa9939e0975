"""Tables of patients, CSV or Excel, as people and programs write them: a row per patient, every value as text."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..errors import DataError
from .identifiers import clean, identifier_key
from .mapping import CohortMapping
from .text_table import Report, TextTable, read_text_table

PATIENT = "patient_id"
# Long numbers that a spreadsheet shortened (1.23E+15), formulas without a value, and errors (#N/A, #REF!)
_SPOILED = re.compile(r"\d+([.,]\d+)?E\+\d+|=.*|#(N/A|DATE\(.*|[A-Z0/]+[!?])", re.IGNORECASE)


def read_rows(
    file: Path, mapping: CohortMapping | None = None, report: Report = lambda _: None
) -> dict[str, dict[str, str]]:
    """Read rows by patient (`identifier_key`); columns in lower case, every value as text.

    Args:
        file: see `read_text_table`.
        mapping: names that the table uses.
        report: called with each sentence about what was guessed or left aside.

    Raises:
        DataError: if it cannot be read, lacks a mapped column or `patient_id`, has two columns of one name, has a
            patient twice with different values, or a row without a patient.
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


def _by_patient(file: Path, rows: Iterable[tuple[int, dict[str, str]]], report: Report) -> dict[str, dict[str, str]]:
    found: dict[str, tuple[int, dict[str, str]]] = {}
    nameless, same = [], []
    for number, row in rows:
        key = identifier_key(row[PATIENT])
        if not key:
            nameless.append(number)
            continue
        _check_identifier(file, number, row[PATIENT])
        first, known = found.setdefault(key, (number, row))
        if number != first and {**known, PATIENT: key} == {**row, PATIENT: key}:
            same.append(number)
        elif number != first:
            raise DataError(
                f"{file}: {row[PATIENT]} has more than one row (lines {first} and {number}); keep one row per patient"
            )
    if nameless:
        raise DataError(f"{file}: {_lines(nameless)} no patient_id; fill it in or delete the row")
    if same:
        report(f"{file.name} has rows twice, of which one is used: line {', '.join(map(str, same[:5]))}")
    return {key: row for key, (_, row) in found.items()}


def _check_identifier(file: Path, number: int, text: str) -> None:
    """Refuse an identifier that a spreadsheet has changed beyond recognition."""
    if _SPOILED.fullmatch(text):
        raise DataError(
            f"{file}: line {number} must have an identifier, got {text!r}, which a spreadsheet made of it; format the "
            "column as text and enter it again"
        )


def _lines(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:5])) + (", ..." if len(numbers) > 5 else "")
    return f"line {shown} has" if len(numbers) == 1 else f"{len(numbers)} lines ({shown}) have"


def _has(table: TextTable) -> str:
    return f"it has {', '.join(table.columns[:5])}{', ...' if len(table.columns) > 5 else ''}"
