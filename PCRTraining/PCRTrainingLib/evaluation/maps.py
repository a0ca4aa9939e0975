"""Attention and Grad-CAM beside the plain early-enhancement map, in plain values with intervals over patients.

Arrays are (N,) of the patients at the positions `index` of a cache.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PCRPredictorLib.formatting import format_value
from PCRPredictorLib.model.grid import GridSpec

from ..cohort.cache import GridCache
from ..statistics.maps import ENHANCEMENT, MapScores, at_common_resolution, enhancement_map, score_map
from ..statistics.metrics import Interval, bootstrap, finite, wilson
from ..statistics.operating import Outcome, Scores
from .layout import Table

_BATCH = 64
_HEAD = ("Model", "Map", "In tumour", "Dice", "Pointing game", "In tumour, common resolution", "Dice", "Pointing game")
_NOTE = (
    "In tumour: share of the map in the mask. Dice: overlap of the mask with as many voxels, those of the map's "
    "highest values. Pointing game: share of patients with the peak in the mask. First at the resolution of the map "
    "(attention and enhancement: half the window's rows and columns; Grad-CAM: half its slices, a quarter of rows and "
    "columns), then all at that of Grad-CAM. Early enhancement is the subtraction image, early - pre, not negative: a "
    "map that needs no model. Random weights: the map of the same network before it has learned anything. Mass inside "
    "depends on how sharp a map is; Dice and the pointing game do not, but random weights can reach them, too: they "
    "rank what enhances first."
)


def enhancement_scores(cache: GridCache, index: np.ndarray) -> tuple[MapScores, MapScores]:
    """Return how well the enhancement map finds the tumours, on the attention's grid and at the common resolution."""
    own, common = list[MapScores](), list[MapScores]()
    for chosen in np.array_split(index, max(-(-len(index) // _BATCH), 1)):
        image, mask = cache.image_and_mask(chosen)
        rise = enhancement_map(image)
        own.append(score_map(rise, mask))
        common.append(score_map(at_common_resolution(rise, image.shape), mask))
    return _joined(own), _joined(common)


def add_enhancement(
    described: dict[str, Any], outcomes: Sequence[Outcome], caches: Sequence[GridCache], index: np.ndarray
) -> dict[str, Any]:
    """Return the description of a cohort with Dice, the common resolution, and the enhancement map beside each map.

    Args:
        described: from `description.describe_cohort`.
        outcomes: that were described, in order.
        caches: that the model of each outcome read.
    """
    beside_by_grid: dict[GridSpec, dict[str, object]] = {}
    for model, outcome, cache in zip(described["models"], outcomes, caches, strict=True):
        label = cache.labels[index]
        if outcome.scores is not None:
            if cache.grid not in beside_by_grid:
                own, common = enhancement_scores(cache, index)
                beside_by_grid[cache.grid] = _described(own, label) | {"common": _described(common, label)}
            first, second = _maps_of(outcome.scores)
            model["attention"] |= _described(first, label) | {"common": _described(second, label)}
            model["attention"]["enhancement"] = beside_by_grid[cache.grid]
    return described


def describe_maps(found: Sequence[Outcome], enhancement: tuple[MapScores, MapScores]) -> dict[str, object]:
    """Return the maps of one row of an experiment, means over patients and seeds, and the enhancement map's.

    Args:
        found: of each seed.
        enhancement: from `enhancement_scores`.
    """
    scores = [outcome.scores for outcome in found if outcome.scores is not None]
    if not scores:
        return {}
    pairs = [_maps_of(each) for each in scores]
    own, common = ([_means(pair[k]) for pair in pairs] for k in (0, 1))
    return {
        "attention_dice": finite(float(np.mean([each["dice"] for each in own]))),
        "attention_common": {key: finite(float(np.mean([each[key] for each in common]))) for key in common[0]},
        "enhancement": dict(zip(("own", "common"), map(_means, enhancement), strict=True)),
    }


def attention_metrics(attention: Mapping[str, Any]) -> dict[str, object]:
    """Return what a model card says of the attention, with the enhancement map's values beside it."""
    beside = attention["enhancement"]
    return {
        "attention_in_tumour": attention["in_tumour"],
        "early_enhancement_in_tumour": beside["in_tumour"],
        "attention_dice": attention["dice"],
        "early_enhancement_dice": beside["dice"],
    }


def map_table(models: Sequence[Mapping[str, Any]]) -> Table:
    """Return the maps of the models of a cohort, and the enhancement map's row; without that, what there is."""
    shown = [model for model in models if model["attention"]]
    rows = [row for model in shown for row in _rows_of(model["name"], model["attention"])]
    found = [
        (model["name"], model["attention"]["enhancement"]) for model in shown if "enhancement" in model["attention"]
    ]
    distinct = [
        (name, beside) for k, (name, beside) in enumerate(found) if beside not in [each for _, each in found[:k]]
    ]
    for name, beside in distinct:
        rows.append(_row("no model" + f", window of {name}" * (len(distinct) > 1), ENHANCEMENT, beside))
    return Table("Where the models looked", _HEAD, rows, _NOTE)


def row_map_table(models: Sequence[Mapping[str, Any]]) -> Table:
    """Return the maps of the rows of an experiment on one cohort, and the enhancement map's row."""
    shown = [model for model in models if model.get("attention_map")]
    found = [
        {
            "in_tumour": model.get("attention_in_tumour"),
            "dice": model.get("attention_dice"),
            "pointing_game": model.get("pointing_game"),
            "common": model.get("attention_common"),
        }
        for model in shown
    ]
    rows = [_row(model["name"], model["attention_map"], each) for model, each in zip(shown, found, strict=True)]
    beside = next((model["enhancement"] for model in shown if model.get("enhancement")), None)
    if beside is not None:
        rows.append(_row("no model", ENHANCEMENT, {**beside["own"], "common": beside.get("common")}))
    return Table("Where the models looked", _HEAD, rows, _NOTE)


def _rows_of(name: str, attention: Mapping[str, Any]) -> list[list[str]]:
    """Return the map of a model, and below it that of the same network with random weights, if it was measured."""
    beside = attention.get("randomised") or {"in_tumour": attention.get("randomised_in_tumour")}
    rows = [_row(name, attention["map"], attention)]
    if beside["in_tumour"] is None:
        return rows
    return [*rows, _row(name, f"{attention['map']}, random weights", beside)]


def _row(name: str, what: str, values: Mapping[str, Any]) -> list[str]:
    keys = ("in_tumour", "dice", "pointing_game")
    common = values.get("common") or {}
    cells = [format_value(each.get(key)) for each in (values, common) for key in keys]
    return [name, what, *cells]


def _maps_of(scores: Scores) -> tuple[MapScores, MapScores]:
    return (
        MapScores(scores.in_tumour, scores.dice, scores.peak_in_tumour),
        MapScores(scores.common_in_tumour, scores.common_dice, scores.common_peak_in_tumour),
    )


def _described(scores: MapScores, label: np.ndarray) -> dict[str, object]:
    return {
        key: _mean_of(values, label, is_share=key == "pointing_game").to_json()
        for key, values in _values(scores).items()
    }


def _mean_of(values: np.ndarray, label: np.ndarray, *, is_share: bool) -> Interval:
    """Return the mean of values per patient, (N,); those of a share are 0 or 1."""
    if is_share:
        return wilson(float(values.mean()), len(values))
    return bootstrap(lambda i: float(values[i].mean()), label)


def _means(scores: MapScores) -> dict[str, float]:
    return {key: float(values.mean()) for key, values in _values(scores).items()}


def _values(scores: MapScores) -> dict[str, np.ndarray]:
    return {"in_tumour": scores.in_tumour, "dice": scores.dice, "pointing_game": scores.peak_in_tumour}


def _joined(parts: Sequence[MapScores]) -> MapScores:
    each = ([getattr(part, name) for part in parts] for name in ("in_tumour", "dice", "peak_in_tumour"))
    return MapScores(*(np.concatenate(arrays) for arrays in each))
