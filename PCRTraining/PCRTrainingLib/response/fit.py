"""Fit a response model: for every set of visits a logistic regression, cross-fitted and calibrated.

A set of visits has a fit for each fold of the patients, made without that fold. What the fits say of the patients that
they left out chooses the candidate (lowest log loss, over the visits in a row), calibrates, and gives the operating
points. The folds are the same for all sets and candidates, and everything follows from the seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import ceil

import numpy as np
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.calibration import Calibration
from PCRPredictorLib.prediction import OperatingPoint
from PCRPredictorLib.response.course import VISITS, Course
from PCRPredictorLib.response.inputs import Input, clinical_columns
from PCRPredictorLib.response.settings import Fit, Formula, ResponseSettings
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

from ..statistics.operating import fit_points
from .columns import Columns, read_columns, read_input, to_precision
from .config import Candidate, ResponseConfig

Seen = tuple[str, ...]
Points = Callable[[np.ndarray, np.ndarray], tuple[Calibration, tuple[OperatingPoint, ...]]]
SETS: tuple[Seen, ...] = tuple(seen for n in range(len(VISITS) + 1) for seen in combinations(VISITS, n))
ROWS: tuple[Seen, ...] = tuple(VISITS[: n + 1] for n in range(len(VISITS)))  # visits in a row
_FEWEST, _OF_CLASS = 30, 8  # patients with a set of visits; and of each class
_SLOPES = (0.3, 3.0)  # of a calibration that can be believed


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fitted model.

    Args:
        schema: clinical variables.
        settings: all numbers, without bands, groups and costs.
        candidate: that was chosen.
        losses: mean log loss of each candidate on what its fits left out.
        notes: sentences about what was left out.
    """

    schema: ClinicalSchema
    settings: ResponseSettings
    candidate: Candidate
    losses: tuple[float, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class _Set:
    """The fits of one set of visits and one candidate.

    Args:
        seen: the visits.
        inputs: levels and changes.
        fits: of each fold.
        patients: positions, (n,), of those that have been seen at these visits.
        logit: (n,), of the fit that left the patient out.
    """

    seen: Seen
    inputs: tuple[Input, ...]
    fits: tuple[Fit, ...]
    patients: np.ndarray
    logit: np.ndarray


def fit_response(
    courses: Sequence[Course], labels: np.ndarray, config: ResponseConfig, points: Points = fit_points
) -> Fitted:
    """Fit a model.

    Args:
        courses: of N patients.
        labels: (N,) 0 or 1.
        config: quantities, variables, candidates, folds and seed.
        points: gives calibration and operating points of logits, (n,), and labels, (n,); `promises.promise` also gives
            the rates to state, which takes longer.

    Raises:
        DataError: if there are too few patients of a class.
    """
    check_numbers(labels, config)
    columns = read_columns(courses, labels, config.quantities, config.clinical)
    fold = folds_of(labels, config.folds, config.seed)
    sets = [seen for seen in SETS if _is_enough(columns.seen_at(seen), labels, fold, bool(seen))]
    in_a_row = [seen for seen in sets if seen in ROWS] or sets
    tried = [[_fit_set(columns, labels, fold, seen, each) for seen in in_a_row] for each in config.candidates]
    losses = tuple(_loss(found, labels) for found in tried)
    best = int(np.argmin(losses))
    known = {found.seen: found for found in tried[best]}
    chosen = [known.get(s) or _fit_set(columns, labels, fold, s, config.candidates[best]) for s in sets]
    formulas = tuple(_formula(found, labels, points) for found in chosen)
    every = {each.name: each for found in chosen for each in found.inputs}
    settings = replace(columns.settings, inputs=tuple(every.values()), formulas=formulas)
    settings = replace(settings, base_rate=float(f"{labels.mean():.10g}"))
    left_out = [" + ".join(seen) for seen in SETS if seen not in sets]
    notes = (*columns.notes, *([f"too few patients for {', '.join(left_out)}"] if left_out else []))
    return Fitted(columns.schema, settings, config.candidates[best], losses, notes)


def check_numbers(labels: np.ndarray, config: ResponseConfig, *, outer: bool = False) -> None:
    """Refuse too few patients to fit and to leave some of them out.

    Args:
        labels: (N,) 0 or 1.
        config: with the number of folds.
        outer: these patients are themselves divided into outer folds.

    Raises:
        DataError: if they are too few.
    """
    more = config.folds / (config.folds - 1) if outer else 1.0
    least, fewest = ceil(more * max(2 * config.folds, _OF_CLASS)) + outer, ceil(more * _FEWEST) + outer
    if min(labels.sum(), (1 - labels).sum()) < least or len(labels) < fewest:
        raise DataError(
            f"a response model needs {fewest} patients or more with a label, {least} of them with pCR and as many "
            f"without, got {len(labels)}, {int(labels.sum())} with pCR; add patients"
        )


def folds_of(labels: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Return the fold of each patient, (N,), with as many of each class in each."""
    found = np.zeros(len(labels), int)
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    for k, (_, held_out) in enumerate(splitter.split(labels, labels)):
        found[held_out] = k
    return found


def _is_enough(seen: np.ndarray, labels: np.ndarray, fold: np.ndarray, has_visits: bool) -> bool:
    """Return True if a set of visits has enough patients of both classes, also without any fold."""
    if not has_visits:
        return True
    of_class = [min((seen & (labels == value) & (fold != k)).sum() for k in np.unique(fold)) for value in (0, 1)]
    inside = [min((seen & (fold == k)).sum() for k in np.unique(fold))]
    return seen.sum() >= _FEWEST and min(of_class) >= _OF_CLASS and min(inside) > 0


def make_inputs(columns: Columns, seen: Seen, kind: str) -> tuple[Input, ...]:
    """Return the inputs of a formula: levels at visits, or changes since the first one."""
    found = []
    for scale in columns.settings.scales:
        own = [v for v in seen if any((x.quantity, x.visit) == (scale.quantity, v) for x in columns.settings.levels)]
        for visit in own:
            since = None if kind == "levels" or visit == own[0] else own[0]
            if kind == "change alone" and since is None and len(own) > 1:
                continue
            found.append(_with_range(columns, Input(scale.quantity, visit, since)))
    return tuple(found)


def _with_range(columns: Columns, each: Input) -> Input:
    """Return an input with the range of its change in the training patients who know both values."""
    if each.since is None:
        return each
    now, before = (columns.raw[:, columns.names.index(name)] for name in each.columns)
    known = (now - before)[np.isfinite(now - before)]
    if len(known) < _FEWEST:
        return each
    low, high = (float(f"{x:.6g}") for x in np.percentile(known, [1, 99]))
    return replace(each, low=low, high=high)


def _fit_set(columns: Columns, labels: np.ndarray, fold: np.ndarray, seen: Seen, candidate: Candidate) -> _Set:
    inputs = make_inputs(columns, seen, candidate.inputs)
    numbers = _numbers(columns, seen, inputs)
    names = [*(each.name for each in inputs), *clinical_columns(columns.schema)]
    patients = np.flatnonzero(columns.seen_at(seen))
    numbers, fold, label = numbers[patients], fold[patients], labels[patients]
    logit, fits = np.zeros(len(patients)), []
    for k in np.unique(fold):
        weights, constant = fit_weights(numbers[fold != k], label[fold != k], candidate.strength)
        logit[fold == k] = numbers[fold == k] @ weights + constant
        fits.append(Fit(constant, dict(zip(names, weights.tolist(), strict=True))))
    return _Set(seen, inputs, tuple(fits), patients, logit)


def _numbers(columns: Columns, seen: Seen, inputs: Sequence[Input]) -> np.ndarray:
    """Return inputs and clinical columns of all patients, (N, n), as the model reads them."""
    filled, place = columns.known_until(seen), {name: k for k, name in enumerate(columns.names)}
    found = [read_input(each, filled, place) for each in inputs]
    found += [filled[:, place[name]] for name in clinical_columns(columns.schema)]
    return np.stack(found, 1) if found else np.zeros((len(filled), 0))


def fit_weights(numbers: np.ndarray, labels: np.ndarray, strength: float) -> tuple[np.ndarray, float]:
    """Return weights, (n,), and constant of a logistic regression with L2 penalty on standardised inputs.

    Newton's method reaches the minimum to the last digits, which are cut off: every machine gives the same numbers.

    Args:
        numbers: (N, n).
        labels: (N,) 0 or 1.
        strength: C of scikit-learn.
    """
    if numbers.shape[1] == 0:
        share = labels.mean()
        return np.zeros(0), to_precision(float(np.log(share / (1 - share))))
    scaler = StandardScaler().fit(numbers)
    model = LogisticRegression(C=strength, solver="newton-cholesky", tol=1e-12, max_iter=200)
    model.fit(scaler.transform(numbers), labels)
    weights = model.coef_[0] / scaler.scale_
    constant = float(model.intercept_[0] - weights @ scaler.mean_)
    return np.array([to_precision(x) for x in weights.tolist()]), to_precision(constant)


def _loss(found: Sequence[_Set], labels: np.ndarray) -> float:
    """Return the mean log loss over sets of visits, each of its own patients."""
    return float(np.mean([np.logaddexp(0, -_signed(labels[each.patients]) * each.logit).mean() for each in found]))


def _signed(labels: np.ndarray) -> np.ndarray:
    return 2 * labels - 1


def _formula(found: _Set, labels: np.ndarray, points: Points) -> Formula:
    calibration, operating = points(found.logit, labels[found.patients])
    slope, offset = (to_precision(x) for x in calibration)
    if not _SLOPES[0] <= slope <= _SLOPES[1]:  # inputs that tell nothing
        slope, offset = 1.0, 0.0
    rounded = tuple(replace(point, threshold=to_precision(point.threshold)) for point in operating)
    return Formula(found.seen, found.fits, (slope, offset), rounded, len(found.patients))
