"""Tables of visits for a follow-up, read as training and evaluation read them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PCRPredictorLib.visits.table import READERS, CourseTable

from ..progress import Progress
from .inputs import read_tables


def add_table_reader(progress: Progress | None = None) -> None:
    """Let the predictor library read tables, once; `progress` is told the measurement of folders."""
    if not READERS:
        READERS.append(partial(read_course_table, progress=progress or Progress()))


def read_course_table(
    tables: Sequence[Path], mapping: Path | None, units: Sequence[str], progress: Progress
) -> CourseTable:
    """Read the patients of tables, joined; the label is not used.

    Args:
        tables: CSV or Excel, or folders of cohorts with visits, which are measured; with one row, a column of patients
            is not needed.
        mapping: JSON as `pcr init` writes it for a table.
        units: of columns whose names have none.
        progress: is told the measurement of folders.

    Raises:
        DataError: if it cannot be read or used.
    """
    from ..visit_tables.mapping import LABEL

    found = read_tables(tables, mapping, units, progress)
    warnings = tuple(text for text in found.warnings if not text.startswith(f"no column for {LABEL}"))
    return CourseTable(found.courses, found.left_out, found.notes, warnings)
