"""The model card of a response model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PCRPredictorLib.model.card import ModelCard
from PCRPredictorLib.response.course import QUANTITIES
from PCRPredictorLib.response.settings import ResponseSettings

from ..evaluation.card import card_metrics, card_subgroups, point_metrics
from ..schema import describe_variables
from ..visit_tables.patients import VisitPatients
from .fit import Fitted

_USUAL = {
    "version": "1.0.0",
    "description": "Probability of pathological complete response given the MRI visits so far, trained by pcr train.",
    "authors": "the user who ran pcr train",
    "licence": "Subject to the licence of the training data.",
    "intended_use": "Research.",
    "not_intended_use": "Decisions about patients.",
    "known_limits": "Validated on its own patients only; run pcr evaluate on patients of other hospitals.",
}
_RATES = ("sensitivity", "specificity")


def make_response_card(
    name: str,
    patients: VisitPatients,
    fitted: Fitted,
    summary: Mapping[str, Any],
    settings: ResponseSettings,
    texts: Mapping[str, str],
) -> ModelCard:
    """Return the card of a bundle.

    Args:
        name: of the model.
        patients: trained on.
        fitted: the model.
        summary: results out of fold, see `train.Results`.
        settings: of the bundle.
        texts: from `evaluation.card.read_texts`, instead of the usual ones.
    """
    trained_on = f"{len(patients)} patients of {patients.name}, {int(patients.labels.sum())} with pCR."
    more = texts.get("training_data", "")
    written: dict[str, Any] = {"name": name} | _USUAL | dict(texts) | {"training_data": f"{trained_on} {more}".strip()}
    metrics: dict[str, object] = {}
    subgroups: dict[str, Mapping[str, object]] = {}
    for visit in summary["cohorts"]:
        ours = visit["models"][0]
        found = {key: value for key, value in card_metrics(ours).items() if key not in _RATES}
        metrics[f"{visit['name']}, out of fold"] = found
        subgroups |= {f"{key}, {visit['name']}": value for key, value in card_subgroups(ours).items()}
    last = next((f for f in settings.formulas if " + ".join(f.visits) == summary["cohorts"][-1]["name"]), None)
    for point in last.operating_points if last else ():
        metrics[f"{point.name} point, {' + '.join(last.visits if last else ())}"] = point_metrics(point)
    return ModelCard(
        **written,
        metrics=metrics,
        subgroups=subgroups,
        variables=(*describe_variables(fitted.schema), *_ranges(settings)),
    )


def _ranges(settings: ResponseSettings) -> tuple[str, ...]:
    """Return a sentence for each quantity: its range at each visit."""
    found = []
    for quantity in QUANTITIES:
        own = [level for level in settings.levels if level.quantity == quantity.name]
        if own:
            shown = ", ".join(f"{level.visit} {level.low:.3g} to {level.high:.3g}" for level in own)
            found.append(f"{quantity.label}, {quantity.unit}: {shown}".replace(", :", ":"))
    return tuple(found)
