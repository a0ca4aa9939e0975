"""Metrics on arrays: discrimination, calibration, fairness, intervals and paired tests. No network, no files.

Arrays are (N,): `label` 0 or 1, `score` higher for pCR, `probability` in [0, 1], `decision` bool. `age_bin`,
`finite` and `matched_sensitivity` are ours.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, rankdata
from sklearn.metrics import roc_curve

_LEAST_IN_BIN, _MOST_BINS = 10, 10  # patients in a bin of a calibration curve; bins


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % interval; nan if unknown."""

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float | None]:
        """Return plain values, None for nan."""
        return {name: finite(value) for name, value in vars(self).items()}


@dataclass(frozen=True)
class Estimate:
    """A value and the variance of its error; nan if it cannot be estimated."""

    value: float
    variance: float

    @property
    def interval(self) -> Interval:
        """The value with its 95 % interval, normal."""
        half = float(norm.ppf(0.975)) * math.sqrt(self.variance) if self.variance >= 0 else math.nan
        return Interval(self.value, self.value - half, self.value + half)


@dataclass(frozen=True)
class Rates:
    """Sensitivity and specificity of a decision; nan if the class is absent."""

    sensitivity: float
    specificity: float

    @property
    def balanced_accuracy(self) -> float:
        """Return their mean."""
        return (self.sensitivity + self.specificity) / 2


@dataclass(frozen=True)
class DeLong:
    """Difference of two AUCs on the same patients, its 95 % interval and two-sided p; nan if unknown."""

    difference: float
    low: float
    high: float
    p: float

    def to_json(self) -> dict[str, float | None]:
        """Return plain values, None for nan."""
        return {name: finite(value) for name, value in vars(self).items()}


def finite(value: float) -> float | None:
    """Return None instead of nan, for JSON."""
    return value if math.isfinite(value) else None


def auc(score: np.ndarray, label: np.ndarray) -> float:
    """Return the area under the ROC curve, from ranks; ties count half; nan if a class is absent.

    It equals scikit-learn's to 2e-16 and is 25 times as fast, as the bootstrap needs thousands. Equal areas are equal
    to the last bit, which the choice of an epoch relies on.

    Source: Hanley and McNeil, Radiology 1982.
    """
    positives = int(label.sum())
    negatives = len(label) - positives
    if not positives or not negatives:
        return math.nan
    ranks = rankdata(score)[label == 1].sum()
    return float((ranks - positives * (positives + 1) / 2) / (positives * negatives))


def rates(decision: np.ndarray, label: np.ndarray) -> Rates:
    """Return sensitivity and specificity. Source: Altman and Bland, BMJ 1994."""
    positive = label == 1
    return Rates(
        float(decision[positive].mean()) if positive.any() else math.nan,
        float(1 - decision[~positive].mean()) if not positive.all() else math.nan,
    )


def roc_points(score: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return false positive rate and sensitivity at every threshold, both rising from 0 to 1. Source: Fawcett, 2006."""
    false_rate, sensitivity, _ = roc_curve(label, score)
    return false_rate, sensitivity


def sensitivity_at(score: np.ndarray, label: np.ndarray, specificity: float) -> float:
    """Return the highest sensitivity among thresholds of at least this specificity; equal scores are decided together.

    From ranks, as `auc`: 40 times as fast as through scikit-learn's curve, and the bootstrap needs thousands.

    Source: as `roc_points`.
    """
    negatives = np.sort(score[label == 0])[::-1]
    allowed = int(len(negatives) * (1 - specificity + 1e-9))  # negatives that may be called positive
    if allowed >= len(negatives):
        return 1.0
    return float((score[label == 1] > negatives[allowed]).mean())


def matched_sensitivity(
    order: np.ndarray, reference: np.ndarray, label: np.ndarray, part: np.ndarray | None = None
) -> float:
    """Return the sensitivity of a model at the specificity of a reference, part by part.

    In each part, as many patients without pCR are above the model's threshold as the reference decided to be, or fewer
    if scores are equal. A reference compared with itself is treated like any other model.

    Args:
        order: (N,), by which the model ranks the patients.
        reference: (N,) bool, decisions of the reference.
        label: (N,), 0 or 1.
        part: (N,), patients of one threshold of the reference; None if it has one for all.

    Returns:
        The share of patients with pCR above the threshold of their part; those of a part without patients without pCR
        do not count. nan if none count.
    """
    _, number = (None, np.zeros(len(label), int)) if part is None else np.unique(part, return_inverse=True)
    negative = label == 0
    scores, of = order[negative], number[negative]
    scores = scores[np.lexsort((-scores, of))]  # highest first, part by part
    count = np.bincount(of, minlength=number.max() + 1)
    allowed = np.bincount(of, reference[negative], minlength=len(count)).astype(int)
    last = np.minimum(np.cumsum(count) - count + allowed, len(scores) - 1)
    threshold = np.where(allowed < count, scores[last] if len(scores) else np.nan, -np.inf)
    counted = ~negative & (count[number] > 0)
    above = order[counted] > threshold[number[counted]]
    return float(above.mean()) if len(above) else math.nan


def wilson(value: float, patients: float) -> Interval:
    """Return a proportion with Wilson's 95 % interval; nan without patients.

    Args:
        value: the proportion, in [0, 1].
        patients: that it is of; the sum of their weights, if they have some.

    Source: Wilson, JASA 1927.
    """
    if not patients > 0 or not math.isfinite(value):
        return Interval(value, math.nan, math.nan)
    square = float(norm.ppf(0.975)) ** 2 / patients
    middle = (value + square / 2) / (1 + square)
    half = math.sqrt(square * (value * (1 - value) + square / 4)) / (1 + square)
    low, high = max(middle - half, 0.0), min(middle + half, 1.0)
    return Interval(value, min(low, value), max(high, value))


def brier(probability: np.ndarray, label: np.ndarray) -> float:
    """Return the mean squared error of the probability; nan without patients. Source: Brier, 1950."""
    return float(np.mean((probability - label) ** 2)) if len(label) else math.nan


def calibration_curve(probability: np.ndarray, label: np.ndarray, bins: int | None = None) -> list[dict[str, float]]:
    """Return mean probability and observed share in bins of about equal size, with Wilson's 95 % interval.

    Equal probabilities share a bin, so there may be fewer than `bins`.

    Args:
        bins: their number; None for ten patients or more in each, and at most ten bins.

    Returns:
        One dict per bin: predicted, observed, low, high, patients.

    Source: Van Calster et al., BMC Medicine 2019.
    """
    bins = min(max(len(label) // _LEAST_IN_BIN, 1), _MOST_BINS) if bins is None else bins
    edges = np.unique(np.quantile(probability, np.linspace(0, 1, bins + 1)))
    which = np.clip(np.searchsorted(edges, probability, side="right") - 1, 0, max(len(edges) - 2, 0))
    curve = []
    for k in np.unique(which):
        inside = which == k
        positives, count = int(label[inside].sum()), int(inside.sum())
        observed = wilson(positives / count, count)
        bounds = {"observed": observed.value, "low": observed.low, "high": observed.high}
        curve.append({"predicted": float(probability[inside].mean()), **bounds, "patients": count})
    return curve


def bootstrap(
    statistic: Callable[[np.ndarray], float],
    label: np.ndarray,
    *,
    resamples: int = 1000,
    seed: int = 0,
    within_class: bool = True,
    drawn: np.ndarray | None = None,
) -> Interval:
    """Return a statistic with its 95 % percentile interval over patients; a proportion has that of `wilson`.

    If all resamples have the same value, they say nothing of the doubt: the bounds are nan.

    Args:
        statistic: function of positions of patients, (N,) with repeats.
        within_class: resample within each class; False also varies the share with pCR, on which predictive values rest.
        drawn: from `bootstrap_values`, if they are there already.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993.
    """
    if drawn is None:
        drawn = bootstrap_values(statistic, label, resamples=resamples, seed=seed, within_class=within_class)
    low, high = np.percentile(drawn, [2.5, 97.5]) if len(drawn) and np.ptp(drawn) > 0 else (math.nan, math.nan)
    return Interval(float(statistic(np.arange(len(label)))), float(low), float(high))


def bootstrap_values(
    statistic: Callable[[np.ndarray], float],
    label: np.ndarray,
    *,
    resamples: int = 1000,
    seed: int = 0,
    within_class: bool = True,
) -> np.ndarray:
    """Return the statistic of resampled patients, (resamples,) less those without a value; arguments as `bootstrap`.

    Source: as `bootstrap`.
    """
    generator = np.random.default_rng(seed)
    strata = label if within_class else np.zeros(len(label))
    groups = [np.flatnonzero(strata == value) for value in np.unique(strata)]
    values = [
        statistic(np.concatenate([group[generator.integers(0, len(group), len(group))] for group in groups]))
        for _ in range(resamples)
    ]
    return np.array(values)[np.isfinite(values)]


def auc_difference(score: np.ndarray, other: np.ndarray, label: np.ndarray) -> tuple[float, float]:
    """Return the difference of two AUCs on the same patients, and its variance; nan without two patients of each class.

    Source: DeLong et al., Biometrics 1988, with the midranks of Sun and Xu, IEEE Signal Processing Letters 2014.
    """
    positive = label == 1
    parts = [_placements(values, positive) for values in (score, other)]
    difference = auc(score, label) - auc(other, label)
    of_positives, of_negatives = (parts[0][k] - parts[1][k] for k in (0, 1))
    few = min(len(of_positives), len(of_negatives)) < 2
    return difference, math.nan if few else float(
        sum(part.var(ddof=1) / len(part) for part in (of_positives, of_negatives))
    )


def delong(score: np.ndarray, other: np.ndarray, label: np.ndarray) -> DeLong:
    """Compare two AUCs on the same patients; interval and p need at least two patients of each class.

    Source: as `auc_difference`.
    """
    difference, variance = auc_difference(score, other, label)
    if not variance > 0:  # only a difference of 0 can be certain
        bound, p = (difference, 1.0) if variance == difference == 0 else (math.nan, math.nan)
        return DeLong(difference, bound, bound, p)
    deviation = math.sqrt(variance)
    p = 2 * float(norm.sf(abs(difference) / deviation))
    low, high = norm.interval(0.95, difference, deviation)
    return DeLong(difference, float(low), float(high), p)


def _placements(score: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return for each positive the share of negatives below it, for each negative the share of positives above it."""
    ranks = rankdata(score)
    here, there = score[positive], score[~positive]
    above = (ranks[positive] - rankdata(here)) / len(there)
    below = 1 - (ranks[~positive] - rankdata(there)) / len(here)
    return above, below


def challenge_score(decision: np.ndarray, label: np.ndarray, groups: Mapping[str, np.ndarray]) -> float:
    """Return the score of the MAMA-MIA challenge: half balanced accuracy, half fairness.

    Fairness is 1 minus the mean over the variables of the largest difference of (TPR + FPR) between two groups, and
    at least 0. Patients of unknown group and groups that lack a class do not count.

    Args:
        groups: variable to (N,) text, empty where unknown.

    Source: the MAMA-MIA challenge, MICCAI 2025.
    """
    spreads = []
    for values in groups.values():
        found = [rates(decision[values == group], label[values == group]) for group in set(values.tolist()) - {""}]
        sums = [r.sensitivity + 1 - r.specificity for r in found if math.isfinite(r.balanced_accuracy)]
        if sums:
            spreads.append(max(sums) - min(sums))
    if not spreads:
        return math.nan
    fairness = max(1 - float(np.mean(spreads)), 0.0)
    return 0.5 * rates(decision, label).balanced_accuracy + 0.5 * fairness


AGE_BINS = ("up to 40", "41 to 50", "51 to 60", "61 to 70", "over 70")


def age_bin(age: float) -> str:
    """Return the group of an age in years; empty for nan."""
    if math.isnan(age):
        return ""
    return next((name for limit, name in zip((40, 50, 60, 70), AGE_BINS, strict=False) if age <= limit), AGE_BINS[-1])
