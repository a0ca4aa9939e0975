"""When a watch looks, and how the user says so."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta

from ..pacs.studies import Query

_UNITS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_LONGEST = 7 * 86400
LEAST_EVERY_S = 1.0  # between two looks; more often, the PACS would have little else to do


@dataclass(frozen=True)
class Pace:
    """When to look.

    Args:
        every: seconds between two looks.
        settle: seconds that a study must not change for before it is predicted.
        days: of the study date, up to today, that are looked at; 0 for any date.
    """

    every: float = 60.0
    settle: float = 120.0
    days: int = 14

    def limit(self, query: Query) -> Query:
        """Return what a study must match today; dates that are given stay."""
        if query.date or not self.days:
            return query
        first, last = date.today() - timedelta(self.days), date.today() + timedelta(1)  # as late as anywhere
        return replace(query, date=f"{first:%Y%m%d}-{last:%Y%m%d}")


def read_seconds(text: str, least: float = 0.0) -> float:
    """Return the seconds of "90", "90s", "2m" or "1h".

    Args:
        least: seconds that it must be.

    Raises:
        ValueError: with a sentence, if it is no such time.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip().lower())
    if not found or found[2] not in _UNITS or float(found[1]) * _UNITS[found[2]] > _LONGEST:
        raise ValueError(f"must be a time of up to 7 days such as 90s, 2m or 1h, got {text!r}")
    seconds = float(found[1]) * _UNITS[found[2]]
    if seconds < least:
        raise ValueError(f"must be at least {least:g} s, got {text!r}")
    return seconds
