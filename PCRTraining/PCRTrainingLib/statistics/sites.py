"""Results of several sites as one: their plain mean, and a random-effects summary."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit
from scipy.stats import chi2, norm, t

from .metrics import DeLong, Estimate, Interval, auc, delong, finite


@dataclass(frozen=True)
class Summary:
    """A random-effects summary of S sites.

    Args:
        mean: of the sites that the measured ones are a sample of, with its 95 % interval.
        new_site: range in which 95 % of the values at new sites are expected; nan for fewer than three sites.
        spread: standard deviation between sites (tau), on the scale of the summary.
        inconsistency: share of the variation that is not chance (I squared), in [0, 1].
        p: of the sites having one value (Cochran's Q).
        sites: S.
    """

    mean: Interval
    new_site: tuple[float, float]
    spread: float
    inconsistency: float
    p: float
    sites: int

    def to_json(self) -> dict[str, object]:
        """Return plain values, None for nan."""
        return {
            **self.mean.to_json(),
            "new_site": [finite(bound) for bound in self.new_site],
            "spread": finite(self.spread),
            "inconsistency": finite(self.inconsistency),
            "p_of_one_value": finite(self.p),
            "sites": self.sites,
        }


def mean_over_sites(estimates: Sequence[Estimate]) -> Interval:
    """Return the plain mean of independent sites (macro mean) with its 95 % interval for these sites, normal."""
    values, variances = _columns(estimates)
    return Estimate(float(values.mean()), float(variances.sum()) / len(values) ** 2).interval


def random_effects(estimates: Sequence[Estimate]) -> Summary:
    """Summarise sites whose true values differ; sites without a variance do not count.

    Source: DerSimonian and Laird, Controlled Clinical Trials 1986; range at a new site: Higgins, Thompson and
    Spiegelhalter, JRSS A 2009; inconsistency: Higgins and Thompson, Statistics in Medicine 2002.
    """
    known = [each for each in estimates if math.isfinite(each.value) and each.variance > 0]
    if not known:
        nothing = Interval(math.nan, math.nan, math.nan)
        return Summary(nothing, (math.nan, math.nan), math.nan, math.nan, math.nan, 0)
    (values, variances), freedom = _columns(known), len(known) - 1
    weights = 1 / variances
    q = float((weights * (values - np.average(values, weights=weights)) ** 2).sum())
    between = max(0.0, (q - freedom) / float(weights.sum() - (weights**2).sum() / weights.sum())) if freedom else 0.0
    weights = 1 / (variances + between)
    mean, variance = float(np.average(values, weights=weights)), float(1 / weights.sum())
    reach = float(t.ppf(0.975, freedom - 1)) * math.sqrt(between + variance) if freedom > 1 else math.nan
    return Summary(
        Estimate(mean, variance).interval,
        (mean - reach, mean + reach),
        math.sqrt(between) if freedom else math.nan,
        max(0.0, 1 - freedom / q) if freedom and q else 0.0,
        float(chi2.sf(q, freedom)) if freedom else math.nan,
        len(known),
    )


def auc_random_effects(estimates: Sequence[Estimate], counts: Sequence[tuple[int, int]]) -> Summary:
    """Summarise AUCs on the logit scale, where they are near normal, and return the summary as AUCs.

    Args:
        counts: patients with and without pCR of each site; an AUC of 0 or 1 counts as half a pair away from it.

    Source: as `random_effects`; the scale after Debray et al., Statistical Methods in Medical Research 2019.
    """
    scaled = []
    for estimate, (positives, negatives) in zip(estimates, counts, strict=True):
        edge = 0.5 / (positives * negatives)
        value = min(max(estimate.value, edge), 1 - edge)
        variance = estimate.variance if estimate.variance > 0 else edge**2
        scaled.append(Estimate(float(logit(value)), variance / (value * (1 - value)) ** 2))
    found = random_effects(scaled)
    mean = Interval(*(float(expit(x)) for x in (found.mean.value, found.mean.low, found.mean.high)))
    low, high = (float(expit(bound)) for bound in found.new_site)
    return Summary(mean, (low, high), found.spread, found.inconsistency, found.p, found.sites)


def estimate_auc(orders: Sequence[np.ndarray], label: np.ndarray) -> Estimate:
    """Return the AUC of a prediction that is the mean over seeds, with the variance over patients and over seeds.

    Args:
        orders: (N,) of each seed.
        label: (N,) 0 or 1.

    Source: DeLong et al., Biometrics 1988, for the patients; the seeds add the variance of a mean of their AUCs.
    """
    mean = np.mean(orders, 0)
    against_chance = delong(mean, np.zeros(len(mean)), label)
    of_seeds = _of_seeds([auc(order, label) for order in orders])
    return Estimate(auc(mean, label), _variance(against_chance) + of_seeds)


def estimate_difference(orders: Sequence[np.ndarray], others: Sequence[np.ndarray], label: np.ndarray) -> Estimate:
    """Return the difference of two AUCs on the same patients, as `estimate_auc`.

    Args:
        orders, others: (N,) of each seed.
        label: (N,) 0 or 1.
    """
    found = delong(np.mean(orders, 0), np.mean(others, 0), label)
    per_seed = [auc(one, label) - auc(other, label) for one, other in zip(orders, others, strict=True)]
    return Estimate(found.difference, _variance(found) + _of_seeds(per_seed))


def _variance(found: DeLong) -> float:
    return float(((found.high - found.low) / 2 / norm.ppf(0.975)) ** 2)


def _of_seeds(values: Sequence[float]) -> float:
    return float(np.var(values, ddof=1) / len(values)) if len(values) > 1 else 0.0


def _columns(estimates: Sequence[Estimate]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([each.value for each in estimates]), np.array([each.variance for each in estimates])
