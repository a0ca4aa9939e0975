"""What a threshold meant for the training patients: of 100 on each side of it, how many had pCR."""

from __future__ import annotations

from typing import NamedTuple

from ..prediction import OperatingPoint


class Share(NamedTuple):
    """A share in [0, 1] with its 95 % interval, None if unknown."""

    value: float
    interval: tuple[float, float] | None = None

    def __str__(self) -> str:
        """Return it as a number of 100, as in "50 (38 to 62)"."""
        low, high = self.interval or (None, None)
        text = f"{100 * self.value:.0f}"
        return text if low is None or high is None else f"{text} ({100 * low:.0f} to {100 * high:.0f})"


class Frequencies(NamedTuple):
    """Share with pCR among the training patients at or above a threshold, and among those below it."""

    above: Share
    below: Share


def frequencies(point: OperatingPoint, base_rate: float | None) -> Frequencies | None:
    """Return the frequencies of an operating point; None if the model says too little.

    They are its predictive values, or follow from sensitivity and specificity at the base rate by Bayes' theorem.

    Args:
        base_rate: share of the training patients with pCR, None if unknown.
    """
    ppv, npv = point.ppv, point.npv
    if ppv is not None and npv is not None:
        low, high = point.npv_interval or (None, None)
        missed = (1 - high, 1 - low) if low is not None and high is not None else None
        return Frequencies(Share(ppv, point.ppv_interval), Share(1 - npv, missed))
    if base_rate is None or point.sensitivity is None or point.specificity is None:
        return None
    hits, misses = base_rate * point.sensitivity, base_rate * (1 - point.sensitivity)
    alarms, rest = (1 - base_rate) * (1 - point.specificity), (1 - base_rate) * point.specificity
    if not (hits + alarms and misses + rest):  # all of them on one side
        return None
    return Frequencies(Share(hits / (hits + alarms)), Share(misses / (misses + rest)))
