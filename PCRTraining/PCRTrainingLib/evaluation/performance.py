"""How well one model does, in plain values: discrimination, decisions, calibration and what a decision is worth.

Every value has its 95 % interval over patients, Wilson's if it is a proportion of them, and, if the model is a mean of
several, over seeds or the networks of the folds, see `variability`. Arrays are (N,) of the patients of a cohort.
"""

from collections.abc import Callable

import numpy as np

from ..statistics import calibration, metrics
from ..statistics.benefit import BENEFIT_THRESHOLDS, PREVALENCES, benefits, predictive_values
from ..statistics.metrics import Estimate, Interval
from ..statistics.operating import Outcome
from ..statistics.variability import FromDraws, Statistic, estimate, measure, measure_share

FIXED_SPECIFICITY = 0.8  # at which sensitivities can be compared between cohorts and shares with pCR
_FEWER = 300  # resamples of what takes long


def describe_performance(outcome: Outcome, label: np.ndarray) -> dict[str, object]:
    """Return the metrics of one model."""

    def at_fixed_specificity(found: Outcome, i: np.ndarray) -> float:
        return metrics.sensitivity_at(found.order[i], label[i], FIXED_SPECIFICITY)

    def brier(found: Outcome, i: np.ndarray) -> float:
        return metrics.brier(found.probability[i], label[i])

    return {
        "auc": measure_auc(outcome, label).to_json(),
        "interval_over": f"patients and {outcome.drawn}" if outcome.draws else "patients",
        "draws": max(len(outcome.draws), 1),
        "operating_point": {"name": outcome.point, "threshold": outcome.threshold},
        "sensitivity": measure_share(_rate("sensitivity", label), outcome, label, int((label == 1).sum())).to_json(),
        "specificity": measure_share(_rate("specificity", label), outcome, label, int((label == 0).sum())).to_json(),
        "balanced_accuracy": measure(_rate("balanced_accuracy", label), outcome, label).to_json(),
        "sensitivity_at_specificity_80": measure(at_fixed_specificity, outcome, label).to_json(),
        "brier": measure(brier, outcome, label).to_json(),
        "calibration": describe_calibration(outcome, label),
        "decision_curve": decision_curve(outcome, label),
        "predictive_values": [_at_prevalence(outcome, label, prevalence) for prevalence in PREVALENCES],
        "frequencies": describe_frequencies(outcome, label),
    }


def measure_auc(outcome: Outcome, label: np.ndarray) -> Interval:
    """Return the AUC of a model with its interval."""
    return measure(lambda found, i: metrics.auc(found.order[i], label[i]), outcome, label)


def describe_calibration(outcome: Outcome, label: np.ndarray) -> dict[str, object]:
    """Return slope and intercept of the logistic recalibration, calibration in the large and the integrated index."""
    functions = {
        "slope": calibration.calibration_slope,
        "intercept": calibration.calibration_intercept,
        "in_the_large": calibration.calibration_in_the_large,
    }

    def index(found: Outcome, i: np.ndarray) -> float:
        return calibration.integrated_calibration_index(found.probability[i], label[i])

    return {
        **{name: _estimate(function, outcome, label).to_json() for name, function in functions.items()},
        "integrated_index": measure(index, outcome, label, resamples=_FEWER, within_class=False).to_json(),
    }


def _estimate(function: Callable[[np.ndarray, np.ndarray], Estimate], outcome: Outcome, label: np.ndarray) -> Interval:
    """Return a coefficient with the interval of its variance over patients and draws."""
    found = function(outcome.probability, label)
    draws = FromDraws.of([function(draw.probability, label).value for draw in outcome.draws])
    return estimate(found.value, found.variance, draws)


def decision_curve(outcome: Outcome, label: np.ndarray) -> list[dict[str, object]]:
    """Return threshold, net benefit of the model, and that of deciding for pCR in everybody; in nobody it is 0."""
    curve = []
    for threshold in BENEFIT_THRESHOLDS:
        each = benefits(outcome.probability, label, threshold)
        draws = FromDraws.of([float(benefits(d.probability, label, threshold).mean()) for d in outcome.draws])
        net = estimate(float(each.mean()), float(each.var(ddof=1)) / len(each), draws)
        everybody = float(benefits(np.ones(len(label)), label, threshold).mean())
        curve.append({"threshold": threshold, "net_benefit": net.to_json(), "everybody": everybody})
    return curve


def describe_frequencies(outcome: Outcome, label: np.ndarray) -> dict[str, dict[str, object]]:
    """Return how many patients were above and below the threshold, and the share of each with pCR."""

    def share(*, above: bool) -> Statistic:
        def of(found: Outcome, i: np.ndarray) -> float:
            inside = found.decision[i] == above
            return float(label[i][inside].mean()) if inside.any() else np.nan

        return of

    found = {}
    for name, above in (("above", True), ("below", False)):
        patients = int((outcome.decision == above).sum())
        with_pcr = measure_share(share(above=above), outcome, label, patients)
        found[name] = {"patients": patients, "with_pcr": with_pcr.to_json()}
    return found


def _at_prevalence(outcome: Outcome, label: np.ndarray, prevalence: float) -> dict[str, object]:
    """Return PPV and NPV where this share of the patients has pCR."""

    def value(number: int) -> Statistic:
        return lambda found, i: predictive_values(metrics.rates(found.decision[i], label[i]), prevalence)[number]

    names = ("ppv", "npv")
    return {"prevalence": prevalence, **{n: measure(value(k), outcome, label).to_json() for k, n in enumerate(names)}}


def _rate(name: str, label: np.ndarray) -> Statistic:
    """Return a field of `Rates` as a statistic."""
    return lambda found, i: getattr(metrics.rates(found.decision[i], label[i]), name)
