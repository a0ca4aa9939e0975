"""Values of several tables by patient: each once, in our unit, and the same in all of them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace

from PCRPredictorLib.clinical import is_missing
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.formatting import count
from PCRPredictorLib.response.course import VISITS
from PCRPredictorLib.visits.columns import VisitColumn, units_of

from ..schema import KNOWN
from .answers import read_clinical_cells, read_label_cells
from .cells import has_bare_number, read_cell
from .mapping import LABEL, PATIENT, TableMapping
from .recognise import Recognised
from .units import ask, infer_unit

_SAME = 0.005  # relative difference of two tables' values that is rounding
_MOST_UNREAD = 0.2  # of the filled cells of a column
_SHOWN = 3  # cells or patients in a sentence
Row = dict[str, object]  # our name to a value


@dataclass(eq=False)
class Joined:
    """Values of all tables by patient.

    Args:
        values: key of a patient to our names and values.
        names: key to the identifier as written.
        notes: what was told, sentences.
        warnings: what is wrong and was left aside, sentences.
        doubts: our name to why no column could be told to be it.
    """

    values: dict[str, Row] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    doubts: dict[str, str] = field(default_factory=dict)
    _source: dict[tuple[str, str], str] = field(default_factory=dict)
    _against: dict[tuple[str, str, str], list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, key: str, name: str, ours: str, value: object, table: str) -> None:
        """Add a value; a different one of the same patient is remembered as a contradiction."""
        self.names.setdefault(key, name)
        row = self.values.setdefault(key, {})
        if value is None:
            return
        if ours not in row:
            row[ours], self._source[key, ours] = value, table
        elif not _agree(row[ours], value):
            self._against[ours, self._source[key, ours], table].append(self.names[key])

    def add_table(self, found: Recognised, mapping: TableMapping) -> None:
        """Add all values of a table.

        Raises:
            DataError: if the unit of a column is not known, or most of it cannot be read.
        """
        rows = [k for k, key in enumerate(found.keys) if key]
        if len(rows) < len(found.keys):
            self.warnings.append(f"{found.table.name}: {count(len(found.keys) - len(rows), 'row')} without a patient")
        for k in rows:
            self.names.setdefault(found.keys[k], found.table.columns[found.identifier][k])
            self.values.setdefault(found.keys[k], {})
        self.notes += found.notes
        self.warnings += found.doubts
        self.doubts |= found.others.doubts
        self._add_visits(found, mapping)
        self._add_others(found)
        if found.unused:
            self.notes.append(f"{found.table.name}: not used: {', '.join(found.unused)}")

    def _add_visits(self, found: Recognised, mapping: TableMapping) -> None:
        factors, told = find_factors(found, mapping)
        self.notes += told
        for name, column in found.visits.items():
            cells = found.table.columns[name]
            read = [read_cell(column.quantity, text, factors[name]) for text in cells]
            self._check_read(found, name, [cell.problem for cell in read if cell.problem])
            self._add_column(found, f"{column.quantity}_{column.visit}", [cell.value for cell in read])

    def _check_read(self, found: Recognised, name: str, problems: list[str]) -> None:
        filled = sum(not is_missing(text) for text in found.table.columns[name])
        shown = "; ".join(list(dict.fromkeys(problems))[:_SHOWN])
        if len(problems) > max(_MOST_UNREAD * filled, 1):
            raise DataError(
                f"{found.table.name}: {len(problems)} of {filled} cells of {name} cannot be used ({shown}); correct "
                "the column, or give its unit in a --mapping file"
            )
        if problems:
            self.warnings.append(f"{found.table.name}: {count(len(problems), 'cell')} of {name} not used ({shown})")

    def _add_others(self, found: Recognised) -> None:
        for ours, name in found.others.columns.items():
            if ours == PATIENT:
                continue
            cells = found.table.columns[name]
            meanings = found.others.values.get(ours, {})
            read = (read_label_cells if ours == LABEL else read_clinical_cells)(ours, cells, meanings)
            self._add_column(found, ours, read.values)
            if ours in found.others.doubts and not read.problem:
                self.warnings.append(f"{found.table.name}: {found.others.doubts[ours]}; those cells are not used")
            if read.problem:
                self.warnings.append(f"{found.table.name}: {name}: {read.problem}")
        told = [note for note in found.others.notes if note.partition(":")[0] in (LABEL, *KNOWN)]
        self.notes += [f"{found.table.name}: {note}" for note in told]

    def _add_column(self, found: Recognised, ours: str, values: list) -> None:
        identifiers = found.table.columns[found.identifier]
        for key, identifier, value in zip(found.keys, identifiers, values, strict=True):
            if key:
                self.add(key, identifier, ours, value, found.table.name)

    def refuse_contradictions(self) -> None:
        """Refuse values that differ.

        Raises:
            DataError: naming patients of the first.
        """
        for (ours, one, other), names in self._against.items():
            where = f"in {one} and in {other}" if one != other else f"in two rows of {one}"
            shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
            raise DataError(
                f"{ours} must be the same wherever a patient has it, got different values {where} for "
                f"{count(len(names), 'patient')} ({shown}); correct one of them, or leave its column out"
            )


def _agree(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= _SAME * max(abs(one), abs(other)) + 1e-9
    return one == other


def find_factors(found: Recognised, mapping: TableMapping) -> tuple[dict[str, float], list[str]]:
    """Return the factor of each column of visits, and what was told.

    Raises:
        DataError: if a unit is not known, with the question.
    """
    factors: dict[str, float] = {}
    notes = []
    for quantity in dict.fromkeys(column.quantity for column in found.visits.values()):
        columns = {name: column for name, column in found.visits.items() if column.quantity == quantity}
        unit, why = _unit_of(found, columns, quantity, mapping)
        told = {name: c if c.factor is not None else replace(c, unit=unit) for name, c in columns.items()}
        factors |= {name: column.factor or 1.0 for name, column in told.items()}
        units = ", ".join(dict.fromkeys(column.unit for column in told.values() if column.unit))
        words = f" in {units}{why and f' ({why})'}" if units else why and f" in {why}"
        shown = ", ".join(f"{name} at {column.visit}" for name, column in told.items())
        notes.append(f"{found.table.name}: {quantity}{words}: {shown}")
    return factors, notes


def _unit_of(
    found: Recognised, columns: dict[str, VisitColumn], quantity: str, mapping: TableMapping
) -> tuple[str | None, str]:
    """Return the unit of the columns without one, and how it was told."""
    unknown = {name: column for name, column in columns.items() if column.factor is None}
    if not unknown:
        return None, ""
    if quantity in mapping.unit_of:
        return mapping.unit_of[quantity], "as --unit says"
    if not any(has_bare_number(quantity, text) for name in unknown for text in found.table.columns[name]):
        return None, "the unit of each cell" if units_of(quantity).keys() - {""} else ""
    first = min(unknown, key=lambda name: VISITS.index(unknown[name].visit or VISITS[0]))
    inferred = infer_unit(quantity, found.table.columns[first])
    if inferred.unit is None:
        raise DataError(f"{found.table.name}: {ask(quantity, list(unknown), inferred.why)}")
    return inferred.unit, inferred.why
