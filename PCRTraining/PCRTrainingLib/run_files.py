"""Files that a run, a cache or a federation keeps for itself. They may be damaged: by a disk, by hand, by a program."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PCRPredictorLib.errors import DataError
from PCRPredictorLib.formatting import as_line
from PCRPredictorLib.writing import read_csv

_ADVICE = "restore it, or begin in a new folder"
_NO_FILE = "it is no file"  # a pipe would wait for ever
_SHOWN = 120  # characters of the reason


@contextmanager
def refusing_damage(path: Path, advice: str = _ADVICE) -> Iterator[None]:
    """Refuse a damaged file in one sentence, whatever reading it raises; a missing one stays a `FileNotFoundError`.

    Args:
        path: file that the block reads, and does nothing else.
        advice: what to do.

    Raises:
        DataError: if it cannot be read.
    """
    try:
        if path.exists() and not path.is_file():
            raise OSError(_NO_FILE)
        yield
    except (DataError, FileNotFoundError):
        raise
    except Exception as error:  # readers of JSON, tables and weights raise many kinds
        reason = as_line(f"{error}" if isinstance(error, ValueError | OSError) else type(error).__name__, _SHOWN)
        raise DataError(f"{path}: is damaged ({reason}); {advice}") from None


def read_content(path: Path, advice: str = _ADVICE) -> Any:  # noqa: ANN401
    """Return the content of a JSON file.

    Raises:
        FileNotFoundError: if there is none.
        DataError: if it is damaged.
    """
    with refusing_damage(path, advice):
        return json.loads(path.read_text(encoding="utf-8"))


def read_kept_rows(path: Path, *columns: str) -> list[dict[str, str]]:
    """Return the rows of a table, column to text.

    Args:
        columns: that it must have.

    Raises:
        FileNotFoundError: if there is none.
        DataError: if it is damaged.
    """
    with refusing_damage(path):
        rows = read_csv(path)
        if rows and (missing := [name for name in columns if name not in rows[0]]):
            raise ValueError(f"no column {missing[0]}")
    return rows


def check_kinds(path: Path, found: Mapping[str, Any], examples: Mapping[str, Any]) -> None:
    """Refuse values of other kinds than those of examples; a missing value is none.

    Args:
        path: file that the values come from.
        examples: name to a value of the right kind; None is a missing text.

    Raises:
        DataError: if one differs.
    """
    for name, example in examples.items():
        with refusing_damage(path):
            if not _is_alike(found.get(name, example), example):
                raise ValueError(f"{name} is of a wrong kind")


def _is_alike(value: object, example: object) -> bool:
    if isinstance(example, list):
        kind = type(example[0]) if example else (str, int)
        return isinstance(value, list) and all(isinstance(item, kind) for item in value)
    if isinstance(example, float):
        return isinstance(value, int | float)
    if example is None or isinstance(example, str):
        return value is None or isinstance(value, str)
    return isinstance(value, type(example))
