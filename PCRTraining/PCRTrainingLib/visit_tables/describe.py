"""What tables with visits hold, in sentences; and a mapping written from one, for what could not be told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PCRPredictorLib.errors import DataError, group_problems
from PCRPredictorLib.response.course import QUANTITIES, VISITS
from PCRPredictorLib.writing import write_whole_text

from .joined import find_factors
from .mapping import LABEL, TableMapping, template
from .patients import VisitPatients, recognise_tables
from .recognise import Recognised
from .units import SPELLINGS


def describe_patients(patients: VisitPatients) -> Iterator[str]:
    """Yield what was read, what looks wrong, who cannot be used, and how many values there are at each visit."""
    yield from patients.notes
    yield from (f"warning: {text}" for text in patients.warnings)
    for group in group_problems(patients.doubtful):
        yield f"warning: {group.describe()}"
    for group in group_problems(patients.left_out):
        yield f"left out: {len(group.patients)}, {group.reason}"
    for quantity in QUANTITIES:
        counts = {visit: len(_values(patients, quantity.name, visit)) for visit in VISITS}
        if any(counts.values()):
            shown = ", ".join(
                f"{visit} {number} (median {np.median(_values(patients, quantity.name, visit)):.3g} {quantity.unit})"
                for visit, number in counts.items()
                if number
            )
            yield f"{quantity.label}: {shown}".replace(" )", ")")
    known = patients.labels[patients.labels >= 0]
    yield f"{len(patients)} patients with a visit, {len(known)} of them with a label, {int(known.sum())} with pCR"


def _values(patients: VisitPatients, quantity: str, visit: str) -> list[float]:
    own = (course.visits[visit].values.get(quantity) for course in patients.courses if visit in course.visits)
    return [value for value in own if value is not None]


def init_table(table: Path, *, force: bool = False) -> tuple[Path, list[str]]:
    """Write a JSON beside a table that says what its columns are; return its path and what could not be told.

    Args:
        table: CSV or Excel.
        force: replace the JSON that is there.

    Raises:
        DataError: if the table cannot be read, or the JSON is there already.
    """
    path = table.with_suffix(".json")
    if path.exists() and not force:
        raise DataError(f"{path} is there already; edit it, or write it anew with --force")
    found, notes = recognise_tables([table], TableMapping(), need_visits=False)
    columns: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    units: dict[str, str] = {}
    doubts: list[str] = []
    for each in found:
        columns |= {"patient_id": each.identifier, **each.others.columns}
        columns |= {f"{column.quantity}_{column.visit}": name for name, column in each.visits.items()}
        values |= {ours: dict(meanings) for ours, meanings in each.others.values.items()}
        units |= _units(each, doubts)
        doubts += each.doubts
    if LABEL not in columns:
        doubts += [each.others.doubts[LABEL] for each in found if LABEL in each.others.doubts][:1]
    mapping = TableMapping(columns, values, units)
    write_whole_text(template(mapping, notes, doubts), path)
    return path, doubts


def _units(found: Recognised, doubts: list[str]) -> dict[str, str]:
    """Return the unit of each column that has one, or what it may be if it cannot be told."""
    units = {}
    for name, column in found.visits.items():
        try:
            find_factors(found, TableMapping())
        except DataError as error:
            doubts += [str(error)] if str(error) not in doubts else []
        if column.factor is None or column.unit:
            units[name] = column.unit or " or ".join(SPELLINGS[column.quantity])
    return units
