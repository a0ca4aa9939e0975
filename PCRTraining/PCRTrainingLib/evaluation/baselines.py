"""Baselines that a network has to beat: logistic regression on clinical variables, and on kinetics and shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PCRPredictorLib.model.kinetics import QUANTITIES
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from ..cohort.cache import GridCache

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
