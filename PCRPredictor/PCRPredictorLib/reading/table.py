"""Tables of patients, CSV or Excel, as people and programs write them."""

import re
import warnings
from pathlib import Path
from zipfile import BadZipFile

import pandas as pd

from ..errors import DataError
from .mapping import CohortMapping

_SHEET = "dataset_info"
_DECIMAL_COMMA = re.compile(r"\s*(-?\d+),(\d+)\s*")


def read_rows(file: Path, mapping: CohortMapping | None = None) -> dict[str, dict[str, str]]:
    """Read rows by lower-case patient identifier; columns in lower case, every value as text.

    Args:
        file: .xlsx, or .csv with commas, tabs, or semicolons (then with decimal commas).
        mapping: names that the table uses.

    Raises:
        DataError: if it cannot be read, lacks a mapped column or `patient_id`, or has a patient twice or a row
            without a patient.
    """
    mapping = mapping or CohortMapping()
    frame = read_frame(file, mapping.sheet)
    frame.columns = [str(column).strip().lower() for column in frame.columns]
    for ours, theirs in mapping.columns.items():
        if theirs.strip().lower() not in frame.columns:
            raise DataError(f"{file}: must have the column {theirs!r} that cohort.json names for {ours}; {_has(frame)}")
        frame[ours.lower()] = frame[theirs.strip().lower()]
    if "patient_id" not in frame.columns:
        raise DataError(f"{file}: must have a column patient_id, or cohort.json must name it; {_has(frame)}")
    for column, meanings in mapping.values.items():
        if column.lower() in frame.columns:
            lower = {text.strip().lower(): meaning for text, meaning in meanings.items()}
            frame[column.lower()] = [lower.get(text.strip().lower(), text) for text in frame[column.lower()]]
    frame["patient_id"] = frame["patient_id"].str.strip()
    keys = frame["patient_id"].str.lower()
    if (keys == "").any():
        raise DataError(f"{file}: row {keys.index[keys == ''][0] + 2} has no patient_id; fill it in or delete the row")
    if keys.duplicated().any():
        raise DataError(f"{file}: {keys[keys.duplicated()].iloc[0]} has more than one row; keep one row per patient")
    return dict(zip(keys, frame.to_dict("records"), strict=True))


def read_frame(file: Path, sheet: str | None = None) -> pd.DataFrame:
    """Read a table, every value as text; rows without any value are left out.

    Args:
        file: see `read_rows`.
        sheet: of an .xlsx file; None for `dataset_info`, or the first sheet.

    Raises:
        DataError: if it cannot be read.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # rows that are longer than the header
            frame = _read_excel(file, sheet) if file.suffix.lower() == ".xlsx" else _read_csv(file)
    except (OSError, ValueError, KeyError, BadZipFile, pd.errors.ParserWarning) as error:
        raise DataError(f"{file}: cannot be read as a table ({error}); save it as CSV (UTF-8) again") from None
    return frame[(frame != "").any(axis=1)]


def _read_csv(file: Path) -> pd.DataFrame:
    with file.open(encoding="utf-8-sig") as text:
        header = text.readline()
    separator = max(",;\t", key=header.count)
    frame = pd.read_csv(file, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig", index_col=False)
    return frame.replace(_DECIMAL_COMMA.pattern, r"\1.\2", regex=True) if separator == ";" else frame


def _read_excel(file: Path, sheet: str | None) -> pd.DataFrame:
    with pd.ExcelFile(file) as book:
        name = sheet or (_SHEET if _SHEET in book.sheet_names else book.sheet_names[0])
        return pd.read_excel(book, sheet_name=name, dtype=str, keep_default_na=False)


def _has(frame: pd.DataFrame) -> str:
    return f"it has {', '.join(frame.columns[:5])}{', ...' if len(frame.columns) > 5 else ''}"
