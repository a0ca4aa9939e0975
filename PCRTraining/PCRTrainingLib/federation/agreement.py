"""What the sites agree on before the first round: configuration, clinical variables and their scaling.

The scaling comes from counts, sums and sums of squares; medians and percentiles would need the patients' values.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
from PCRPredictorLib.clinical import Category, ClinicalSchema, Number
from PCRPredictorLib.errors import DataError

from ..cohort.cache import GridCache
from ..config import TrainingConfig
from ..schema import build_schema
from .messages import LEAST_FOR_SUMS

Sums = Mapping[str, tuple[float, float, float]]
_TAIL = 2.326  # standard deviations to the 1st and the 99th percentile of a normal distribution


def check_config(config: TrainingConfig, rounds: int | None) -> None:
    """Refuse settings that a federation cannot follow.

    Args:
        rounds: of each step; None for one per epoch.

    Raises:
        DataError: naming the setting and what to write instead.
    """
    for step in config.steps:
        if step.patience is not None:
            raise DataError(f"step {step.name} must have no patience in a federation; set patience to null")
        epochs = config.epochs_of(step)
        if rounds is not None and epochs and rounds > epochs:
            raise DataError(
                f"rounds must be at most the {epochs} epochs of {step.name}, got {rounds}; a round is an epoch or more"
            )
    if config.pretraining:
        raise DataError(f"pretraining must be 0 in a federation, got {config.pretraining}")
    if config.validation:
        raise DataError(f"validation must be 0 in a federation, got {config.validation:g}")


def shared_schema(config: TrainingConfig) -> ClinicalSchema:
    """Return the clinical variables of a configuration; each site must have all of them.

    Raises:
        DataError: if a name is not known.
    """
    names = [variable if isinstance(variable, str) else variable.name for variable in config.clinical]
    return build_schema(config.clinical, [dict.fromkeys(names, "1")])[0]


def missing_variables(config: TrainingConfig, rows: Iterable[Mapping[str, object]]) -> tuple[str, ...]:
    """Return the variables of a configuration of which no row has a value."""
    return tuple(build_schema(config.clinical, rows)[1])


def sums_of(schema: ClinicalSchema, cache: GridCache) -> Sums:
    """Return count, sum and sum of squares of every number that at least `LEAST_FOR_SUMS` patients have."""
    values = [schema.complete(schema.parse(record.row), record.quantities) for record in cache.records]
    found = {}
    for variable in schema.variables:
        if isinstance(variable, Number):
            known = np.array([v for each in values if (v := each.get(variable.name)) is not None], float)
            if len(known) >= LEAST_FOR_SUMS:
                found[variable.name] = (float(len(known)), float(known.sum()), float((known**2).sum()))
    return found


def agreed_schema(schema: ClinicalSchema, sites: Iterable[Sums]) -> ClinicalSchema:
    """Return the schema with centre, scale and range of its numbers over all sites together.

    The range is that of the middle 98 % of a normal distribution, inside the possible range. Numbers whose range the
    configuration gives keep their scaling, as do those that no site may speak of.

    Args:
        sites: of each, from `sums_of`.
    """
    sites = list(sites)
    return ClinicalSchema(tuple(_scale(variable, sites) for variable in schema.variables))


def _scale(variable: Number | Category, sites: list[Sums]) -> Number | Category:
    known = [each[variable.name] for each in sites if variable.name in each]
    if isinstance(variable, Category) or not known or variable.low is not None:
        return variable
    number, total, squares = (sum(part) for part in zip(*known, strict=True))
    mean = total / number
    sd = math.sqrt(max(squares / number - mean**2, 0.0)) or variable.sd
    low, high = max(mean - _TAIL * sd, variable.minimum), min(mean + _TAIL * sd, variable.maximum)
    return replace(variable, mean=mean, sd=sd, low=low, high=high)


def variable_names(config: TrainingConfig) -> frozenset[str]:
    """Return the names of the variables of a configuration."""
    return frozenset(variable.name for variable in shared_schema(config).variables)
