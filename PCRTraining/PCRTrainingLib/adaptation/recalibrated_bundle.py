"""The bundle of a recalibration: the same networks, new calibration and points, and a card that says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from PCRPredictorLib.model.bundle import RECALIBRATION, TRAINING_DISTRIBUTION, Bundle, write_bundle
from PCRPredictorLib.model.calibration import compose
from PCRPredictorLib.model.card import ModelCard
from safetensors.torch import load_file

from ..cohort.cache import GridCache, training_hashes
from ..evaluation.card import readme
from ..statistics.adaptation import Adaptation
from ..statistics.promises import with_rates
from .recalibration_report import describe_adaptation, describe_change, is_gain_shown


def write_recalibrated(
    bundle: Bundle, cache: GridCache, out: Path, name: str, measured: Mapping[str, Any], found: Adaptation
) -> None:
    """Write the new bundle; the old one stays as it is.

    Args:
        cache: of the patients that it was recalibrated on; their hashes are added to those of the training.
        out: folder of the new bundle.
        name: of the new model.
        measured: from `recalibration_report.measure_adaptation`.

    Raises:
        DataError: if it cannot be written.
    """
    label = cache.labels
    settings = replace(
        bundle.settings,
        calibration=compose(bundle.settings.calibration, found.change),
        operating_points=tuple(with_rates(point, found.above[point.name], label) for point in found.points),
        base_rate=float(label.mean()),
    )
    card = adapted_card(bundle.card, name, measured)
    (images, patients), (more_images, more_patients) = bundle.training_hashes, training_hashes(cache)
    known = bundle.training_distribution
    write_bundle(
        out,
        card,
        bundle.schema,
        settings,
        [load_file(fold) for fold in bundle.folds],
        readme(card),
        [*images, *more_images],
        sorted({*patients, *more_patients}),
        more={RECALIBRATION: dict(measured), **({} if known is None else {TRAINING_DISTRIBUTION: known})},
    )


def adapted_card(card: ModelCard, name: str, measured: Mapping[str, Any]) -> ModelCard:
    """Return the card of the new model: what was done, on whom (counts only), and what it gained."""
    cohort, base = measured["cohort"], measured["base"]
    on = f"{measured['patients']} patients of {cohort}, {measured['positives']} with pCR"
    what = f"{base['name']} {base['version']}, recalibrated on {on}: {describe_change(measured)}"
    shown = "" if is_gain_shown(measured) else " A gain in log loss is not shown."
    before, after = (_metrics(measured, when) for when in ("before", "after"))
    return replace(
        card,
        name=name,
        version="1.0.0",
        description=f"{what}.{shown} {card.description}",
        training_data=f"{card.training_data} Recalibrated on {on}; they are refused in an evaluation.",
        known_limits=f"Probabilities and thresholds are for patients like those {on}. {card.known_limits}",
        metrics={**card.metrics, f"{cohort}, before recalibration": before, f"{cohort}, cross-fitted": after},
        changelog={**card.changelog, "1.0.0": " ".join(describe_adaptation(measured))},
    )


def _metrics(measured: Mapping[str, Any], when: str) -> dict[str, object]:
    names = ("log_loss", "brier", "calibration_slope", "calibration_intercept")
    points = {
        f"{rate}, {point['name']}": point[rate]
        for point in measured["points"][when]
        for rate in ("sensitivity", "specificity")
    }
    return {**{name: measured[name][when] for name in names}, **points}
