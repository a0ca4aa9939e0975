"""Baselines that a network has to beat: logistic regression on clinical variables, volume, kinetics and shape.

All have the rows of the clinical branch: the patients that a fold trains on, and labelled patients without images. A
variable that a patient does not have is 0, with a second input that says so: kinetics of patients without images are
missing. Numbers are scaled and clipped as those of the run's schema are, and every site has its share of the fit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PCRPredictorLib.clinical import ClinicalSchema, Value
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.kinetics import QUANTITIES
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from ..cohort.cache import GridCache
from ..cohort.splits import EXCLUDED
from ..schema import KNOWN, STRONGEST, fit_scaling
from ..statistics.operating import Outcome, at_point, cross_fitted, fit_points
from ..training.balance import row_weights
from ..training.folds import ClinicalRow, Prepared

_STRENGTHS = np.logspace(-3, 1, 9)  # C of the logistic regression: a smaller C is a stronger penalty
_KINETICS = tuple(name for name in QUANTITIES if name != "log_volume")  # the whole volume says the same


@dataclass(frozen=True)
class Baseline:
    """A logistic regression with L2 penalty, whose strength is chosen by cross-validation on the training patients.

    Args:
        name: of its row in the table.
        what: one line that explains it.
        known: the variables of `schema.KNOWN` that it reads.
        clinical: it reads the clinical variables of the run, too.
    """

    name: str
    what: str
    known: tuple[str, ...] = ()
    clinical: bool = False

    def schema(self, run: ClinicalSchema) -> ClinicalSchema:
        """Return the variables that it reads, not yet scaled.

        Args:
            run: schema of the run.
        """
        asked = run.asked if self.clinical else ()
        names = {variable.name for variable in asked}
        return ClinicalSchema((*asked, *(KNOWN[name] for name in self.known if name not in names)))


BASELINES = (
    Baseline("clinical", "logistic regression on the clinical variables", clinical=True),
    Baseline(
        "clinical + volume",
        "logistic regression on age, hormone receptors, HER2 and the log of the whole tumour's volume",
        (*STRONGEST, "log_whole_volume"),
    ),
    Baseline("kinetics", "logistic regression on the tumour's kinetics and shape", _KINETICS),
    Baseline(
        "kinetics + clinical", "logistic regression on kinetics, shape and clinical variables", _KINETICS, clinical=True
    ),
)


@dataclass(frozen=True, eq=False)
class Features:
    """What a baseline reads of the patients of a run.

    Args:
        schema: scaled to them, without labels.
        inside: (N, width) of the cache.
        more: (n, width) of the patients without images that have any of its variables, and their labels, (n,).
        rows: those patients, n.
    """

    schema: ClinicalSchema
    inside: np.ndarray
    more: tuple[np.ndarray, np.ndarray]
    rows: list[ClinicalRow]

    def of_fold(self, data: Prepared, number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return features, (m, width), labels, (m,), and weights, (m,), that a fold is fitted with.

        They are of no patient that the fold holds out, and of no row of a site that it leaves out. Every site has its
        share, see `balance.row_weights`.
        """
        train = (data.folds != number) & (data.folds != EXCLUDED)
        allowed = {id(row) for row in data.rows_for(number)}
        used = np.array([id(row) in allowed for row in self.rows], bool)
        features = np.concatenate([self.inside[train], self.more[0][used]])
        sites = np.array([*data.site[train], *(row.site for row, use in zip(self.rows, used, strict=True) if use)])
        labels = np.concatenate([data.cache.labels[train], self.more[1][used]])
        return features, labels, row_weights(sites).numpy()


def read_features(baseline: Baseline, data: Prepared) -> Features:
    """Return the features of all patients of a run."""
    schema = baseline.schema(data.schema)
    inside = _values(schema, data.cache)
    parsed = [(_parse(schema, row.cells), row) for row in data.image_free_rows]
    more = [(values, row) for values, row in parsed if any(value is not None for value in values.values())]
    schema, _ = fit_scaling(schema, [*inside, *(values for values, _ in more)])
    rows, labels = [row for _, row in more], np.array([row.label for _, row in more], int)
    return Features(schema, _encode(schema, inside), (_encode(schema, [values for values, _ in more]), labels), rows)


def _values(schema: ClinicalSchema, cache: GridCache) -> list[dict[str, Value]]:
    """Return the values of patients with images; one that the cohort's table has in another coding is missing."""
    return [schema.complete(schema.parse_each(record.row)[0], record.quantities) for record in cache.records]


def _parse(schema: ClinicalSchema, row: Mapping[str, object]) -> dict[str, Value]:
    """Return the values of a patient without images; one that cannot be read is missing."""
    values = schema.parse_each(row)[0]
    for variable in schema.measured:
        try:
            values |= ClinicalSchema((variable,)).read_measured(row)
        except DataError:
            continue
    return values


def _encode(schema: ClinicalSchema, patients: Sequence[Mapping[str, Value]]) -> np.ndarray:
    return np.stack([schema.encode(values) for values in patients]) if patients else np.zeros((0, schema.width))


def fit_logistic(features: np.ndarray, label: np.ndarray, weight: np.ndarray | None = None) -> Pipeline:
    """Fit standardised features with the penalty that has the lowest log loss in five folds of the same patients.

    A single patient of a class leaves nothing to choose by: the strongest penalty is taken.

    Args:
        features: (N, features).
        label: (N,) 0 or 1.
        weight: (N,) of the patients in the fit, with mean 1, or None for equal ones.
    """
    fewest = int(min(label.sum(), (1 - label).sum()))
    if fewest < 2:
        single = make_pipeline(StandardScaler(), LogisticRegression(C=_STRENGTHS[0], max_iter=2000))
        return single.fit(features, label, logisticregression__sample_weight=weight)
    search = GridSearchCV(
        LogisticRegression(max_iter=2000),
        {"C": _STRENGTHS},
        scoring="neg_log_loss",
        cv=StratifiedKFold(min(5, fewest), shuffle=True, random_state=0),
    )
    fitted = make_pipeline(StandardScaler(), search)
    return fitted.fit(features, label, **({} if weight is None else {"gridsearchcv__sample_weight": weight}))


def baseline_outcomes(baseline: Baseline, data: Prepared, externals: Sequence[GridCache]) -> list[Outcome]:
    """Return the outcome of a logistic regression per fold out of fold, then that of their mean on external cohorts."""
    cache, held_out, found = data.cache, data.held_out, read_features(baseline, data)
    outside = [_encode(found.schema, _values(found.schema, each)) for each in externals]
    logit = np.zeros(len(cache))
    external_logits: list[list[np.ndarray]] = [[] for _ in externals]
    for k in data.fold_numbers:
        model = fit_logistic(*found.of_fold(data, k))
        logit[data.folds == k] = model.decision_function(found.inside[data.folds == k])
        for store, values in zip(external_logits, outside, strict=True):
            store.append(model.decision_function(values))
    logit, label = logit[held_out], cache.labels[held_out]
    calibration, (balanced, *_) = fit_points(logit, label)
    inside = cross_fitted(baseline.name, logit, label, data.folds[held_out])
    return [inside, *(at_point(baseline.name, logits, calibration, balanced) for logits in external_logits)]
