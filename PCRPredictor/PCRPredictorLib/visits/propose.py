"""Which visit each study of a patient probably is, by the days between them: a proposal that the user confirms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

from ..errors import DataError
from ..formatting import count
from ..response.course import VISITS
from .studies import Studies, Study

ASIDE = "-"  # instead of a visit's name: the study is left aside
_USUAL = {"T1": 21, "T2": 84, "T3": 150}  # days after T0
_PAUSE = 200  # days without an exam: what was before is not of this treatment


def propose_visits(exams: Sequence[Study]) -> tuple[str, ...] | None:
    """Return the name of a visit for each study in the order of time, `ASIDE` for one that is left aside.

    The first exam of the last treatment is T0; each later one is the visit whose usual day is nearest. Without dates
    the names follow each other.

    Returns:
        None if there is no proposal: two studies on one day, both breasts, more than four, or none that can be read.
    """
    usable = len({study.side for study in exams} - {None}) < 2 and all(study.exam is not None for study in exams)
    return propose_by_days([study.day for study in exams]) if usable else None


def propose_by_days(days: Sequence[int | None]) -> tuple[str, ...] | None:
    """Return names as `propose_visits` for exams of these days, in the order of time.

    Args:
        days: after any first day, None if a date is unknown.
    """
    if len(days) < 2:
        return None
    if None in days:
        return VISITS[: len(days)] if len(days) <= len(VISITS) else None
    known = [day for day in days if day is not None]
    if len(set(known)) < len(known):
        return None
    first = max((k for k in range(1, len(known) - 1) if known[k] - known[k - 1] > _PAUSE), default=0)
    later = [day - known[first] for day in known[first + 1 :]]
    if len(later) > len(_USUAL):
        return None
    names = min(combinations(_USUAL, len(later)), key=lambda chosen: _distance(chosen, later))
    return (*[ASIDE] * first, "T0", *names)


def parse_visits(words: Sequence[str], exams: Sequence[Study]) -> tuple[str, ...]:
    """Return the name of a visit for each study, as the user gave them.

    Raises:
        DataError: if there is not one word for each study, a word is no visit, or a visit is named twice.
    """
    if len(words) != len(exams):
        raise DataError(
            f"--studies must have a visit, or {ASIDE}, for each of the {len(exams)} studies, got {len(words)}; "
            f"for example --studies {' '.join(example(exams))}"
        )
    return check_names(words)


def check_names(words: Sequence[str]) -> tuple[str, ...]:
    """Return names of visits in capitals.

    Raises:
        DataError: if one is unknown or given twice.
    """
    names = tuple(word.strip().upper() for word in words)
    for word, name in zip(words, names, strict=True):
        if name not in (*VISITS, ASIDE):
            raise DataError(
                f"a visit must be one of {', '.join(VISITS)}, got {word or 'nothing'}; T0 is before treatment"
            )
    if twice := [name for name in names if name != ASIDE and names.count(name) > 1]:
        raise DataError(f"{twice[0]} is given twice; give each visit one exam")
    return names


def example(exams: Sequence[Study]) -> tuple[str, ...]:
    """Return the proposal, or names that show how to choose."""
    return propose_visits(exams) or tuple((*VISITS, *[ASIDE] * len(exams))[: len(exams)])


def list_studies(found: Studies, names: Sequence[str] | None = None) -> list[str]:
    """Return a line for each study that may be an exam, with the visit that is proposed, and for each left aside."""
    names = names or [""] * len(found.exams)
    lines = [
        f"study {k}: {study.describe()}{f' -> {name}' if name else ''}"
        for k, (study, name) in enumerate(zip(found.exams, names, strict=True), 1)
    ]
    lines += [f"not used: study of {study.describe()}" for study in found.left_aside]
    if found.lost:
        first = found.lost[0]
        lines.append(f"not used: {count(len(found.lost), 'file')} of no study (the first {first.reason})")
    return lines


def _distance(names: Sequence[str], days: Sequence[int]) -> float:
    return sum(abs(math.log(max(day, 1) / _USUAL[name])) for name, day in zip(names, days, strict=True))
