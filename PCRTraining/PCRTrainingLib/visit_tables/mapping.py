"""A JSON file that says what the columns of tables with visits mean, for what their names do not say.

    {"columns": {"patient_id": "Subject", "pcr": "Outcome", "longest_diameter_mm_T1": "LD second exam"},
     "values": {"pcr": {"complete": "1", "partial": "0"}},
     "units": {"LD second exam": "cm"}}

`pcr init TABLE` writes one. Keys that start with // are comments.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from PCRPredictorLib.errors import DataError
from PCRPredictorLib.files.json_text import read_json
from PCRPredictorLib.response.course import QUANTITIES, VISITS
from PCRPredictorLib.visits.columns import units_of
from pydantic import ConfigDict, TypeAdapter, ValidationError

from ..schema import KNOWN

PATIENT, LABEL = "patient_id", "pcr"
VISIT_COLUMNS = {quantity.column(visit): (quantity.name, visit) for quantity in QUANTITIES for visit in VISITS}


@dataclass(frozen=True)
class TableMapping:
    """What the user says about columns.

    Args:
        columns: our name, such as `longest_diameter_mm_T1`, to the table's.
        values: our name to the meaning of cells, as in {"pcr": {"complete": "1"}}.
        units: a table's column to its unit.
        unit_of: quantity to the unit of all its columns whose names have none, from `--unit`.
    """

    __pydantic_config__ = ConfigDict(extra="forbid", coerce_numbers_to_str=True)

    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    unit_of: Mapping[str, str] = field(default_factory=dict)

    def with_units(self, units: Iterable[str]) -> TableMapping:
        """Return the mapping with the units of `--unit`, each of the quantity that has it.

        Raises:
            DataError: if no quantity has one of them, or two are of the same quantity.
        """
        found: dict[str, str] = {}
        for unit in units:
            owners = [q.name for q in QUANTITIES if unit and unit in units_of(q.name)]
            if not owners or owners[0] in found:
                known = ", ".join(unit for q in QUANTITIES for unit in units_of(q.name) if unit)
                raise DataError(f"--unit must be one of {known}, one for a quantity, got {unit!r}")
            found[owners[0]] = unit
        return replace(self, unit_of=found)


def read_table_mapping(file: Path | None) -> TableMapping:
    """Read a mapping; without a file, names say all.

    Raises:
        DataError: if it cannot be read, or names something unknown.
    """
    if file is None:
        return TableMapping()
    try:
        content: Any = read_json(file)
        parts = {key: value for key, value in content.items() if not key.startswith("//")}
        mapping = TypeAdapter(TableMapping).validate_python(parts)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise DataError(f"{file}: {place}: {first['msg']}; use columns, values and units") from None
    except (OSError, ValueError, AttributeError) as error:
        raise DataError(f"{file}: must be a JSON object ({error}), as pcr init TABLE writes it") from None
    known = {PATIENT, LABEL, *VISIT_COLUMNS, *KNOWN}
    if unknown := [name for name in (*mapping.columns, *mapping.values) if name not in known]:
        raise DataError(
            f"{file}: {unknown[0]!r} is not known; use patient_id, pcr, age, hr, her2 and columns of visits such as "
            f"{', '.join(list(VISIT_COLUMNS)[:2])}"
        )
    return mapping


def template(mapping: TableMapping, notes: Sequence[str], doubts: Sequence[str]) -> str:
    """Return the text of a mapping, with what was found and what could not be told as comments."""
    content = {
        "//": "Written by pcr init. Keys that start with // are comments. Give this file with --mapping.",
        "// found": list(notes),
        "// could not be told": list(doubts),
        "columns": dict(mapping.columns),
        "values": {name: dict(meanings) for name, meanings in mapping.values.items() if meanings},
        "units": dict(mapping.units),
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
