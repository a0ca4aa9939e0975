"""What the training patients were like, so that a prediction can warn of an exam that is unlike them."""

import math
from collections.abc import Iterable, Sequence

import numpy as np
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.model.additive import ClinicalBranches
from PCRPredictorLib.model.card import TrainingRange, TrainingTimes, Typical
from PCRPredictorLib.network import PCRNet
from PCRPredictorLib.phases import parse_times

from ..cohort.cache import GridCache, Record

_LEAST_SPREAD = 30.0  # s to both sides of the median; a cohort of one protocol must not flag every other exam
_LABELS = {
    "early": "early phase {1:.0f} s after the pre-contrast one",
    "late": "late phase {1:.0f} s after the first phase after contrast",
}


def typical_terms(
    networks: Sequence[PCRNet], schema: ClinicalSchema, clinical: np.ndarray, image_logit: np.ndarray
) -> Typical:
    """Return the terms of the logit in the training patients on average, which a patient's terms are compared with.

    Args:
        networks: of the model.
        schema: of the variables that they read.
        clinical: (n, schema width) of the training patients.
        image_logit: (m,), out of fold.
    """
    branches = ClinicalBranches(schema, tuple(network.clinical_layers() for network in networks))
    return Typical(float(image_logit.mean()), branches.typical_terms(clinical))


def training_ranges(cache: GridCache) -> tuple[TrainingRange, ...]:
    """Return the 1st to 99th percentile of every quantity among the training patients.

    A quantity with one value in all patients is left out: after resampling to one spacing, its range would flag every
    other exam.
    """
    names = list(cache.records[0].measured)
    values = {name: [record.measured[name] for record in cache.records] for name in names}
    ranges = (TrainingRange(name, *map(float, np.percentile(v, [1, 99]))) for name, v in values.items())
    return tuple(found for found in ranges if not np.isclose(found.low, found.high))


def training_times(records: Iterable[Record]) -> tuple[TrainingTimes, ...]:
    """Return when early and late phases of the training patients were acquired; empty if no time is known.

    If the table has times of more phases than there are files, late is taken to be the last of them.
    """
    seconds: dict[str, list[float]] = {"early": [], "late": []}
    for record in records:
        table = parse_times(record.row.get("acquisition_times", ""))
        known = {"late": table[-1] - table[1]} if len(table) >= 3 else {}
        for phase, time in (known | dict(record.times)).items():
            seconds[phase].append(time)
    return tuple(_spread(phase, values) for phase, values in seconds.items() if values)


def describe_times(times: Iterable[TrainingTimes]) -> str:
    """Return the times of the training patients' phases as a sentence of the model card; empty if there are none."""
    known = list(times)
    parts = [
        f"{_LABELS[each.phase].format(*each.quartiles)} (median; 25th to 75th percentile {each.quartiles[0]:.0f} to "
        f"{each.quartiles[2]:.0f} s, 5th to 95th {each.low:.0f} to {each.high:.0f} s)"
        for each in known
    ]
    text = ", ".join(parts)
    return f"{text[:1].upper()}{text[1:]}, by the table's times of {known[0].patients} patients." if known else ""


def _spread(phase: str, seconds: list[float]) -> TrainingTimes:
    low, *quartiles, high = map(float, np.percentile(seconds, [5, 25, 50, 75, 95]))
    low = math.floor(min(low, quartiles[1] - _LEAST_SPREAD))  # whole seconds, as warnings show them
    high = math.ceil(max(high, quartiles[1] + _LEAST_SPREAD))
    return TrainingTimes(phase, low, high, tuple(quartiles), len(seconds))  # type: ignore[arg-type]
