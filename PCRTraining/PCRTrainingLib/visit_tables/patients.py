"""Patients of tables with visits, each with a course and a label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PCRPredictorLib.errors import DataError, Problem
from PCRPredictorLib.formatting import count
from PCRPredictorLib.response.course import QUANTITIES, VISITS, Course, Visit, VisitValues
from PCRPredictorLib.variables.receptors import describe_hormone_receptors, hormone_receptors
from PCRPredictorLib.visits.columns import DIAMETER, VOLUME

from ..intake.columns import Table
from ..intake.tables import read_tables
from ..intake.words import fits
from ..schema import KNOWN, STRONGEST
from .joined import Joined
from .mapping import LABEL, PATIENT, TableMapping
from .plausible import find_doubtful, find_warnings
from .receptors import TYPE, read_type
from .recognise import Recognised, find_identifier, recognise

NO_VISIT, NO_LABEL = "has no measurement at any visit", "has no label in the column of pCR"


@dataclass(frozen=True, eq=False)
class VisitPatients:
    """Patients with what is known of each.

    Args:
        name: of the tables.
        courses: of N patients.
        labels: (N,), 1 for pCR, 0 without, -1 if it is not known.
        left_out: patients that cannot be used, and why.
        notes: what was recognised, converted, or not used, sentences.
        warnings: what looks wrong, sentences.
        doubtful: patients that are used and look wrong.
    """

    name: str
    courses: tuple[Course, ...]
    labels: np.ndarray
    left_out: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    doubtful: tuple[Problem, ...] = ()

    def __len__(self) -> int:
        """Return N."""
        return len(self.courses)

    @property
    def problems(self) -> bool:
        """Return True if something looks wrong, or nobody has a label."""
        return bool(self.warnings or self.doubtful or (self.labels < 0).all())

    def without(self, names: Collection[str], reason: str) -> VisitPatients:
        """Return the others than these patients, who are left out for a reason."""
        use = np.array([(course.patient_id or "") not in names for course in self.courses], bool)
        return replace(
            self,
            courses=tuple(course for course, used in zip(self.courses, use, strict=True) if used),
            labels=self.labels[use],
            left_out=(*self.left_out, *(Problem(name, reason) for name in sorted(names))),
        )

    def labelled(self) -> VisitPatients:
        """Return the patients with a label; the others are left out.

        Raises:
            DataError: if a class has fewer than two patients.
        """
        has = self.labels >= 0
        without = [c.patient_id or "" for c, use in zip(self.courses, has, strict=True) if not use]
        labels = self.labels[has]
        positives = int(labels.sum())
        if min(positives, len(labels) - positives) < 2:
            raise DataError(
                f"{self.name}: must have two patients or more with pCR and two without, got {positives} and "
                f"{len(labels) - positives}; check the column of pCR, or name it in a --mapping file"
            )
        return replace(
            self,
            courses=tuple(course for course, use in zip(self.courses, has, strict=True) if use),
            labels=labels,
            left_out=(*self.left_out, *(Problem(name, NO_LABEL) for name in without)),
        )


def read_visit_tables(files: Sequence[Path], mapping: TableMapping | None = None) -> VisitPatients:
    """Read tables, CSV or Excel with any number of sheets, and join them by patient.

    Raises:
        DataError: if one cannot be read or used, a unit cannot be told, or two values of a patient contradict.
    """
    mapping = mapping or TableMapping()
    tables, notes = recognise_tables(files, mapping)
    joined = Joined(notes=notes, warnings=_report_disjoint(tables))
    for table in tables:
        joined.add_table(table, mapping)
    joined.refuse_contradictions()
    derive_receptors(tables, joined)
    _report_absent(joined)
    return _as_patients(" + ".join(dict.fromkeys(file.name for file in files)), joined)


def recognise_tables(
    files: Sequence[Path], mapping: TableMapping, *, need_visits: bool = True
) -> tuple[list[Recognised], list[str]]:
    """Return the tables of all files and sheets that have patients and something to use, and what was told.

    Args:
        need_visits: refuse tables without any visit.

    Raises:
        DataError: if a file cannot be read, or no table has patients and visits.
    """
    tables, problems = read_tables(files)
    if problems and not tables:
        raise DataError(problems[0])
    found: list[Recognised] = []
    notes = list(problems)
    for table in map(_with_patient, tables):
        known = {key for each in found for key in each.keys}
        each = recognise(table, mapping, known)
        if each is None or not (each.visits or len(each.others.columns) > 1):
            why = "no column names patients" if each is None else "no column is known"
            notes.append(f"{table.name}: not used, {why}")
        else:
            found.append(each)
    if need_visits and not any(each.visits for each in found):
        shown = ", ".join(file.name for file in files)
        if doubts := [doubt for each in found for doubt in each.doubts]:
            raise DataError(f"{shown}: has no column of tumours at visits that is known: {doubts[0]}")
        raise DataError(
            f"{shown}: must have a column of patients and columns of tumours at visits, such as ftv_ml_T0 or "
            "longest_diameter_mm_T1; name them in a --mapping file, which pcr init TABLE writes"
        )
    return found, notes


def _report_disjoint(tables: Sequence[Recognised]) -> list[str]:
    """Return a sentence for each table none of whose patients is in any other table, if there are others."""
    found = []
    for table in tables:
        others = {key for other in tables if other is not table for key in other.keys}
        if others and not others & set(table.keys):
            found.append(
                f"{table.table.name}: none of its patients is in the other tables; are they named in the same way?"
            )
    return found


def _with_patient(table: Table) -> Table:
    """Return a table of a single row with a column of patients, if nothing in it names one."""
    if len(next(iter(table.columns.values()), ())) != 1 or find_identifier(table, TableMapping(), set()) is not None:
        return table
    return replace(table, columns={PATIENT: ["1"], **table.columns})


def derive_receptors(tables: Sequence[Recognised], joined: Joined) -> None:
    """Fill in hormone receptors and HER2 that no column has, from ER and PR or from a column with the tumour's type."""
    types = {key: cell for table in tables for key, cell in _types_of(table)}
    counts: Counter[str] = Counter()
    derived: dict[str, str | None] = {}
    for key, row in joined.values.items():
        hr, her2 = read_type(types.get(key, ""))
        if row.get("hr") is None and {row.get("er"), row.get("pr")} != {None}:
            value = hormone_receptors(row.get("er"), row.get("pr"))
            derived[joined.names.get(key, key)] = value
            row |= {} if value is None else {"hr": value}
        found = {"hr from the tumour's type": ("hr", hr), "her2 from the tumour's type": ("her2", her2)}
        for how, (name, value) in found.items():
            if value is not None and name not in row:
                row[name] = value
                counts[how] += 1
    joined.notes += [describe_hormone_receptors(derived)] if derived else []
    joined.notes += [f"{how}: {count(number, 'patient')}" for how, number in counts.items()]


def _types_of(table: Recognised) -> Iterator[tuple[str, str]]:
    """Yield the key of each patient with a cell that may say the tumour's type."""
    for name, cells in table.table.columns.items():
        if fits(TYPE, name) and any(read_type(text) != (None, None) for text in cells):
            yield from zip(table.keys, cells, strict=True)


def _report_absent(joined: Joined) -> None:
    """Report the label and the usual clinical variables that no patient has."""
    for name in (LABEL, *STRONGEST):
        if not any(name in row for row in joined.values.values()):
            doubt = joined.doubts.get(name)
            joined.warnings.append(f"no column for {name}" + (f": {doubt}" if doubt else ""))


def _as_patients(name: str, joined: Joined) -> VisitPatients:
    courses, labels, left_out = [], [], []
    for key, row in joined.values.items():
        visits = _visits_of(row)
        if not visits:
            left_out.append(Problem(joined.names[key], NO_VISIT))
            continue
        clinical = {variable: row[variable] for variable in KNOWN if variable in row}
        courses.append(Course(visits, clinical, joined.names[key]))
        label = row.get(LABEL)
        labels.append(-1 if label is None else int(label))  # type: ignore[call-overload]
    warnings = (*joined.warnings, *find_warnings(courses))
    doubtful, notes = tuple(find_doubtful(courses)), tuple(joined.notes)
    return VisitPatients(name, tuple(courses), np.array(labels, int), tuple(left_out), notes, warnings, doubtful)


def _visits_of(row: Mapping[str, object]) -> dict[str, Visit]:
    """Return the visits at which anything was measured."""
    visits = {}
    for visit in VISITS:
        known = {q.name: value for q in QUANTITIES if (value := row.get(q.column(visit))) is not None}
        if known:
            gone = known.get(VOLUME) == 0 and not known.get(DIAMETER)  # a diameter of 0 may leave enhancing tissue
            visits[visit] = Visit(visit, VisitValues(**known, gone=gone))  # type: ignore[arg-type]
    return visits
