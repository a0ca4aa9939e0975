"""How the tumours of a trial's responders and non-responders went over the visits, for charts."""

from __future__ import annotations

from dataclasses import dataclass

from .inputs import EXACT


@dataclass(frozen=True)
class Band:
    """The middle half of a trial's patients in one quantity at one visit.

    Args:
        quantity, visit: names.
        responders: True for the patients with pCR, False for those without.
        low, median, high: 25th, 50th and 75th percentile, in the quantity's unit.
        patients: whose value is known.
    """

    __pydantic_config__ = EXACT

    quantity: str
    visit: str
    responders: bool
    low: float
    median: float
    high: float
    patients: int


@dataclass(frozen=True)
class Bands:
    """The bands of a model; a quantity or visit that the trial lacks has none."""

    __pydantic_config__ = EXACT

    bands: tuple[Band, ...] = ()

    def of(self, quantity: str, responders: bool) -> dict[str, Band]:
        """Return the bands of a quantity by visit."""
        return {b.visit: b for b in self.bands if (b.quantity, b.responders) == (quantity, responders)}
