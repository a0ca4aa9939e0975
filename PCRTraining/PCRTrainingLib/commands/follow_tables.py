"""Tables of visits for `pcr follow`, read as `pcr train` and `pcr evaluate` read them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PCRPredictorLib.visits.table import READERS, CourseTable

from .options import read_tables


def add_table_reader() -> None:
    """Let `pcr follow` read tables."""
    if read_course_table not in READERS:
        READERS.append(read_course_table)


def read_course_table(tables: Sequence[Path], mapping: Path | None, units: Sequence[str]) -> CourseTable:
    """Read the patients of tables, joined; the label is not used.

    Args:
        tables: CSV or Excel, or folders of cohorts with visits, which are measured; with one row, a column of patients
            is not needed.
        mapping: JSON as `pcr init` writes it for a table.
        units: of columns whose names have none.

    Raises:
        DataError: if it cannot be read or used.
    """
    from ..visit_tables.mapping import LABEL

    found = read_tables(tables, mapping, units)
    warnings = tuple(text for text in found.warnings if not text.startswith(f"no column for {LABEL}"))
    return CourseTable(found.courses, found.left_out, found.notes, warnings)
