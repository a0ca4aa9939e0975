"""How cached cohorts differ from the training patients of a model, and what a run records of its own."""

from typing import Any

import numpy as np
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.model.bundle import Bundle
from PCRPredictorLib.shift.distribution import TrainingDistribution
from PCRPredictorLib.shift.facts import PatientFacts, make_facts, summarise_training
from PCRPredictorLib.shift.report import shift_of

from ..cohort.cache import GridCache
from ..statistics.operating import Outcome


def cohort_shift(bundle: Bundle, cache: GridCache, outcome: Outcome) -> dict[str, Any]:
    """Return the shift of a cohort in plain values, see `shift.report.shift_of`.

    Raises:
        DataError: if the bundle is damaged.
    """
    return shift_of(bundle, facts_of_cache(cache, bundle.schema, outcome.probability))


def facts_of_cache(
    cache: GridCache, schema: ClinicalSchema, probability: np.ndarray | None = None
) -> list[PatientFacts]:
    """Return what is known of every patient of a cache.

    Args:
        probability: (N,), calibrated; None without a prediction.
    """
    known = [None] * len(cache) if probability is None else probability.tolist()
    return [
        make_facts(
            record.row,
            record.times,
            {**record.measured, **record.quantities},
            record.acquisition,
            schema,
            value,
            int(record.label),
        )
        for record, value in zip(cache.records, known, strict=True)
    ]


def training_distribution_of(cache: GridCache, schema: ClinicalSchema) -> TrainingDistribution:
    """Return what a bundle records of its training patients."""
    return summarise_training(facts_of_cache(cache, schema), schema)
