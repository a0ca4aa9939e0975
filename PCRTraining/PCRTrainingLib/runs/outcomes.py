"""Outcomes of a trained step or a baseline: out of fold, and of the ensemble of the folds on external cohorts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..cohort.cache import GridCache
from ..config import Step
from ..evaluation.baselines import Baseline, fit_logistic
from ..statistics.operating import at_point, cross_fitted, fit_points
from ..statistics.outcome import Outcome
from ..training.folds import Prepared, Run
from ..training.inference import Ensemble, map_name


def step_outcome(step: Step, run: Run) -> Outcome:
    """Return the out-of-fold outcome of a trained step."""
    data, scores = run.data, run.out_of_fold(step)
    outcome = cross_fitted(step.name, scores.logit, data.cache.labels[data.held_out], data.folds[data.held_out])
    return replace(outcome, scores=scores, map_name=map_name(step.attention))


def step_outcomes(step: Step, run: Run, externals: Sequence[GridCache], device: str) -> list[Outcome]:
    """Return the outcome of a trained step out of fold, then that of its fold ensemble on each external cohort."""
    inside, data = step_outcome(step, run), run.data
    calibration, (balanced, *_) = fit_points(inside.logit, data.cache.labels[data.held_out])
    ensemble = Ensemble(step.name, run.networks(step), run.config.flips, calibration, balanced)
    return [inside, *(ensemble.outcome(cache, cache.encode(data.schema), device) for cache in externals)]


def baseline_outcomes(baseline: Baseline, data: Prepared, externals: Sequence[GridCache]) -> list[Outcome]:
    """Return the outcome of a logistic regression per fold out of fold, then that of their mean on external cohorts."""
    cache, held_out, asked = data.cache, data.held_out, data.schema.asked_columns
    features, *outside = [
        baseline.features(each, each.encode(data.schema).numpy()[:, asked]) for each in (cache, *externals)
    ]
    more = [(vector[asked], label) for vector, label in data.more]
    logit = np.zeros(len(cache))
    external_logits: list[list[np.ndarray]] = [[] for _ in externals]
    for k in data.numbers:
        train = data.folds != k
        rows, labels = features[train], cache.labels[train]
        if baseline.clinical and not baseline.kinetics and more:
            rows = np.concatenate([rows, np.stack([vector for vector, _ in more])])
            labels = np.concatenate([labels, [label for _, label in more]])
        model = fit_logistic(rows, labels)
        logit[data.folds == k] = model.decision_function(features[data.folds == k])
        for store, values in zip(external_logits, outside, strict=True):
            store.append(model.decision_function(values))
    logit, label = logit[held_out], cache.labels[held_out]
    calibration, (balanced, *_) = fit_points(logit, label)
    inside = cross_fitted(baseline.name, logit, label, data.folds[held_out])
    return [inside, *(at_point(baseline.name, logits, calibration, balanced) for logits in external_logits)]
