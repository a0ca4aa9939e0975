"""The model card of a run: training data, performance overall and by subgroup, failures, intended use."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.files.json_text import read_json
from PCRPredictorLib.model.card import ModelCard
from PCRPredictorLib.prediction import OperatingPoint
from PCRPredictorLib.report.rendering import render
from PCRPredictorLib.report.wording import describe_auc

from ..cohort.cache import GridCache
from ..statistics.operating import Outcome
from .maps import attention_metrics, enhancement_scores
from .report import TEMPLATES

TEXTS = (
    "name",
    "version",
    "description",
    "authors",
    "licence",
    "training_data",
    "intended_use",
    "not_intended_use",
    "known_limits",
    "elsewhere",
)
RATES = ("sensitivity", "specificity")
_METRICS = ("auc", *RATES, "brier")


def read_texts(path: Path) -> dict[str, str]:
    """Return texts of a card from a JSON object with any of `TEXTS`; `training_data` is added to the run's own text.

    Raises:
        DataError: if the file cannot be read or holds anything else.
    """
    try:
        content = read_json(path)
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path}: cannot be read as JSON ({error}); give an object with any of {', '.join(TEXTS)}"
        ) from None
    if not isinstance(content, dict) or not all(isinstance(text, str) for text in content.values()):
        raise DataError(f"{path}: must be a JSON object of texts; use any of {', '.join(TEXTS)}")
    if unknown := sorted(set(content) - set(TEXTS)):
        raise DataError(f"{path}: {unknown[0]!r} is not part of a model card; use any of {', '.join(TEXTS)}")
    return content


def make_card(
    name: str,
    cohort: str,
    cache: GridCache,
    described: Mapping[str, Any],
    points: Sequence[OperatingPoint],
    texts: Mapping[str, str],
) -> ModelCard:
    """Return the card of a bundle; `texts` complete it with facts that are not in the data.

    Args:
        name: of the model.
        cohort: name of the cohort trained on.
        cache: of the patients of the cohort.
        described: from `description.measure_model`, out of fold.
        points: operating points of the bundle, with cross-fitted rates.
        texts: from `read_texts`.
    """
    trained_on = f"{len(cache)} patients of {cohort}, {int(cache.labels.sum())} with pCR."
    usual = {
        "name": name,
        "version": "1.0.0",
        "description": "Stepwise attention-guided model for pathological complete response, trained by pcr train.",
        "authors": "the user who ran pcr train",
        "licence": "Subject to the licence of the training data.",
        "intended_use": "Research.",
        "not_intended_use": "Decisions about patients.",
        "known_limits": "Validated on its own cohort only; run pcr evaluate on patients of other hospitals.",
    }
    written: dict[str, Any] = (
        usual | dict(texts) | {"training_data": f"{trained_on} {texts.get('training_data', '')}".strip()}
    )
    overall = {name: value for name, value in card_metrics(described).items() if name not in RATES}
    metrics = {"out of fold": overall, **{f"{point.name} point": point_metrics(point) for point in points}}
    return ModelCard(**written, metrics=metrics, subgroups=card_subgroups(described))


def card_metrics(described: Mapping[str, Any]) -> dict[str, object]:
    """Return the metrics of a model card, from `description.measure_model`."""
    metrics = {name: described[name] for name in _METRICS}
    metrics |= {f"calibration_{name}": described["calibration"][name] for name in ("slope", "in_the_large")}
    if described["attention"]:
        metrics |= attention_metrics(described["attention"])
    return metrics


def point_metrics(point: OperatingPoint) -> dict[str, object]:
    """Return the rates of an operating point, each with its interval, and the patients of whom they are."""
    values: dict[str, object] = {}
    for name in (*RATES, "ppv", "npv"):
        value, interval = getattr(point, name), getattr(point, f"{name}_interval")
        values[name] = dict(zip(("value", "low", "high"), (value, *(interval or (None, None))), strict=True))
    return {**values, "share_above": point.share_above, "patients": point.patients}


def card_subgroups(described: Mapping[str, Any]) -> dict[str, dict[str, object]]:
    """Return patients, positives and AUC (None for few patients) of every subgroup of `description.measure_model`."""
    return {
        f"{group['variable'].replace('_', ' ')}: {group['group']}": {
            name: group[name] for name in ("patients", "positives", "auc")
        }
        for group in described["subgroups"]
    }


def find_failures(probability: np.ndarray, label: np.ndarray, most: int = 3) -> np.ndarray:
    """Return the positions (n,) of the largest errors of a model: missed patients with pCR, then false alarms.

    Args:
        probability, label: (N,).
        most: number of each kind.
    """
    order = np.argsort(probability)
    return np.concatenate([order[label[order] == 1][:most], order[label[order] == 0][::-1][:most]])


def describe_failure(
    cache: GridCache, position: int, probability: float, in_tumour: float, enhancement_in_tumour: float
) -> str:
    """Return a sentence about an error of a model that does not identify the patient.

    Args:
        in_tumour, enhancement_in_tumour: share of the attention, and of the early-enhancement map, inside the tumour.
    """
    record = cache.records[position]
    response = "pCR" if record.label else "no pCR"
    return (
        f"{response}, predicted {100 * probability:.0f} %: tumour {record.measured['tumour_volume']:.1f} ml, early "
        f"enhancement {record.measured['early_enhancement']:.0f} %, {100 * in_tumour:.0f} % of the attention "
        f"inside the tumour (of plain early enhancement {100 * enhancement_in_tumour:.0f} %)"
    )


def describe_failures(cache: GridCache, index: np.ndarray, outcome: Outcome) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the largest errors out of fold: positions in the cache, (n,), and a sentence for each.

    Args:
        index: positions (N,) of the patients in the cache.
        outcome: of the same patients.
    """
    worst, probability = find_failures(outcome.probability, cache.labels[index]), outcome.probability
    beside, _ = enhancement_scores(cache, index[worst])
    values = zip(index[worst], probability[worst], outcome.in_tumour[worst], beside.in_tumour, strict=True)
    return index[worst], tuple(describe_failure(cache, int(at), *map(float, found)) for at, *found in values)


def readme(card: ModelCard) -> str:
    """Return the card as Markdown, for people."""
    return render("card.md.j2", TEMPLATES, card=card, performance=describe_auc(card))
