"""The columns of one table with visits: patient, label, clinical variables, and quantities at visits.

Names are recognised by `PCRPredictorLib.visits.columns` and by the words of `pcr init`; a mapping goes before both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from PCRPredictorLib.clinical import is_missing
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.formatting import count
from PCRPredictorLib.reading.identifiers import clean, number_key
from PCRPredictorLib.response.course import QUANTITIES
from PCRPredictorLib.visits.columns import VisitColumn, is_other_volume, number_visits, read_column, read_visit, words

from ..intake.columns import Columns, Table, describe_columns
from ..intake.words import IDENTIFIER, fits
from ..schema import KNOWN
from .mapping import LABEL, PATIENT, VISIT_COLUMNS, TableMapping

_DISTINCT = 0.9  # of the rows of a table with a row per patient
_VISIT_OF_ROW = r"(visit|time ?point|tp|exam|scan|mri|besuch|zeitpunkt|event|when|stage|phase)( ?(name|no|number|id))?"
_FIRST = ("patient id", "patientid", "patient", "subjectid", "subject id", "subject", "pid", "id")


@dataclass(frozen=True, eq=False)
class Recognised:
    """What the columns of a table are.

    Args:
        table: its cells as text; in a table with a row per visit, those of each visit are columns of their own.
        identifier: column with the patients.
        visits: column to what its name says, with its visit.
        others: label and clinical variables.
        unused: columns that mean nothing here.
        doubts: what could not be told, sentences.
        notes: what was told, sentences.
    """

    table: Table
    identifier: str
    visits: Mapping[str, VisitColumn]
    others: Columns
    unused: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def keys(self) -> list[str]:
        """Return the identifier of each row as it is compared."""
        return [number_key(text) for text in self.table.columns[self.identifier]]


@dataclass(frozen=True, eq=False)
class _Split:
    """Columns of a table: what is measured at visits, and the rest."""

    visits: dict[str, VisitColumn]
    rest: dict[str, Sequence[str]] = field(default_factory=dict)


def recognise(table: Table, mapping: TableMapping, known: set[str] | None = None) -> Recognised | None:
    """Return what the columns of a table are; None if it has no column with patients.

    Args:
        mapping: what the user says.
        known: identifiers of other tables, by which one of several columns is chosen.

    Raises:
        DataError: if two columns are the same quantity at the same visit, or visits cannot be told apart.
    """
    identifier = find_identifier(table, mapping, known or set())
    if identifier is None:
        return None
    rows = _one_row_per_patient(table, identifier)
    table, notes = rows.table, rows.notes
    split = _split(table, identifier, mapping)
    visits, doubts = _place(table, split.visits, mapping)
    visits = _without_replaced(visits, mapping)
    _refuse_double(table, visits)
    own = replace(table, columns={identifier: table.columns[identifier], **split.rest})
    others = _with_mapping(describe_columns(own, identifier), own, mapping)
    doubts += rows.doubts + _different_answers(table, others, rows.different)
    taken = {*others.columns.values(), *visits}
    unused = tuple(name for name in table.columns if name not in taken and name != identifier)
    doubts += [
        f"{name} is a volume, but not known to be the functional one (70 % early enhancement); if it is, name it as "
        "functional_volume_ml_T0, ... in a --mapping file"
        for name in unused
        if is_other_volume(name) and read_visit(name) is not None
    ][:1]
    return Recognised(table, identifier, visits, others, unused, tuple(doubts), tuple(notes))


def find_identifier(table: Table, mapping: TableMapping, known: set[str]) -> str | None:
    """Return the column with the patients: as mapped, or else named so and different in nearly every patient's row.

    Args:
        known: identifiers of other tables.
    """
    names = {clean(name).lower(): name for name in table.columns}
    if (given := mapping.columns.get(PATIENT)) and clean(given).lower() in names:
        return names[clean(given).lower()]
    if PATIENT in names:
        return names[PATIENT]
    candidates = [name for name in table.columns if fits(IDENTIFIER, name) or words(name) in _FIRST]
    candidates = [name for name in candidates if _is_filled(table.columns[name])]
    shared = [name for name in candidates if known & {number_key(text) for text in table.columns[name]}]
    ranked = sorted(shared or candidates, key=_rank)
    return ranked[0] if ranked else None


def _rank(name: str) -> int:
    return _FIRST.index(words(name)) if words(name) in _FIRST else len(_FIRST)


def _is_filled(cells: Sequence[str]) -> bool:
    filled = [text for text in cells if not is_missing(text)]
    return len(filled) > _DISTINCT * len(cells) and len(set(filled)) > 1


@dataclass(frozen=True, eq=False)
class _Rows:
    """A table with a row per patient, and what was told.

    Args:
        different: column to the patients whose rows, one per visit, have different values of it; the first is used.
    """

    table: Table
    notes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    different: dict[str, list[str]] = field(default_factory=dict)


def _one_row_per_patient(table: Table, identifier: str) -> _Rows:
    """Return a table with a row per patient; of one with a row per visit, each quantity becomes a column per visit."""
    keys = [number_key(text) for text in table.columns[identifier]]
    if len(set(keys)) > _DISTINCT * len(keys):
        return _Rows(table)
    plain = {k for k, name in enumerate(table.columns) if read_column(name) is not None and not read_visit(name)}
    named = [name for name in table.columns if fits(_VISIT_OF_ROW, name) and name != identifier]
    by_row = [name for name in named if all(read_visit(text) for text in table.columns[name])]
    if len(by_row) != 1:
        return _Rows(table, doubts=[_which_visit(table, named, by_row)] if plain else [])
    cells = table.columns[by_row[0]]
    first = dict.fromkeys(keys)
    columns: dict[str, list[str]] = {}
    different: dict[str, list[str]] = {}
    for k, (name, values) in enumerate(table.columns.items()):
        if k not in plain:
            if name != by_row[0]:
                own = {key: _filled_of(values, keys, key) for key in first}
                columns[name] = [next(iter(texts), "") for texts in own.values()]
                different[name] = [key for key, texts in own.items() if len(set(texts)) > 1]
            continue
        for visit in dict.fromkeys(cells):
            rows = {key: values[i] for i, key in enumerate(keys) if cells[i] == visit}
            columns[f"{name} {_visit_name(visit)}"] = [rows.get(key, "") for key in first]
    note = f"{table.name}: a row per visit, told apart by {by_row[0]}"
    return _Rows(replace(table, columns=columns), [note], different=different)


def _which_visit(table: Table, named: Sequence[str], by_row: Sequence[str]) -> str:
    """Return a sentence about a table whose rows are visits that cannot be told apart."""
    if by_row:
        return f"{table.name}: {' and '.join(by_row)} both name visits; leave one of them out"
    if not named:
        return (
            f"{table.name}: has several rows per patient, and no column says which visit each is; add a column named "
            "visit with T0, T1, T2 or T3"
        )
    cells = [text for text in dict.fromkeys(table.columns[named[0]]) if not read_visit(text)]
    shown = ", ".join(map(repr, cells[:3]))
    return f"{table.name}: {named[0]} has {shown}, which names no visit; write T0, T1, T2 or T3 there"


def _different_answers(table: Table, others: Columns, different: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a sentence for each clinical variable of which a patient's rows have different values.

    Raises:
        DataError: if it is the label.
    """
    found = []
    for ours, name in others.columns.items():
        if not (patients := different.get(name)):
            continue
        shown = ", ".join(patients[:3]) + (", ..." if len(patients) > 3 else "")
        which = f"{table.name}: {name} is different in the rows of {count(len(patients), 'patient')} ({shown})"
        if ours == LABEL:
            raise DataError(f"{which}; each patient must have one outcome, correct the others")
        found.append(f"{which}; the first value is used")
    return found


def _visit_name(cell: str) -> str:
    return f"visit {cell}" if cell.strip().isdigit() else cell


def _filled_of(values: Sequence[str], keys: Sequence[str], key: str) -> list[str]:
    own = [values[k] for k, other in enumerate(keys) if other == key]
    return [text for text in own if not is_missing(text)]


def _split(table: Table, identifier: str, mapping: TableMapping) -> _Split:
    given = {clean(theirs).lower(): ours for ours, theirs in mapping.columns.items()}
    found = _Split({})
    for name, cells in table.columns.items():
        ours = given.get(clean(name).lower())
        if name == identifier:
            continue
        column = None if ours else read_column(name)
        if ours in VISIT_COLUMNS:
            quantity, visit = VISIT_COLUMNS[ours]
            written = read_column(name)
            unit = written.unit if written and written.quantity == quantity else None
            found.visits[name] = VisitColumn(quantity, visit, unit=unit)
        elif column is not None:
            found.visits[name] = column
        else:
            found.rest[name] = cells
    return found


def _place(
    table: Table, columns: Mapping[str, VisitColumn], mapping: TableMapping
) -> tuple[dict[str, VisitColumn], list[str]]:
    """Return the columns whose visit is known, and sentences about the others."""
    numbered = number_visits(columns.values())
    if numbered is None:
        raise DataError(
            f"{table.name}: has more visits than T0 to T3; name those to use in a --mapping file, which pcr init "
            f"{table.file.name} writes"
        )
    placed, doubts = {}, []
    for name, column in columns.items():
        visit = column.visit or (None if column.number is None else numbered[column.prefix, column.number])
        if visit is None:
            if any(one.quantity == column.quantity and one is not column for one in columns.values()):
                doubts.append(f"{table.name}: {name} does not name a visit; not used")
            continue
        placed[name] = replace(column, visit=visit, unit=_mapped_unit(name, mapping) or column.unit)
    return placed, doubts


def _without_replaced(visits: Mapping[str, VisitColumn], mapping: TableMapping) -> dict[str, VisitColumn]:
    """Return the columns without those instead of which the user names another."""
    named = {clean(theirs).lower() for theirs in mapping.columns.values()}
    mapped = {(c.quantity, c.visit) for name, c in visits.items() if clean(name).lower() in named}
    return {n: c for n, c in visits.items() if clean(n).lower() in named or (c.quantity, c.visit) not in mapped}


def _mapped_unit(name: str, mapping: TableMapping) -> str | None:
    return next((unit for column, unit in mapping.units.items() if clean(column).lower() == clean(name).lower()), None)


def _refuse_double(table: Table, visits: Mapping[str, VisitColumn]) -> None:
    seen: dict[tuple[str, str | None], str] = {}
    for name, column in visits.items():
        other = seen.setdefault((column.quantity, column.visit), name)
        if other != name:
            label = next(q.label for q in QUANTITIES if q.name == column.quantity)
            raise DataError(
                f"{table.name}: {other} and {name} are both {label.lower()} at {column.visit}; name one of them in a "
                f"--mapping file, which pcr init {table.file.name} writes"
            )


def _with_mapping(found: Columns, table: Table, mapping: TableMapping) -> Columns:
    """Return label and clinical columns with what the user says instead of what was found."""
    names = {clean(name).lower(): name for name in table.columns}
    for ours, theirs in mapping.columns.items():
        if ours in (*KNOWN, LABEL) and (name := names.get(clean(theirs).lower())):
            found.columns[ours] = name
            found.doubts.pop(ours, None)
            found.values.pop(ours, None)
    for ours in KNOWN:
        if ours not in found.columns and ours in names and names[ours] not in found.columns.values():
            found.columns[ours] = names[ours]
    for ours, meanings in mapping.values.items():
        if ours in found.columns:
            found.values[ours] = {**found.values.get(ours, {}), **meanings}
            found.doubts.pop(ours, None)
    return found
