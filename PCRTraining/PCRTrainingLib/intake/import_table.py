"""The table of an imported cohort: what the headers give, joined with the table of the user by PatientID."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PCRPredictorLib.errors import DataError
from PCRPredictorLib.reading.cohort import TABLE
from PCRPredictorLib.reading.labels import LABEL
from PCRPredictorLib.writing import read_csv, write_whole_csv

from .columns import Columns, Table, describe_columns
from .patients import same_key
from .records import read_records
from .tables import number_of, read_tables

_FIRST = ("patient_id", LABEL, "age")
_LEAST = 0.9  # of the patients that must be found if their numbers alone are compared


@dataclass(frozen=True)
class GivenTable:
    """The user's table: values by identifier in the cohort, and sentences about what was taken and what was not."""

    rows: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


def read_given_table(file: Path, names: Mapping[str, str]) -> GivenTable:
    """Read the label and the clinical variables of the patients; names and other columns are not copied.

    Args:
        names: PatientID to identifier in the cohort.

    Raises:
        DataError: if the table cannot be read, names no patient, or one twice.
    """
    tables, problems = read_tables([file])
    if not tables:
        raise DataError(problems[0])
    matches = [(_match(cells, names), table, name) for table in tables for name, cells in table.columns.items()]
    matched, table, identifier = max(matches, key=lambda match: len(match[0]))
    if not matched:
        raise DataError(f"{file}: no column has the PatientIDs of the DICOM files; add one")
    if twice := sum(number > 1 for number in Counter(matched.values()).values()):
        raise DataError(f"{file}: {twice} patients have more than one row; keep one row per patient")
    found = describe_columns(table, identifier)
    rows = {name: _translate(found, table, k) for k, name in matched.items()}
    left = [column for column in table.columns if column not in found.columns.values()]
    remarks = [
        f"table: {table.name}, PatientID in the column {identifier}, {len(rows)} of {len(names)} patients",
        *found.notes,
        *([f"columns that were not copied: {', '.join(left)}"] if left else []),
        *(f"could not be told: {text}" for text in (*problems, *found.doubts.values())),
    ]
    return GivenTable(rows, tuple(remarks))


def write_import_table(cohort: Path, given: GivenTable) -> None:
    """Write the table of the patients that are imported.

    Values that are there already, such as labels that were filled in by hand, stay unless the user's table has others.

    Raises:
        DataError: if it cannot be written.
    """
    path = cohort / f"{TABLE}.csv"
    before = {row["patient_id"]: row for row in read_csv(path)} if path.is_file() else {}
    rows = []
    for record in read_records(cohort):
        row = {"patient_id": record.patient_id}
        for values in (record.row, before.get(record.patient_id, {}), given.rows.get(record.patient_id, {})):
            row |= {column: value for column, value in values.items() if value}
        rows.append(row)
    columns = list(dict.fromkeys([*_FIRST, *(column for row in rows for column in row)]))
    write_whole_csv(columns, ([row.get(column, "") for column in columns] for row in rows), path)


def _translate(found: Columns, table: Table, k: int) -> dict[str, str]:
    """Return the values of a row as training knows them."""
    texts = {ours: table.columns[theirs][k].strip() for ours, theirs in found.columns.items() if ours != "patient_id"}
    return {ours: found.values.get(ours, {}).get(text, text) for ours, text in texts.items()}


def _match(cells: Sequence[str], names: Mapping[str, str]) -> dict[int, str]:
    """Return the rows of a column that name a patient: position to identifier in the cohort.

    Identifiers may differ in case, signs and leading zeros; if nearly all patients are found so, in all but a number.
    """
    for key, least in ((same_key, 1), (number_of, _LEAST * len(names))):
        known = {key(identifier): name for identifier, name in names.items()}
        found = {k: known[key(text)] for k, text in enumerate(cells) if text.strip() and key(text) in known}
        if len(known) == len(names) and len(found) >= least:
            return found
    return {}
