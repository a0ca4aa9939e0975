"""Compare the patients of a cohort with the training patients of a model, variable by variable, and at each threshold.

A difference that is smaller than the resolution in which a quantity is known is none: see `resolution`.

Sources: Austin, Statistics in Medicine 2009 (standardised difference, its interval, and 0.1 as negligible); Wilson,
JASA 1927 (intervals of shares). For a category with several values, the largest standardised difference among them
counts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import binomtest

from ..clinical import ClinicalSchema
from ..prediction import OperatingPoint
from .distribution import OTHERS, Distribution, TrainingDistribution
from .facts import PatientFacts, summarise

TRAINING_PATIENTS = "the training patients"
NOTABLE = 0.2  # standardised difference from which a variable is named
_INSIDE = (("1", "99"), ("5", "95"))  # percentiles that bound the training range, the first that are known
_LEAST_RESOLUTION = {"mm": 0.01, "s": 1.0}
Interval = dict[str, "float | None"]  # value, low, high


def compare_cohort(
    patients: Sequence[PatientFacts],
    schema: ClinicalSchema,
    training: TrainingDistribution,
    points: Sequence[OperatingPoint],
    base_rate: float | None = None,
    fixed_on: str = TRAINING_PATIENTS,
) -> dict[str, object]:
    """Return the shift of a cohort in plain values, without identifiers.

    Args:
        patients: of the cohort; those without a probability do not count at the operating points.
        schema: of the model.
        training: of the model.
        points: of the model.
        base_rate: share with pCR of the patients on whom the points were fixed, in [0, 1]; None if unknown.
        fixed_on: who they are, in words.

    Returns:
        patients, labelled, prevalence, mean_probability, training (patients, prevalence, missing, fixed_on),
        variables (the largest difference first), and points.
    """
    labelled = [patient.label for patient in patients if patient.label is not None]
    predicted = [patient.probability for patient in patients if patient.probability is not None]
    variables = [
        compare_variable(here, training.find(here.name), patients) for here in summarise(patients, schema, least=1)
    ]
    known = [variable for variable in variables if variable["patients"]]
    return {
        "patients": len(patients),
        "labelled": len(labelled),
        "prevalence": share(sum(labelled), len(labelled)),
        "mean_probability": float(np.mean(predicted)) if predicted else None,
        "training": {
            "patients": training.patients or None,
            "prevalence": base_rate,
            "fixed_on": fixed_on,
            "missing": training.missing,
        },
        "variables": sorted(known, key=_size, reverse=True),
        "points": [compare_point(point, patients, base_rate) for point in points],
    }


def compare_variable(
    here: Distribution, training: Distribution | None, patients: Sequence[PatientFacts]
) -> dict[str, object]:
    """Return one variable of the cohort beside that of the training patients; what is not known is None."""
    difference = _difference(here, training) if training is not None else None
    category = None if training is None or not difference else _most_different(here, training)
    return {
        "name": here.name,
        "label": here.label,
        "unit": here.unit,
        "patients": here.patients,
        "unknown": len(patients) - here.patients,
        "here": _values(here),
        "training": None if training is None else _values(training),
        "difference": None if difference is None else _interval_of(difference, here, training),
        "category": category,
        "outside": None if training is None else _share_outside(here, training, patients),
    }


def compare_point(
    point: OperatingPoint, patients: Sequence[PatientFacts], base_rate: float | None
) -> dict[str, object]:
    """Return what an operating point does here: shares with 95 % intervals, beside what the model promises.

    Args:
        base_rate: see `compare_cohort`.
    """
    above = [(p.probability >= point.threshold, p.label) for p in patients if p.probability is not None]
    positive = [decision for decision, label in above if label == 1]
    negative = [not decision for decision, label in above if label == 0]
    return {
        "name": point.name,
        "threshold": point.threshold,
        "above": share(sum(decision for decision, _ in above), len(above)),
        "above_training": _share_above(point, base_rate),
        "sensitivity": share(sum(positive), len(positive)),
        "specificity": share(sum(negative), len(negative)),
        "promised": {"sensitivity": point.sensitivity, "specificity": point.specificity},
    }


def share(number: int, of: int) -> Interval | None:
    """Return a share with Wilson's 95 % interval, None of nothing."""
    if not of:
        return None
    low, high = binomtest(int(number), of).proportion_ci(method="wilson")
    return {"value": number / of, "low": float(low), "high": float(high)}


def _share_above(point: OperatingPoint, base_rate: float | None) -> float | None:
    """Return the share above a threshold of the patients on whom it was fixed; by their rates if it is not recorded."""
    if point.share_above is not None:
        return point.share_above
    if base_rate is None or point.sensitivity is None or point.specificity is None:
        return None
    return base_rate * point.sensitivity + (1 - base_rate) * (1 - point.specificity)


def _values(known: Distribution) -> dict[str, object]:
    return {"percentiles": dict(known.percentiles), "shares": dict(known.shares), "mean": known.mean, "sd": known.sd}


def _difference(here: Distribution, training: Distribution) -> float | None:
    """Return the standardised difference: of means in pooled standard deviations, of shares in pooled ones of theirs.

    Shares are pulled slightly towards the middle (half a patient), so that 0 and 100 % have a finite difference.
    """
    if here.shares and training.shares:
        return _of_shares(here, training).get(_most_different(here, training) or "", 0.0)
    if here.mean is None or training.mean is None or training.sd is None:
        return None
    spread = math.sqrt((training.sd**2 + (training.sd if here.sd is None else here.sd) ** 2) / 2)
    apart, least = here.mean - training.mean, resolution(training)
    if abs(apart) <= least:
        return 0.0
    return apart / spread if spread > least else None  # of patients who all have one value, the share outside counts


def resolution(known: Distribution) -> float:
    """Return the difference from which two values of a quantity are read as different, in its unit.

    It is a unit of the third digit of the mean, as the tables show it, and at least 0.01 mm or 1 s.
    """
    middle = abs(known.mean or known.percentiles.get("50", 0.0))
    third = 10.0 ** (math.floor(math.log10(middle)) - 2) if middle > 0 else 0.0
    return max(third, _LEAST_RESOLUTION.get(known.unit, 0.0))


def _of_shares(here: Distribution, training: Distribution) -> dict[str, float]:
    """Return the standardised difference of each value's share; of one value alone there is none."""
    names = sorted({*here.shares, *training.shares})
    pairs = {name: (_pulled(here, name), _pulled(training, name)) for name in names}
    return {
        name: (one - other) / math.sqrt((one * (1 - one) + other * (1 - other)) / 2)
        for name, (one, other) in pairs.items()
        if len(pairs) > 1
    }


def _most_different(here: Distribution, training: Distribution) -> str | None:
    """Return the value whose share differs most from that of training; None of numbers."""
    found = _of_shares(here, training)
    return max(found, key=lambda name: abs(found[name])) if found else None


def _pulled(known: Distribution, value: str) -> float:
    return (known.shares.get(value, 0.0) * known.patients + 0.5) / (known.patients + 1)


def _interval_of(difference: float, here: Distribution, training: Distribution | None) -> Interval:
    one, other = here.patients, training.patients if training is not None else 0
    if not one or not other:
        return {"value": difference, "low": None, "high": None}
    error = 1.96 * math.sqrt(1 / one + 1 / other + difference**2 / (2 * (one + other)))
    return {"value": difference, "low": difference - error, "high": difference + error}


def _share_outside(here: Distribution, training: Distribution, patients: Sequence[PatientFacts]) -> Interval | None:
    """Return the share of the patients outside the training patients' 1st to 99th percentile, or with a new value."""
    if training.shares:
        values = [patient.categories[here.name] for patient in patients if here.name in patient.categories]
        new = [value for value in values if value not in training.shares]
        return share(0 if OTHERS in training.shares else len(new), len(values))
    bounds = next(((low, high) for low, high in _INSIDE if {low, high} <= training.percentiles.keys()), None)
    if bounds is None:
        return None
    low, high = (training.percentiles[bound] for bound in bounds)
    margin = resolution(training)  # of values that are rounded in one of the two
    numbers = [patient.numbers[here.name] for patient in patients if here.name in patient.numbers]
    return share(sum(not low - margin <= number <= high + margin for number in numbers), len(numbers))


def _size(variable: Mapping[str, object]) -> tuple[bool, float, float]:
    """Return how large a difference is: variables that cannot be compared come last."""
    difference, outside = variable["difference"], variable["outside"]
    known = difference is not None or outside is not None
    beyond = float(outside["value"]) if isinstance(outside, Mapping) else 0.0
    # without a spread to compare with, a share outside the range stands for the difference it would need
    size = abs(float(difference["value"])) if isinstance(difference, Mapping) else 3 * beyond
    return known, size, beyond
