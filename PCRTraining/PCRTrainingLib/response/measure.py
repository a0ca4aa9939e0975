"""How well models do at a visit, in plain values as `evaluation.description` gives them, over repeats of the folds.

The prediction of five repeats averaged is a little better than one of them. What is stated of the AUC is the mean of
the repeats, not the AUC of the mean; its interval is over patients and repeats, see `variability`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from PCRPredictorLib.response.course import Course, change
from PCRPredictorLib.visits.columns import DIAMETER, VOLUME

from ..evaluation.comparison import adjust, compare, compare_auc
from ..evaluation.description import measure_model
from ..statistics import metrics
from ..statistics.metrics import Estimate, Interval
from ..statistics.operating import Outcome
from ..statistics.variability import FromDraws, estimate, infer, within_bounds

RECEPTORS = "receptors"
Coefficient = Callable[[np.ndarray, np.ndarray], Estimate]  # of probability and label
_GROUPS = {
    ("positive", "negative"): "HR+/HER2-",
    ("positive", "positive"): "HR+/HER2+",
    ("negative", "positive"): "HR-/HER2+",
    ("negative", "negative"): "triple negative",
}
_SMALLEST = 5  # patients of a class for an AUC


def receptor_groups(courses: Sequence[Course]) -> np.ndarray:
    """Return the receptor type of each patient, text (N,), "" if it is not known."""
    return np.array([_GROUPS.get((str(c.clinical.get("hr")), str(c.clinical.get("her2"))), "") for c in courses])


def repeated_auc(outcome: Outcome, label: np.ndarray, inside: np.ndarray | None = None) -> Interval:
    """Return the mean AUC of the repeats with its interval; nan without two patients of each class.

    Args:
        label: (N,) 0 or 1.
        inside: bool (N,), the patients; None for all.
    """
    use = np.ones(len(label), bool) if inside is None else inside
    draws = outcome.draws or (outcome,)
    found = [metrics.auc_difference(each.order[use], np.zeros(use.sum()), label[use]) for each in draws]
    values = [difference + 0.5 for difference, _ in found]
    if not np.isfinite(values).all():
        return Interval(np.nan, np.nan, np.nan)
    return within_bounds(estimate(float(np.mean(values)), float(np.mean([v for _, v in found])), FromDraws.of(values)))


def repeated_slope(outcome: Outcome, label: np.ndarray, function: Coefficient) -> Interval:
    """Return the mean of a calibration coefficient over the repeats, with its interval.

    Args:
        outcome: with its repeats as draws.
        label: (N,) 0 or 1.
        function: of probability and label, such as `calibration.calibration_slope`.
    """
    found = [function(each.probability, label) for each in outcome.draws or (outcome,)]
    values = [each.value for each in found]
    return estimate(float(np.mean(values)), float(np.mean([each.variance for each in found])), FromDraws.of(values))


def measure_repeated(outcome: Outcome, label: np.ndarray, groups: np.ndarray) -> dict[str, Any]:
    """Return what `description.measure_model` gives, with AUCs as the mean of the repeats.

    Args:
        label: (N,) 0 or 1.
        groups: receptor type, text (N,).
    """
    known = {RECEPTORS: groups} if len(set(groups) - {""}) > 1 else {}
    found: dict[str, Any] = measure_model(outcome, label, known)
    found["auc"] = repeated_auc(outcome, label).to_json()
    draws = outcome.draws or (outcome,)
    found["auc_per_repeat"] = [metrics.auc(each.order, label) for each in draws]
    for group in found["subgroups"]:
        inside = groups == group["group"]
        fewest = min(group["positives"], group["patients"] - group["positives"])
        group["auc"] = repeated_auc(outcome, label, inside).to_json() if fewest >= _SMALLEST else None
    return found


def compare_repeated(one: Outcome, other: Outcome, label: np.ndarray) -> dict[str, Any]:
    """Return what `comparison.compare` gives, with the mean difference of the repeats' AUCs.

    Args:
        one, other: of the same patients and repeats.
        label: (N,) 0 or 1.
    """
    found: dict[str, Any] = compare(one, other, label)
    if len(one.draws) != len(other.draws) or not one.draws:
        return found
    pairs = [metrics.auc_difference(a.order, b.order, label) for a, b in zip(one.draws, other.draws, strict=True)]
    values, variance = [value for value, _ in pairs], float(np.mean([v for _, v in pairs]))
    difference = infer(float(np.mean(values)), variance, FromDraws.of(values))
    return {**found, "auc_difference": difference.interval.to_json(), "p": metrics.finite(difference.p)}


def describe_visit(
    name: str,
    outcomes: Sequence[Outcome],
    label: np.ndarray,
    groups: np.ndarray,
    left_out: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """Return a visit as `evaluation.report` shows a cohort: every model, and the first compared with each other one.

    Args:
        name: of the section.
        outcomes: of the same N patients; the first is the model.
        label: (N,) 0 or 1.
        groups: receptor type, text (N,).
        left_out: reason to the number of patients left out.
    """
    reasons = left_out or {}
    ours, *others = outcomes
    return {
        "name": name,
        "patients": len(label),
        "positives": int(label.sum()),
        "left_out": sum(reasons.values()),
        "reasons_left_out": [{"reason": reason, "patients": number} for reason, number in reasons.items()],
        "best_possible_auc": None,
        "models": [measure_repeated(each, label, groups) for each in outcomes],
        "comparisons": adjust([compare_repeated(ours, other, label) for other in others]),
    }


def rule_table(courses: Sequence[Course], label: np.ndarray, model: Outcome) -> list[dict[str, Any]]:
    """Return how well rules that need no fit rank the patients at their last visit, and the model on the same patients.

    The rules are the change of volume or diameter since the first visit, and the diameter itself: the smaller, the
    likelier is pCR. Their sources are in `baselines`.

    Args:
        courses: of N patients, until the visit.
        label: (N,) 0 or 1.
        model: what the model says of them.
    """
    found = []
    for name, values in _rules(courses).items():
        known = np.isfinite(values)
        positives = int(label[known].sum())
        if min(positives, int(known.sum()) - positives) < _SMALLEST:
            continue
        rule = replace(select(model, known), name=name, order=-values[known], draws=())
        pair = compare_auc(select(model, known), rule, label[known])
        found.append(
            {
                "rule": name,
                "patients": int(known.sum()),
                "positives": positives,
                "auc": repeated_auc(rule, label[known]).to_json(),
                "model_auc": repeated_auc(select(model, known), label[known]).to_json(),
                "difference": pair.interval.to_json(),
                "p": metrics.finite(pair.p),
            }
        )
    return found


def _rules(courses: Sequence[Course]) -> dict[str, np.ndarray]:
    """Return the values of each rule, (N,), nan if one is not known; none at the first visit but the diameter."""
    found: dict[str, list[float]] = {}
    for course in courses:
        first, last = next(iter(course)), course.visits[course.last]
        for quantity, label in ((VOLUME, "functional tumour volume"), (DIAMETER, "longest diameter")):
            then, now = first.values.get(quantity), last.values.get(quantity)
            changed = change(then, now) if first is not last else None
            found.setdefault(f"change of {label}", []).append(np.nan if changed is None else changed.percent)
            found.setdefault(f"{label} at the visit", []).append(np.nan if now is None else now)
    return {name: np.array(values) for name, values in found.items()}


def select(outcome: Outcome, use: np.ndarray) -> Outcome:
    """Return the outcome of some patients, bool (N,)."""
    arrays = {name: getattr(outcome, name)[use] for name in ("logit", "probability", "decision", "order")}
    part = None if outcome.part is None else outcome.part[use]
    return replace(outcome, **arrays, part=part, draws=tuple(select(each, use) for each in outcome.draws))
