"""Baselines that a network has to beat: logistic regression on clinical variables, and on kinetics and shape."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PCRPredictorLib.model.kinetics import QUANTITIES
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from ..cohort.cache import GridCache
from ..statistics.operating import Outcome, at_point, cross_fitted, fit_points
from ..training.folds import Prepared

_STRENGTHS = np.logspace(-3, 1, 9)  # C of the logistic regression: a smaller C is a stronger penalty


@dataclass(frozen=True)
class Baseline:
    """A logistic regression with L2 penalty, whose strength is chosen by cross-validation on the training patients.

    Args:
        name: of its row in the table.
        what: one line that explains it.
        kinetics: it reads the kinetics and shape of the tumour.
        clinical: it reads the clinical variables.
    """

    name: str
    what: str
    kinetics: bool
    clinical: bool

    def features(self, cache: GridCache, clinical: np.ndarray) -> np.ndarray:
        """Return its features of all patients of a cache, (N, features).

        Args:
            clinical: (N, schema width).
        """
        columns = []
        if self.kinetics:
            columns.append(np.stack([cache.quantity(name) for name in QUANTITIES], 1))
        if self.clinical:
            columns.append(clinical)
        return np.concatenate(columns, 1)


BASELINES = (
    Baseline("clinical", "logistic regression on the clinical variables", False, True),
    Baseline("kinetics", "logistic regression on the tumour's kinetics and shape", True, False),
    Baseline("kinetics + clinical", "logistic regression on kinetics, shape and clinical variables", True, True),
)


def fit_logistic(features: np.ndarray, label: np.ndarray) -> Pipeline:
    """Fit standardised features with the penalty that has the lowest log loss in five folds of the same patients.

    A single patient of a class leaves nothing to choose by: the strongest penalty is taken.

    Args:
        features: (N, features).
        label: (N,) 0 or 1.
    """
    fewest = int(min(label.sum(), (1 - label).sum()))
    if fewest < 2:
        return make_pipeline(StandardScaler(), LogisticRegression(C=_STRENGTHS[0], max_iter=2000)).fit(features, label)
    search = GridSearchCV(
        LogisticRegression(max_iter=2000),
        {"C": _STRENGTHS},
        scoring="neg_log_loss",
        cv=StratifiedKFold(min(5, fewest), shuffle=True, random_state=0),
    )
    return make_pipeline(StandardScaler(), search).fit(features, label)


def baseline_outcomes(baseline: Baseline, data: Prepared, externals: Sequence[GridCache]) -> list[Outcome]:
    """Return the outcome of a logistic regression per fold out of fold, then that of their mean on external cohorts."""
    cache, held_out, asked = data.cache, data.held_out, data.schema.asked_columns
    features, *outside = [
        baseline.features(each, each.encode(data.schema).numpy()[:, asked]) for each in (cache, *externals)
    ]
    more = [(vector[asked], label) for vector, label in data.image_free_rows]
    logit = np.zeros(len(cache))
    external_logits: list[list[np.ndarray]] = [[] for _ in externals]
    for k in data.fold_numbers:
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
