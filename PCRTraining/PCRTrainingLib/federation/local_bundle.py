"""The bundles of a federation: one of the global network, without calibration, and one at each site with its own."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.formatting import count
from PCRPredictorLib.model.bundle import write_bundle
from PCRPredictorLib.model.card import InferenceSettings, ModelCard
from PCRPredictorLib.prediction import OperatingPoint
from PCRPredictorLib.writing import write_whole_csv
from safetensors.torch import save_file

from ..chance import limits, refusal
from ..cohort.splits import write_splits
from ..config import SplitConfig, TrainingConfig
from ..evaluation.card import make_card, readme
from ..evaluation.description import measure_on
from ..run_folder import RunFolder
from ..runs.bundles import Fitted, bundle_points, write_run_bundle
from ..schema import describe_variables
from ..statistics.metrics import auc
from ..statistics.operating import Scores
from ..training.folds import Prepared, Run
from ..training.loop import Weights, network_arguments

UNCALIBRATED: Fitted = ((1.0, 0.0), (OperatingPoint("uncalibrated", 0.5),))
LEAST_TO_CALIBRATE = 5  # held-out patients of each class
_DESCRIPTION = "Stepwise attention-guided model for pathological complete response, trained by pcr federate"
_UNCALIBRATED = (
    "Not calibrated and not measured: probabilities and the threshold of 0.5 mean nothing until pcr bundle recalibrate "
    "has fitted them to patients. Each site has a calibrated bundle of its own."
)
_USUAL: dict[str, Any] = {
    "version": "1.0.0",
    "authors": "the hospitals that took part",
    "licence": "Subject to the agreement of the hospitals that took part.",
    "intended_use": "Research.",
    "not_intended_use": "Decisions about patients.",
}


def describe_training(facts: Mapping[str, Any]) -> str:
    """Return whom a federation was trained on: sites, patients and responders."""
    sites = [f"{name} {found['trained']}" for name, found in facts["sites"].items()]
    trained, positives = (
        sum(found[key] for found in facts["sites"].values()) for key in ("trained", "trained_positives")
    )
    noise = f" Updates were clipped and noised (multiplier {facts['noise']:g})." if facts.get("noise") else ""
    return (
        f"{count(trained, 'patient')} at {count(len(sites), 'site')} ({', '.join(sites)}), {positives} with pCR, by "
        f"federated averaging: no patient left a hospital.{noise}"
    )


def write_global_bundle(
    path: Path, name: str, config: TrainingConfig, schema: ClinicalSchema, weights: Weights, facts: Mapping[str, Any]
) -> None:
    """Write the network of all sites. The server has no patients, so it is neither calibrated nor measured.

    Args:
        facts: "sites", each with its counts; "noise"; "limits", a sentence before those of every such bundle.

    Raises:
        DataError: if it cannot be written.
    """
    step = config.steps[-1]
    schema_of_step = schema if step.clinical else ClinicalSchema(())
    found = facts["sites"].values()
    settings = InferenceSettings(
        network=network_arguments(step, config, schema),
        grid=config.grid,
        flips=config.flips,
        calibration=UNCALIBRATED[0],
        operating_points=UNCALIBRATED[1],
        base_rate=sum(each["trained_positives"] for each in found) / sum(each["trained"] for each in found),
        averaging="logit",
    )
    card = ModelCard(
        name=name,
        description=f"{_DESCRIPTION}; the network of all sites, not calibrated.",
        training_data=describe_training(facts),
        known_limits=f"{facts.get('limits', '')} {_UNCALIBRATED}".lstrip(),
        metrics={f"held out at {site}": {"auc": auc} for site, auc in facts.get("auc", {}).items()},
        variables=describe_variables(schema_of_step),
        **_USUAL,
    )
    _replace_bundle(path)
    write_bundle(path, card, schema_of_step, settings, [weights], readme(card))


def write_local_bundle(
    folder: Path,
    name: str,
    config: TrainingConfig,
    data: Prepared,
    weights: Weights,
    found: Scores,
    facts: Mapping[str, Any],
    random: float,
    keep_anyway: bool = False,
) -> tuple[str, dict[str, float]]:
    """Write the network of all sites with the calibration, operating points and card of one.

    They are fixed on the patients that the site held out, and stay at the site.

    Args:
        folder: of the site.
        name: of the site.
        weights: of the last step.
        found: scores of the held-out patients.
        facts: see `write_global_bundle`.
        random: share of their maps inside the tumour with random weights.
        keep_anyway: write it also if the attention is at chance.

    Returns:
        Why no bundle was written, a sentence, "" if one was; and what was measured, see `messages.MEASURED`.
    """
    step = replace(config.steps[-1], after=None)
    config = replace(config, steps=(step,), split=SplitConfig("holdout"))
    run = Run(RunFolder(folder / "run"), data, config)
    _write_step(run, weights, found)
    label, index = data.cache.labels[data.held_out], data.held_out
    texts = {"name": f"federation, calibrated at {name}", "description": f"{_DESCRIPTION}; calibrated at {name}."}
    outcome = replace(run.outcome(step), random_in_tumour=random)
    fitted = bundle_points(run, outcome.logit)
    described: Any = measure_on(outcome, data.cache, index)
    refused = refusal(described, f"{folder / 'bundle'}: no bundle is made at {name}", "take part with --keep-anyway")
    measured = measured_of(described) | {"auc": float(auc(found.logit, label))}
    if refused and not keep_anyway:
        return refused, measured
    card = make_card(texts["name"], name, data.cache, described, fitted[1], {**_USUAL, **texts})
    first, *points = card.metrics.items()
    known = (
        f"Calibrated on {count(len(index), 'patient')} of {name}, {int(label.sum())} with pCR, whom no site trained "
        "on. At other hospitals, calibrate it there."
    )
    card = replace(
        card,
        training_data=describe_training(facts),
        metrics={f"held out at {name} ({count(len(index), 'patient')})": first[1], **dict(points)},
        known_limits=limits(known, described),
    )
    write_run_bundle(folder / "bundle", run, fitted, card)
    return "", measured


def measured_of(described: Mapping[str, Any]) -> dict[str, float]:
    """Return the shares of maps inside tumours, as a site sends them; none of a model without attention."""
    found = described["attention"] or {}
    if found.get("map") != "attention":
        return {}
    beside = found["enhancement"]["in_tumour"]["value"]
    shares = {"attention": found["in_tumour"]["value"], "random": found["randomised_in_tumour"], "enhancement": beside}
    return {name: float(share) for name, share in shares.items() if share is not None}


def described_from(measured: Mapping[str, float]) -> dict[str, Any]:
    """Return what `chance.find_chance` reads, from `measured_of`."""
    if "attention" not in measured:
        return {}
    beside = {"in_tumour": {"value": measured.get("enhancement")}}
    own = {"in_tumour": {"value": measured["attention"]}, "randomised_in_tumour": measured.get("random")}
    return {"attention": {"map": "attention", **own, "enhancement": beside}}


def _write_step(run: Run, weights: Weights, found: Scores) -> None:
    """Write weights and scores of the held-out patients where a run keeps them."""
    folder, cache = run.folder.step(0, run.config.steps[-1].name), run.data.cache
    folder.path.mkdir(parents=True, exist_ok=True)
    save_file(dict(weights), folder.weights)
    write_splits(run.folder.splits, cache.ids, cache.labels, run.data.folds)
    names = [each.name for each in fields(Scores)]
    columns = zip(*(getattr(found, each) for each in names), strict=True)
    rows = ([cache.ids[at], cache.labels[at], *values] for at, values in zip(run.data.held_out, columns, strict=True))
    write_whole_csv(["patient_id", "label", *names], rows, folder.predictions)


def _replace_bundle(path: Path) -> None:
    """Remove a bundle that is there; `write_bundle` needs a new folder."""
    if path.is_dir():
        shutil.rmtree(path)
