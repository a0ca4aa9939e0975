"""How two models differ on the same patients. A model compared with itself gives exactly 0, with p 1.

Arrays are (N,) of the patients of a cohort.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ..statistics import metrics
from ..statistics.operating import Outcome
from ..statistics.variability import Difference, FromDraws, adjust_p, infer

P = ("p", "sensitivity_p")  # each is adjusted as p_adjusted, sensitivity_p_adjusted


def compare(one: Outcome, other: Outcome, label: np.ndarray) -> dict[str, object]:
    """Compare two models on the same patients: AUC, and sensitivity at matched specificity.

    Intervals and p are over patients (DeLong's variance for the AUC, that of a paired bootstrap for the sensitivity)
    and over draws, see `variability`.
    """
    by_auc, by_sensitivity = compare_auc(one, other, label), compare_sensitivity(one, other, label)
    ours, theirs = matched_sensitivities(one, other, label, np.arange(len(label)))
    levels = [metrics.rates(model.decision, label).specificity for model in (one, other)]
    return {
        "model": one.name,
        "other": other.name,
        "auc_difference": by_auc.interval.to_json(),
        "p": metrics.finite(by_auc.p),
        "matched_specificity": metrics.finite(float(np.mean(levels))),
        "sensitivity": metrics.finite(ours),
        "other_sensitivity": metrics.finite(theirs),
        "sensitivity_difference": by_sensitivity.interval.to_json(),
        "sensitivity_p": metrics.finite(by_sensitivity.p),
    }


def compare_auc(one: Outcome, other: Outcome, label: np.ndarray) -> Difference:
    """Return the difference of two AUCs."""
    difference, variance = metrics.auc_difference(one.order, other.order, label)

    def auc(found: Outcome) -> float:
        return metrics.auc(found.order, label)

    return infer(difference, variance, _from_draws(one, other, lambda a, b: (auc(a), auc(b))))


def compare_sensitivity(one: Outcome, other: Outcome, label: np.ndarray) -> Difference:
    """Return the difference of two sensitivities at matched specificity."""

    def gain(index: np.ndarray) -> float:
        ours, theirs = matched_sensitivities(one, other, label, index)
        return ours - theirs

    everyone = np.arange(len(label))
    drawn = metrics.bootstrap_values(gain, label)
    variance = float(np.var(drawn, ddof=1)) if len(drawn) > 1 else np.nan
    draws = _from_draws(one, other, lambda a, b: matched_sensitivities(a, b, label, everyone))
    return infer(gain(everyone), variance, draws)


def matched_sensitivities(one: Outcome, other: Outcome, label: np.ndarray, index: np.ndarray) -> tuple[float, float]:
    """Return the sensitivities of both models at the specificities that each of them has by its decisions.

    Both are read in the same way (`metrics.matched_sensitivity`): at the specificity of the first, then at that of the
    second, and averaged. At one of the two alone, the model that it belongs to has an advantage, as its threshold and
    its specificity err together. If both have the same parts, each part has its own threshold.

    Args:
        index: positions of patients, (n,) with repeats.
    """
    same = one.part is not None and other.part is not None and np.array_equal(one.part, other.part)
    part = one.part[index] if same and one.part is not None else None
    ours, theirs = (
        np.mean(
            [
                metrics.matched_sensitivity(model.order[index], level.decision[index], label[index], part)
                for level in (one, other)
            ]
        )
        for model in (one, other)
    )
    return float(ours), float(theirs)


def _from_draws(one: Outcome, other: Outcome, values: Callable[[Outcome, Outcome], tuple[float, float]]) -> FromDraws:
    """Return what the draws add to the variance of the difference of two values.

    Draws are paired in their order, as seeds and folds of one table are. If the models have different numbers of them,
    each is compared with the whole of the other model, and they are independent.
    """
    if len(one.draws) == len(other.draws):
        pairs = [values(a, b) for a, b in zip(one.draws, other.draws, strict=True)]
        return FromDraws.of([ours - theirs for ours, theirs in pairs])
    ours = [values(draw, other)[0] for draw in one.draws]
    theirs = [values(one, draw)[1] for draw in other.draws]
    return FromDraws.of(ours) + FromDraws.of(theirs)


def adjust(pairs: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """Return comparisons with p adjusted for their number (Holm), each kind of p for itself, and that number."""
    adjusted = [dict(pair) for pair in pairs]
    for kind in P:
        values = [p if isinstance(p := pair[kind], float) else None for pair in pairs]
        for pair, value in zip(adjusted, adjust_p(values), strict=True):
            pair[f"{kind}_adjusted"] = value
    return [{**pair, "comparisons": len(pairs)} for pair in adjusted]
