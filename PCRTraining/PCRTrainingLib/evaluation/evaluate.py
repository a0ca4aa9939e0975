"""How well models do on cohorts: metrics with 95 % intervals, paired comparison, calibration, subgroups, attention.

Arrays are (N,) of a cohort's patients unless said otherwise; the metrics and their sources are those of `metrics`.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.bundle import Bundle
from PCRPredictorLib.model.grid import GridSpec
from PCRPredictorLib.model.predictor import library_versions
from PCRPredictorLib.network import PCRNet
from PCRPredictorLib.prediction import OperatingPoint
from PCRPredictorLib.reading.cohort import find_patients
from PCRPredictorLib.writing import whole_folder, write_json
from torch import Tensor

from ..cohort.cache import GridCache, open_or_build
from ..cohort.check import count, identifier_mark
from ..progress import Progress
from ..schema import KNOWN
from ..statistics.metrics import (
    Interval,
    age_bin,
    auc,
    bootstrap,
    brier,
    calibration_curve,
    challenge_score,
    delong,
    rates,
    roc_points,
    sensitivity_at,
)
from ..training.inference import Scores, randomised, score, score_ensemble
from .report import render_evaluation

FAIRNESS_VARIABLES = ("age", "menopause", "breast_density")  # of the MAMA-MIA challenge
_SUBGROUPS = (*FAIRNESS_VARIABLES, "tumor_subtype", "hr", "her2", "site", "manufacturer")
_SMALLEST_GROUP = 5  # patients of a class for an AUC


@dataclass(frozen=True, eq=False)
class Outcome:
    """What one model said of one cohort.

    Args:
        name: of the model.
        probability: (N,) calibrated.
        decision: (N,) bool, at an operating point fixed on the training side.
        point: that operating point; None where every part of the patients had its own.
        scores: attention of each patient, (N,); None for a model without images.
        map_name: "attention" or "Grad-CAM".
        random_in_tumour: share of the map inside the tumour when the weights are random.
        point_name: what the operating point is called where there is none for all, see `operating.describe_parts`.
        order: (N,), by which patients are ranked, see `operating.CrossFitted`; None for the probability.
    """

    name: str
    probability: np.ndarray
    decision: np.ndarray
    point: OperatingPoint | None = None
    scores: Scores | None = None
    map_name: str | None = None
    random_in_tumour: float | None = None
    point_name: str = ""
    order: np.ndarray | None = None

    @property
    def ranked(self) -> np.ndarray:
        """(N,), by which patients are ranked."""
        return self.probability if self.order is None else self.order


def evaluate(
    cohorts: Sequence[Path], bundles: Sequence[Bundle], out: Path, device: str, progress: Progress
) -> dict[str, object]:
    """Every model on every cohort, all on the same patients; what is read of the cohorts is cached in `out/cache`.

    Raises:
        DataError: if a cohort cannot be used or shares patients with a model's training.
    """
    results = []
    for name, cohort in zip(cohort_names(cohorts), cohorts, strict=True):
        caches = _read_for(bundles, cohort, name, out / "cache" / name, progress)
        for bundle in bundles:
            known = bundle.training_images, bundle.training_patients
            refuse_patients(shared_patients(caches[bundle.settings.grid], *known), cohort)
        outcomes: list[Outcome] = []
        for bundle in bundles:
            progress.start(f"{bundle.card.name} on {name}", 1)
            outcomes.append(run_bundle(bundle, caches[bundle.settings.grid], device))
            progress.advance()
        cache = caches[bundles[0].settings.grid]
        results.append(describe_cohort(name, cache, np.arange(len(cache)), _with_own_names(outcomes)))
    return {
        "kind": "evaluation",
        "cohorts": results,
        "models": [
            {
                "name": bundle.card.name,
                "version": bundle.card.version,
                "training_data": bundle.card.training_data,
                "checksum": bundle.checksum,
            }
            for bundle in bundles
        ],
    }


def _read_for(
    bundles: Sequence[Bundle], cohort: Path, name: str, folder: Path, progress: Progress
) -> dict[GridSpec, GridCache]:
    """A cohort on the grid of every model; patients whose variables any of them cannot read are left out for all."""
    schema = ClinicalSchema(tuple(variable for bundle in bundles for variable in bundle.schema.variables))
    caches: dict[GridSpec, GridCache] = {}
    for grid in dict.fromkeys(bundle.settings.grid for bundle in bundles):
        progress.start(f"Reading {name}", len(find_patients(cohort)))
        cache = open_or_build(cohort, folder / str(len(caches)), grid, schema, lambda *_: progress.advance())
        check_classes(cache, cohort)
        caches[grid] = cache
    return caches


def write_evaluation(
    cohorts: Sequence[Path], bundles: Sequence[Bundle], out: Path, device: str, progress: Progress
) -> None:
    """`evaluate`, into `evaluation.json` and `evaluation.html`.

    Raises:
        DataError: as `evaluate`, or if the folder cannot be written.
    """
    with whole_folder(out) as folder:
        result = evaluate(cohorts, bundles, folder, device, progress) | {"versions": library_versions()}
        shutil.rmtree(folder / "cache")
        write_json(result, folder / "evaluation.json")
        (folder / "evaluation.html").write_text(render_evaluation(result), encoding="utf-8")


def run_bundle(bundle: Bundle, cache: GridCache, device: str = "cpu") -> Outcome:
    """The fold ensemble of a bundle, as the predictor runs it, on a cached cohort."""
    settings, point = bundle.settings, bundle.operating_point()
    networks, clinical = bundle.load_networks(device), cache.encode(bundle.schema)
    probability, scores = score_ensemble(networks, cache, clinical, settings.calibration, settings.flips, device)
    return Outcome(
        bundle.card.name,
        probability,
        probability >= point.threshold,
        point,
        scores,
        map_name(networks[0]),
        random_share(networks[0], cache, clinical, device),
    )


def random_share(network: PCRNet, cache: GridCache, clinical: Tensor, device: str = "cpu") -> float:
    """Share of the map inside the tumour with random weights, mean over 100 patients or all.

    Args:
        clinical: (N of the cache, schema width).

    Source: Adebayo et al., NeurIPS 2018.
    """
    some = np.arange(len(cache))[:: max(len(cache) // 100, 1)]
    return float(score(randomised(network).to(device), cache, clinical, some, (), device).in_tumour.mean())


def map_name(network: PCRNet) -> str:
    """What `inference.explain` shows of a network."""
    return "Grad-CAM" if network.attention is None else "attention"


def describe_cohort(name: str, cache: GridCache, index: np.ndarray, outcomes: Sequence[Outcome]) -> dict[str, object]:
    """Metrics of every model on the patients at the positions `index`, (n,), and every pair of models compared."""
    label, groups = cache.labels[index], find_groups(cache, index)
    truth = cache.true_probability
    return {
        "name": name,
        "patients": len(index),
        "positives": int(label.sum()),
        "left_out": len(cache.quarantine),
        "best_possible_auc": None if truth is None else auc_interval(truth[index], label).to_json(),
        "models": [describe_model(outcome, label, groups) for outcome in outcomes],
        "comparisons": [compare(one, other, label) for other, one in combinations(outcomes, 2)],
    }


def _rate(name: str, decision: np.ndarray, label: np.ndarray) -> Callable[[np.ndarray], float]:
    """A field of `Rates` as a statistic of positions."""
    return lambda index: getattr(rates(decision[index], label[index]), name)


def describe_model(outcome: Outcome, label: np.ndarray, groups: Mapping[str, np.ndarray]) -> dict[str, object]:
    """Metrics of one model, with intervals by bootstrap over patients."""
    probability, decision, point = outcome.probability, outcome.decision, outcome.point
    fairness = {name: groups[name] for name in FAIRNESS_VARIABLES if name in groups}
    x, y = roc_points(outcome.ranked, label)
    return {
        "name": outcome.name,
        "auc": auc_interval(outcome.ranked, label).to_json(),
        "operating_point": {
            "name": point.name if point else outcome.point_name,
            "threshold": point.threshold if point else None,
        },
        **{
            key: bootstrap(_rate(key, decision, label), label).to_json()
            for key in ("sensitivity", "specificity", "balanced_accuracy")
        },
        "brier": bootstrap(lambda i: brier(probability[i], label[i]), label).to_json(),
        "challenge_score": bootstrap(
            lambda i: challenge_score(decision[i], label[i], {name: group[i] for name, group in fairness.items()}),
            label,
            resamples=200,
        ).to_json()
        if fairness
        else None,
        "calibration_curve": calibration_curve(probability, label),
        "roc": {"false_positive_rate": x.tolist(), "sensitivity": y.tolist()},
        "subgroups": list(_subgroups(outcome, label, groups)),
        "attention": describe_attention(outcome, label),
    }


def describe_attention(outcome: Outcome, label: np.ndarray) -> dict[str, object] | None:
    """Where the model looked; None for a model without images."""
    scores = outcome.scores
    if scores is None:
        return None
    return {
        "map": outcome.map_name,
        "in_tumour": bootstrap(lambda i: float(scores.in_tumour[i].mean()), label).to_json(),
        "pointing_game": bootstrap(lambda i: float(scores.peak_in_tumour[i].mean()), label).to_json(),
        "randomised_in_tumour": outcome.random_in_tumour,
    }


def compare(one: Outcome, other: Outcome, label: np.ndarray) -> dict[str, object]:
    """Two models on the same patients: AUC (DeLong), and sensitivity at the other's specificity (paired bootstrap)."""
    test = delong(one.ranked, other.ranked, label)
    specificity = rates(other.decision, label).specificity

    def gain(i: np.ndarray) -> float:
        level = rates(other.decision[i], label[i]).specificity
        return sensitivity_at(one.ranked[i], label[i], level) - rates(other.decision[i], label[i]).sensitivity

    return {
        "model": one.name,
        "other": other.name,
        "auc_difference": Interval(test.difference, test.low, test.high).to_json(),
        "p": finite(test.p),
        "matched_specificity": specificity,
        "sensitivity": sensitivity_at(one.ranked, label, specificity),
        "other_sensitivity": rates(other.decision, label).sensitivity,
        "sensitivity_difference": bootstrap(gain, label).to_json(),
    }


def auc_interval(score_: np.ndarray, label: np.ndarray) -> Interval:
    """AUC with its 95 % interval by bootstrap over patients."""
    return bootstrap(lambda i: auc(score_[i], label[i]), label)


def find_groups(cache: GridCache, index: np.ndarray) -> dict[str, np.ndarray]:
    """Variables of the table by which patients are divided, (n,) text each; empty text where unknown."""
    groups = {}
    for name in _SUBGROUPS:
        texts = cache.column(name)[index]
        if name == "age":
            values = np.array([age_bin(_number(text)) for text in texts])
        else:
            values = np.array([_spelling(name, text) for text in texts])
        if len(set(values) - {""}) > 1:
            groups[name] = values
    return groups


def check_classes(cache: GridCache, cohort: Path) -> None:
    """Refuse a cohort without patients of both kinds.

    Raises:
        DataError: if it is one.
    """
    if len(set(cache.labels.tolist())) < 2:
        raise DataError(
            f"{cohort}: must have patients with and without pCR to evaluate on, got {len(cache)} of one kind; "
            "run pcr check to see who was left out"
        )


def shared_patients(cache: GridCache, images: Collection[str], patients: Collection[str]) -> list[str]:
    """Patients of a cohort that a model was trained on, by their images or by identifier.

    Args:
        images: fingerprints of those trained on.
        patients: hashes of the identifiers trained on, see `identifier_mark`.
    """
    images, patients = set(images), set(patients)
    return [
        record.patient_id
        for record in cache.records
        if record.fingerprint in images or identifier_mark(record.patient_id) in patients
    ]


def refuse_patients(shared: Sequence[str], cohort: Path) -> None:
    """Refuse a cohort for the patients that it shares with the training one.

    Raises:
        DataError: if there are any.
    """
    if shared:
        names = ", ".join(shared[:10]) + (f" and {len(shared) - 10} more" if len(shared) > 10 else "")
        raise DataError(
            f"{cohort} shares {count(len(shared), 'patient')} with the training cohort ({names}); take them out of one "
            "of them, or rename patients that only have the same identifier"
        )


def cohort_names(cohorts: Sequence[Path]) -> list[str]:
    """A short, distinct name of every cohort: its folder's, numbered where two are the same."""
    names = [cohort.resolve().name for cohort in cohorts]
    return [name if names.count(name) == 1 else f"{name} {k + 1}" for k, name in enumerate(names)]


def _with_own_names(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Models of the same name are numbered."""
    names = [outcome.name for outcome in outcomes]
    return [
        outcome if names.count(outcome.name) == 1 else replace(outcome, name=f"{outcome.name} {k + 1}")
        for k, outcome in enumerate(outcomes)
    ]


def _subgroups(outcome: Outcome, label: np.ndarray, groups: Mapping[str, np.ndarray]) -> Iterator[dict[str, object]]:
    for variable, values in groups.items():
        for group in sorted(set(values) - {""}):
            inside = values == group
            here = rates(outcome.decision[inside], label[inside])
            fewest = int(min(label[inside].sum(), (1 - label[inside]).sum()))
            interval = auc_interval(outcome.ranked[inside], label[inside]) if fewest >= _SMALLEST_GROUP else None
            yield {
                "variable": variable,
                "group": group,
                "patients": int(inside.sum()),
                "positives": int(label[inside].sum()),
                "auc": interval.to_json() if interval else None,
                "sensitivity": finite(here.sensitivity),
                "specificity": finite(here.specificity),
            }


def _spelling(name: str, text: str) -> str:
    """A value as the schema names it, so that "post (>12 months)" and "post" are one group."""
    if name in KNOWN and text:
        try:
            return str(KNOWN[name].parse(text))
        except ValueError:
            return ""
    return text


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def finite(value: float) -> float | None:
    """None instead of nan, for JSON."""
    return value if math.isfinite(value) else None
