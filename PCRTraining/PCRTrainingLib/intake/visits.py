"""Visits in the paths of a folder's images: which part names the visit, and patterns with a placeholder for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from PCRPredictorLib.exam import VISITS
from PCRPredictorLib.reading.mapping import VISIT
from PCRPredictorLib.visits.columns import VisitColumn, number_visits, read_visit

from .names import PHASE, read_name

Parts = tuple[str, ...]  # folders and stem of a path
_MOST = 0.9  # of the images must name a visit
_OWN = re.compile(r"(?<![A-Za-z0-9])(T[0-3])(?![A-Za-z0-9])", re.IGNORECASE)


def find_visits(paths: Sequence[Parts]) -> dict[str, str]:
    """Return the text that names each visit in paths; empty if the images are of one visit, or T0 is not among them.

    The text is the name of a folder, or T0 to T3 in the name of a file. Without T0, T1 and T2 may be sequences.

    Args:
        paths: of all images, phases and masks.
    """
    depth = max((len(parts) for parts in paths), default=1)
    candidates = [_named_by_folders(paths, k) for k in range(depth - 1)] + [_named_by_files(paths)]
    for texts in candidates:
        found = sum(visit_of(parts, texts) is not None for parts in paths)
        if len(texts) > 1 and VISITS[0] in texts and found >= _MOST * len(paths):
            return {visit: texts[visit] for visit in VISITS if visit in texts}
    return {}


def visit_of(parts: Parts, texts: Mapping[str, str]) -> str | None:
    """Return the visit that a path names; None if it names none, or several.

    Args:
        parts: of the path.
        texts: of the visits.
    """
    named = {visit for visit, text in texts.items() if any(_token(text).search(part) for part in parts)}
    return named.pop() if len(named) == 1 else None


def of_visit(paths: Iterable[Parts], texts: Mapping[str, str], visit: str) -> list[bool]:
    """Return for each path whether it is of a visit, or of none."""
    return [visit_of(parts, texts) in (visit, None) for parts in paths]


def with_placeholder(pattern: str, texts: Mapping[str, str]) -> str:
    """Return a pattern of the files of the first visit with `{visit}` instead of its text."""
    return _token(texts[VISITS[0]]).sub(VISIT, pattern)


def _token(text: str) -> re.Pattern[str]:
    """Return a pattern that finds a text unless it is a part of a longer word or number."""
    return re.compile(rf"(?<![A-Za-z0-9]){re.escape(text)}(?![A-Za-z0-9])", re.IGNORECASE)


def _named_by_folders(paths: Sequence[Parts], k: int) -> dict[str, str]:
    """Return visit to name of the folders at a depth, empty unless each of them names a different visit."""
    names = sorted({parts[k] for parts in paths if len(parts) > k + 1})
    read = {name: column for name in names if (column := _read(name)) is not None}
    if not read or 2 * len(read) <= len(names):
        return {}
    others = {(*parts[:k], *parts[k + 1 : -1]) for parts in paths if len(parts) > k + 1}
    is_told = all(column.visit or column.prefix == "t" for column in read.values())
    return _place(read) if is_told or len(others) > 1 else {}  # V1 and V2 alone may be patients


def _named_by_files(paths: Sequence[Parts]) -> dict[str, str]:
    texts = {found[1] for parts in paths if (found := _OWN.search(parts[-1]))}
    return {text.upper(): text for text in sorted(texts)}


def _read(name: str) -> VisitColumn | None:
    """Return what the name of a folder says of a visit; a phase, or a number alone, is none."""
    said = read_name(name)
    if said.kind == PHASE and not said.rest.strip("\0 _-."):
        return None
    column = read_visit(name)
    return column if column is not None and (column.visit or column.prefix) else None


def _place(read: Mapping[str, VisitColumn]) -> dict[str, str]:
    """Return visit to name; empty if two names are of one visit."""
    numbered = number_visits(read.values())
    if numbered is None:
        return {}
    found = {column.visit or numbered[column.prefix, column.number or 0]: name for name, column in read.items()}
    return found if len(found) == len(read) else {}
