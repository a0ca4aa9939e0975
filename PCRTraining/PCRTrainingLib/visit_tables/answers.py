"""Cells of the label and of clinical variables, read as `pcr init` and cohorts read them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from PCRPredictorLib.answers import fold
from PCRPredictorLib.clinical import Category, is_missing
from PCRPredictorLib.formatting import count
from PCRPredictorLib.reading.labels import parse_label

from ..schema import KNOWN

_SHOWN = 3


@dataclass(frozen=True)
class Answers:
    """What the cells of a column say.

    Args:
        values: of each cell, None if it is empty or cannot be used.
        problem: about those that cannot be used, "" if there are none.
    """

    values: list[object]
    problem: str = ""


def read_label_cells(_ours: str, cells: Sequence[str], meanings: Mapping[str, str]) -> Answers:
    """Return 1 or 0 for each cell of the label.

    Args:
        meanings: of cells, "1" and "0".
    """
    return _read(cells, meanings, parse_label)


def read_clinical_cells(ours: str, cells: Sequence[str], meanings: Mapping[str, str]) -> Answers:
    """Return the value of a clinical variable for each cell, as `schema.KNOWN` names it.

    Args:
        ours: name of the variable.
        meanings: of cells, "" for one that is not known.
    """
    variable = KNOWN.get(ours)
    if variable is None:
        return Answers([None] * len(cells))
    comma = (lambda text: text) if isinstance(variable, Category) else (lambda text: text.replace(",", "."))
    return _read(cells, meanings, lambda text: variable.parse(comma(text)))


def _read(cells: Sequence[str], meanings: Mapping[str, str], parse: Callable[[str], object]) -> Answers:
    known = {fold(text): meaning for text, meaning in meanings.items()}
    values: list[object] = []
    unread = []
    for cell in cells:
        text = known.get(fold(cell), cell.strip())
        try:
            values.append(None if is_missing(text) else parse(text))
        except ValueError:
            values.append(None)
            unread.append(cell)
    shown = ", ".join(map(repr, list(dict.fromkeys(unread))[:_SHOWN]))
    return Answers(values, f"{count(len(unread), 'cell')} not used ({shown})" if unread else "")
