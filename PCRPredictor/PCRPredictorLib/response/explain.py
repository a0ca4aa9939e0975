"""The logit after a visit as a sum of terms: base, clinical values, one term per level and per change.

All fits of a formula are linear in the same numbers, and their calibrated logits are averaged, so that

    logit = base + sum over inputs of mean weight x (number - that of the average training patient)

holds exactly; what is estimated has a term of its own, as it is linear in the same way.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from ..clinical import ClinicalSchema, Value
from ..evidence import Evidence, Possibility, Term, arrange
from ..formatting import format_value
from ..model.additive import NORMAL_95
from .course import change
from .inputs import Input, columns_of
from .reader import Reading
from .settings import Formula


def explain(
    formula: Formula,
    reading: Reading,
    schema: ClinicalSchema,
    clinical: Mapping[str, Value],
    possible: Mapping[str, tuple[Possibility, ...]],
) -> Evidence:
    """Return the sum that gives the probability.

    Args:
        formula: that was used.
        reading: of the course.
        schema: of the clinical variables.
        clinical: their values, None if unknown.
        possible: of each variable that is unknown, the answer for each likely value.
    """
    weights = reading.settings.weights(formula).mean(0)
    logit = float(formula.constants.mean() + weights @ reading.numbers)
    base = float(formula.constants.mean() + weights @ reading.average)
    log_odds = dict(zip(reading.settings.names, weights * (reading.numbers - reading.average), strict=True))
    terms = [
        *_clinical_terms(schema, clinical, possible, log_odds, formula),
        *_measured_terms(formula, reading, weights, log_odds),
    ]
    return Evidence(arrange(base, terms, logit), logit, "typical")


def _clinical_terms(
    schema: ClinicalSchema,
    clinical: Mapping[str, Value],
    possible: Mapping[str, tuple[Possibility, ...]],
    log_odds: Mapping[str, float],
    formula: Formula,
) -> Iterator[Term]:
    for variable in schema.asked:
        columns = columns_of(variable)
        if not set(columns) & set(formula.inputs):
            continue
        value, answers = clinical.get(variable.name), possible.get(variable.name, ())
        changes = [each.log_odds for each in answers]
        yield Term(
            variable.name,
            variable.label,
            "clinical",
            sum(log_odds[name] for name in columns),
            value=variable.describe(value),
            known=value is not None,
            could_add=(min(changes), max(changes)) if changes else None,
            possibilities=answers,
        )


def _measured_terms(
    formula: Formula, reading: Reading, weights: np.ndarray, log_odds: Mapping[str, float]
) -> Iterator[Term]:
    deviations = NORMAL_95 * np.abs(weights) * np.sqrt(np.diag(reading.spread).clip(0))
    for each, deviation in zip(reading.settings.inputs, deviations.tolist(), strict=False):
        if each.name not in formula.inputs:
            continue
        known = reading.is_known(each)
        yield Term(
            each.name,
            each.label,
            "measured" if known else "estimated",
            float(log_odds[each.name]),
            value=describe_input(each, reading) if known else f"{describe_input(each, reading)} (estimated)",
            known=known,
            could_add=None if known else (-deviation, deviation),
        )


def describe_input(each: Input, reading: Reading) -> str:
    """Return the value of an input in words: with its unit, in per cent of an earlier one, or that it is gone."""
    scale, now = reading.scale(each), each.columns[0]
    if now in reading.gone:
        return "gone"
    values = [reading.values.get(name, reading.value(name)) for name in each.columns]
    if each.since is None:
        return scale.describe(values[0])
    found = change(values[1], values[0])
    return f"{format_value(found.percent, 0, signed=True)} %" if found else f"now {scale.describe(values[0])}"
