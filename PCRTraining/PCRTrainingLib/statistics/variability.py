"""Intervals and tests over patients and over draws of the training: seeds, or the networks of the folds.

A value of S draws has the variance V = V_patients + s^2 / S. V_patients is that over patients, with the draws as they
are; s is the standard deviation of the value of single draws on the same patients. As s also contains what differs
between draws and patients together, of which V_patients has a part already, V is a little too large. Student's t with
Satterthwaite's degrees of freedom, nu = V^2 / ((s^2 / S)^2 / (S - 1)), accounts for few draws.

A single draw says nothing of s: the interval is then over patients alone.

Sources: draws and patients as readers and cases, Obuchowski and Rockette, Communications in Statistics 1995, and
Gallas, Academic Radiology 2006; degrees of freedom, Satterthwaite, Biometrics Bulletin 1946. Adding the two up is ours.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.stats import norm, t

from .metrics import Interval, bootstrap, bootstrap_values, wilson
from .operating import Outcome

_NORMAL = float(norm.ppf(0.975))
Statistic = Callable[[Outcome, np.ndarray], float]  # of an outcome and positions of patients, (n,) with repeats


@dataclass(frozen=True)
class FromDraws:
    """The part of a variance that comes from the draws, s^2 / S, with its degrees of freedom; 0 if it is unknown."""

    variance: float = 0.0
    degrees: float = math.inf

    @classmethod
    def of(cls, values: Sequence[float]) -> "FromDraws":
        """Return that of the values of single draws."""
        known = [value for value in values if math.isfinite(value)]
        if len(known) < 2 or len(set(known)) == 1:
            return cls()
        return cls(float(np.var(known, ddof=1)) / len(known), len(known) - 1)

    def __add__(self, other: "FromDraws") -> "FromDraws":
        """Return that of the sum, or difference, of two independent values."""
        parts = [part for part in (self, other) if part.variance]
        total = sum(part.variance for part in parts)
        return FromDraws(total, total**2 / sum(p.variance**2 / p.degrees for p in parts)) if parts else FromDraws()

    def quantile(self, patients: float) -> float:
        """Return the factor that makes 95 % of the standard deviation of V, given the variance over patients."""
        return float(t.ppf(0.975, self.total_degrees(patients))) if self.variance else _NORMAL

    def total_degrees(self, patients: float) -> float:
        """Return the degrees of freedom of V, given the variance over patients."""
        return (patients + self.variance) ** 2 / (self.variance**2 / self.degrees) if self.variance else math.inf


@dataclass(frozen=True)
class Difference:
    """A difference on the same patients, its 95 % interval and two-sided p; nan if unknown."""

    difference: float
    low: float
    high: float
    p: float

    @property
    def interval(self) -> Interval:
        """Return the difference as a value with its interval."""
        return Interval(self.difference, self.low, self.high)


def measure(
    statistic: Statistic, outcome: Outcome, label: np.ndarray, *, resamples: int = 1000, within_class: bool = True
) -> Interval:
    """Return a statistic in [0, 1] with its 95 % interval over patients and, if the outcome has any, over its draws.

    Args:
        label: (N,), 0 or 1.
        resamples, within_class: of the bootstrap, see `metrics.bootstrap`.
    """
    of_patients = partial(statistic, outcome)
    drawn = bootstrap_values(of_patients, label, resamples=resamples, within_class=within_class)
    interval = bootstrap(of_patients, label, drawn=drawn)
    everyone = np.arange(len(label))
    found = FromDraws.of([statistic(draw, everyone) for draw in outcome.draws])
    return within_bounds(widen(interval, float(np.var(drawn, ddof=1)) if len(drawn) > 1 else 0.0, found))


def measure_share(statistic: Statistic, outcome: Outcome, label: np.ndarray, patients: int) -> Interval:
    """Return a proportion of patients with Wilson's 95 % interval and, if the outcome has any, that over its draws.

    Args:
        label: (N,), 0 or 1.
        patients: number that the proportion is of.
    """
    everyone = np.arange(len(label))
    interval = wilson(statistic(outcome, everyone), patients)
    found = FromDraws.of([statistic(draw, everyone) for draw in outcome.draws])
    return within_bounds(widen(interval, ((interval.high - interval.low) / (2 * _NORMAL)) ** 2, found))


def within_bounds(interval: Interval) -> Interval:
    """Return the interval of a share, cut to [0, 1]."""
    return Interval(interval.value, max(interval.low, 0.0), min(interval.high, 1.0))


def widen(interval: Interval, patients: float, draws: FromDraws) -> Interval:
    """Return an interval over patients, widened by the draws; its two sides keep their ratio.

    Args:
        interval: over patients.
        patients: variance over patients.
    """
    if not draws.variance or not math.isfinite(interval.low):
        return interval
    half = draws.quantile(patients) * math.sqrt(patients + draws.variance)
    if not patients > 0:  # the patients leave no doubt
        return Interval(interval.value, interval.value - half, interval.value + half)
    factor = half / (_NORMAL * math.sqrt(patients))
    low, high = (interval.value + factor * (bound - interval.value) for bound in (interval.low, interval.high))
    return Interval(interval.value, low, high)


def estimate(value: float, patients: float, draws: FromDraws) -> Interval:
    """Return a value with its 95 % interval; nan without a variance.

    Args:
        patients: variance over patients.
    """
    half = draws.quantile(patients) * math.sqrt(patients + draws.variance)
    return Interval(value, value - half, value + half)


def infer(difference: float, patients: float, draws: FromDraws) -> Difference:
    """Return a difference with the interval and the p of its variance; 0 without any variance is certain, with p 1.

    Args:
        difference: of two models.
        patients: variance over patients; nan if unknown.
    """
    total = patients + draws.variance
    if not total > 0:  # only a difference of 0 can be certain
        bound, p = (difference, 1.0) if total == difference == 0 else (math.nan, math.nan)
        return Difference(difference, bound, bound, p)
    deviation, half = math.sqrt(total), draws.quantile(patients) * math.sqrt(total)
    law = t(draws.total_degrees(patients)) if draws.variance else norm
    p = 2 * float(law.sf(abs(difference) / deviation))
    return Difference(difference, difference - half, difference + half, p)


def adjust_p(p: Sequence[float | None]) -> list[float | None]:
    """Return p adjusted for the number of comparisons, in the same order; None stays None and does not count.

    Source: Holm, Scandinavian Journal of Statistics 1979.
    """
    known = sorted((value, k) for k, value in enumerate(p) if value is not None)
    adjusted: list[float | None] = [None] * len(p)
    highest = 0.0
    for rank, (value, k) in enumerate(known):
        highest = max(highest, min((len(known) - rank) * value, 1.0))
        adjusted[k] = highest
    return adjusted
