"""Describe how well models do, in plain values: metrics with 95 % intervals, comparisons, subgroups, attention.

Arrays are (N,) of the patients of a cohort; the metrics and their sources are those of `metrics`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from PCRPredictorLib.errors import group_problems

from ..cohort.cache import GridCache
from ..progress import Progress
from ..schema import KNOWN
from ..statistics import metrics
from ..statistics.operating import Outcome
from ..statistics.variability import measure, measure_share
from .comparison import adjust, compare
from .maps import add_enhancement
from .performance import describe_performance

FAIRNESS_VARIABLES = ("age", "menopause", "breast_density")  # of the MAMA-MIA challenge
_SUBGROUPS = (*FAIRNESS_VARIABLES, "tumor_subtype", "hr", "her2", "site", "manufacturer")
_SMALLEST_GROUP = 5  # patients of a class for an AUC


def describe_cohort(
    name: str,
    cache: GridCache,
    index: np.ndarray,
    outcomes: Sequence[Outcome],
    grids: Sequence[GridCache] = (),
    progress: Progress = Progress(),  # noqa: B008
) -> dict[str, object]:
    """Describe every model, and compare every pair, on the patients at the positions `index`, (n,).

    Args:
        grids: the cache that each model read, if these differ: of the same patients on its own grid.
        progress: is told each model, a unit each, and one more.
    """
    label, groups = cache.labels[index], find_groups(cache, index)
    models, pairs = [], list(combinations(outcomes, 2))
    for outcome in outcomes:
        progress.advance(f"intervals of {outcome.name}", 0)
        models.append(measure_model(outcome, label, groups))
        progress.advance()
    progress.advance("comparisons", 0)
    truth = cache.true_probability
    described = {
        "name": name,
        "patients": len(index),
        "positives": int(label.sum()),
        "left_out": len(cache.quarantine),
        "reasons_left_out": count_reasons(cache),
        "best_possible_auc": None if truth is None else auc_interval(truth[index], label).to_json(),
        "models": models,
        "comparisons": adjust([compare(one, other, label) for other, one in pairs]),
    }
    described = add_enhancement(described, outcomes, grids or [cache] * len(outcomes), index)
    progress.advance()
    return described


def count_reasons(cache: GridCache) -> list[dict[str, object]]:
    """Return why patients were left out, and how many for each reason; no identifier is in it."""
    names = [*cache.ids, *(problem.patient_id for problem in cache.quarantine)]
    known = re.compile(r"(?<![^\W_])(" + "|".join(map(re.escape, names)) + r")(?![^\W_])", re.IGNORECASE)
    groups = group_problems(cache.quarantine)
    return [{"reason": known.sub("<patient>", each.reason), "patients": len(each.patients)} for each in groups]


def measure_model(outcome: Outcome, label: np.ndarray, groups: Mapping[str, np.ndarray]) -> dict[str, object]:
    """Return the metrics of one model, see `performance`, with its curves, subgroups and attention."""
    decision, fairness = outcome.decision, {name: groups[name] for name in FAIRNESS_VARIABLES if name in groups}
    x, y = metrics.roc_points(outcome.order, label)

    def challenge(i: np.ndarray) -> float:
        return metrics.challenge_score(decision[i], label[i], {name: group[i] for name, group in fairness.items()})

    return {
        "name": outcome.name,
        **describe_performance(outcome, label),
        "challenge_score": metrics.bootstrap(challenge, label, resamples=200).to_json() if fairness else None,
        "calibration_curve": metrics.calibration_curve(outcome.probability, label),
        "roc": {"false_positive_rate": x.tolist(), "sensitivity": y.tolist()},
        "subgroups": list(_subgroups(outcome, label, groups)),
        "attention": describe_attention(outcome, label),
    }


def measure_on(outcome: Outcome, cache: GridCache, index: np.ndarray) -> dict[str, object]:
    """Return `measure_model` on the patients at the positions `index`, (n,), with the enhancement map beside it."""
    described = measure_model(outcome, cache.labels[index], find_groups(cache, index))
    return add_enhancement({"models": [described]}, [outcome], [cache], index)["models"][0]


def describe_attention(outcome: Outcome, label: np.ndarray) -> dict[str, object] | None:
    """Return measures of the attention; None for a model without images."""
    scores = outcome.scores
    if scores is None:
        return None
    beside = dict(outcome.random_map or {})
    return {
        "map": outcome.map_name,
        "in_tumour": measure(lambda o, i: float(o.in_tumour[i].mean()), outcome, label).to_json(),
        "pointing_game": measure_share(_pointing, outcome, label, len(label)).to_json(),
        "randomised_in_tumour": beside.get("in_tumour", outcome.random_in_tumour),
        "randomised": beside or None,
    }


def _pointing(outcome: Outcome, index: np.ndarray) -> float:
    return float("nan") if outcome.scores is None else float(outcome.scores.peak_in_tumour[index].mean())


def auc_interval(score_: np.ndarray, label: np.ndarray) -> metrics.Interval:
    """Return the AUC with its 95 % interval by bootstrap over patients."""
    return metrics.bootstrap(lambda i: metrics.auc(score_[i], label[i]), label)


def _subgroups(outcome: Outcome, label: np.ndarray, groups: Mapping[str, np.ndarray]) -> Iterator[dict[str, object]]:
    for variable, values in groups.items():
        for group in sorted(set(values) - {""}, key=_rank):
            inside = values == group
            here = metrics.rates(outcome.decision[inside], label[inside])
            fewest = int(min(label[inside].sum(), (1 - label[inside]).sum()))
            interval = auc_interval(outcome.order[inside], label[inside]) if fewest >= _SMALLEST_GROUP else None
            yield {
                "variable": variable,
                "group": group,
                "patients": int(inside.sum()),
                "positives": int(label[inside].sum()),
                "auc": interval.to_json() if interval else None,
                "sensitivity": metrics.finite(here.sensitivity),
                "specificity": metrics.finite(here.specificity),
            }


def _rank(group: str) -> tuple[int, str]:
    """Return the place of a group of a variable: ages ascend, others stand in the order of the alphabet."""
    return metrics.AGE_BINS.index(group) if group in metrics.AGE_BINS else 0, group


def find_groups(cache: GridCache, index: np.ndarray) -> dict[str, np.ndarray]:
    """Return the variables that divide the patients at the positions `index`, (n,): text each, (n,), "" if unknown."""
    groups = {}
    for name in _SUBGROUPS:
        texts = cache.column(name)[index]
        if name == "age":
            values = np.array([metrics.age_bin(age) for age in pd.to_numeric(texts, errors="coerce")])
        else:
            values = np.array([_spelling(name, text) for text in texts])
        if len(set(values) - {""}) > 1:
            groups[name] = values
    return groups


def _spelling(name: str, text: str) -> str:
    """Return a value as the schema names it: "post (>12 months)" and "post" are one group."""
    if name in KNOWN and text:
        try:
            return str(KNOWN[name].parse(text))
        except ValueError:
            return ""
    return text
