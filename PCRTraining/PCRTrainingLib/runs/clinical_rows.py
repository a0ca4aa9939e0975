"""Clinical rows: labelled patients without images, on whom the clinical branch alone is fitted."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.reading.table import read_rows
from PCRPredictorLib.writing import write_whole_csv

from ..cohort.check import LABEL, parse_label
from ..progress import Progress

Rows = dict[str, tuple[np.ndarray, int]]  # lower-case identifier to clinical vector and label


def keep_clinical_rows(
    table: str | None,
    file: Path,
    schemas: Sequence[ClinicalSchema],
    progress: Progress,
    without: Collection[str] = (),
) -> None:
    """Keep the labelled rows of a table in the folder of a new run: a resumed run then has the same.

    Args:
        table: its path; None if there is none.
        file: of the run folder.
        schemas: a row is kept if any of them can use it; the number of others is reported.
        without: lower-case identifiers of patients that must not be trained on.

    Raises:
        DataError: if it is not a table or no row can be used.
    """
    if table is None:
        file.unlink(missing_ok=True)  # of a run that ended before anything was trained
        return
    rows = read_rows(Path(table))
    usable = {name for schema in schemas for name in _parse_rows(rows, schema)}
    if not usable:
        raise DataError(f"{table}: no row has a label in the column {LABEL} and clinical values that can be used")
    if len(usable) < len(rows):
        progress.say(
            f"{len(usable)} of {len(rows)} rows of {Path(table).name} used: the others lack a label or are unreadable"
        )
    columns = [LABEL, *sorted({variable.name for schema in schemas for variable in schema.asked})]
    kept = (
        [name, *(row.get(column, "") for column in columns)]
        for name, row in rows.items()
        if name in usable and name not in without
    )
    write_whole_csv(["patient_id", *columns], kept, file)


def read_clinical_rows(file: Path, schema: ClinicalSchema) -> Rows:
    """Return the rows that `keep_clinical_rows` kept, as far as the schema can use them.

    Returns:
        Lower-case identifier to clinical vector, (schema width,), and label; empty without a file.

    Raises:
        DataError: if the file is damaged.
    """
    return _parse_rows(read_rows(file), schema) if file.is_file() else {}


def _parse_rows(rows: Mapping[str, Mapping[str, str]], schema: ClinicalSchema) -> Rows:
    """Return the rows that have a label and values that the schema can read."""
    found = {}
    for name, row in rows.items():
        with suppress(DataError):
            label = parse_label(row.get(LABEL, ""))
            if label is not None:
                found[name] = schema.encode(schema.parse(row)), label
    return found
