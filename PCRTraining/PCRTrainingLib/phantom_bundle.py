"""The recipe of the bundle `phantom`: trained on simulated patients, for the demonstration and the tests.

    make phantom-bundle

Five folds over three simulated sites without a shortcut; calibration, operating points and metrics from the
out-of-fold predictions; a fourth site, never trained on, as the external check.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PCRPredictorLib.attention import mass_inside
from PCRPredictorLib.bundle import load_bundle, write_bundle
from PCRPredictorLib.clinical import Category, ClinicalSchema, Number
from PCRPredictorLib.grid import GridSpec
from PCRPredictorLib.model_card import FamiliarRange, InferenceSettings, ModelCard
from PCRPredictorLib.network import PCRNet
from sklearn.model_selection import StratifiedKFold
from torch import Tensor
from torch.nn import functional

from .curriculum import stepwise, train_curriculum
from .grids import Grids, join, sample_cohort
from .operating import auc_interval, choose_operating_points, fit_calibration
from .phantom import SITES, Site, make_patient

SHARP_SITE = replace(SITES["A"], name="S", pixel_spacing=0.75, slice_thickness=1.6)  # as full-size exams are
TRAINING = ((SITES["A"], 150), (SHARP_SITE, 150), (SITES["B"], 150), (SITES["C"], 150))
EXTERNAL_PATIENTS = 200
FOLDS, EPOCHS, SEED = 5, 10, 0
FLIPS = ((2,),)  # the mirror image: the other breast
EXTERNAL_SITE = replace(SITES["A"], name="D", gain=2.1, noise=1.6 * SITES["A"].noise)
HR = {"negative": ["0", "neg", "-"], "positive": ["1", "pos", "+"]}
SCHEMA = ClinicalSchema(
    (
        Number("age", "Age", "years", 18, 100, 50, 11),
        Category("hr", "Hormone receptors", HR),
        Category("her2", "HER2", HR),
        Category(
            "menopause",
            "Menopausal status",
            {"pre": ["peri", "premenopausal", "perimenopausal"], "post": ["postmenopausal"]},
        ),
    )
)
README = """# phantom {version}

{description}

**Training data.** {training_data}

**Results** (AUC with 95 % bootstrap interval over patients; the best possible one is that of the true probability)

| patients | AUC | 95 % interval | best possible | attention inside the tumour |
|---|---|---|---|---|
{rows}

**Intended use.** {intended_use} **Not for.** {not_intended_use}

**Known limits.** {known_limits}

**Licence.** {licence} Made by `make phantom-bundle`.
"""


def main() -> None:
    """Train and write the bundle into the folder given."""
    out, start = Path(sys.argv[1]), time.perf_counter()
    grids = join([simulate(site, count) for site, count in TRAINING])
    external = simulate(EXTERNAL_SITE, EXTERNAL_PATIENTS)
    print(f"simulated {len(grids)} + {len(external)} patients ({time.perf_counter() - start:.0f} s)")
    networks, out_of_fold, shares = cross_validate(grids)
    label = grids.labels.numpy()
    calibration = fit_calibration(out_of_fold, label)
    probability = calibrate(out_of_fold, calibration)
    metrics = {
        "out of fold": summary(probability, grids, shares),
        "external site": summary(
            ensemble(networks, external, calibration),
            external,
            np.mean([attention_share(n, external) for n in networks], 0),
        ),
    }
    settings = InferenceSettings(
        network={"widths": [16, 32, 64], "attention": True, "clinical_inputs": SCHEMA.width},
        grid=GridSpec(),
        flips=FLIPS,
        calibration=calibration,
        operating_points=choose_operating_points(probability, label),
        familiar=familiar_ranges(grids),
    )
    card = model_card(metrics)
    weights = [network.state_dict() for network in networks]
    write_bundle(out, card, SCHEMA, settings, weights, model_readme(card, metrics))
    print(f"{load_bundle(out).path} written after {time.perf_counter() - start:.0f} s: {metrics}")


def simulate(site: Site, count: int) -> Grids:
    """Patients of one site on the model grid, made on two processes."""
    tasks = np.array_split(np.arange(count), 8)
    with ProcessPoolExecutor(2) as pool:
        return join(list(pool.map(partial(_simulate_some, site), tasks)))


def _simulate_some(site: Site, indices: np.ndarray) -> Grids:
    torch.set_num_threads(1)
    patients = (make_patient(site, int(index), SEED) for index in indices)
    return sample_cohort(((p.exam, p.label, p.probability) for p in patients), GridSpec(), SCHEMA)


def cross_validate(grids: Grids) -> tuple[list[PCRNet], np.ndarray, np.ndarray]:
    """The network of every fold; logits and attention inside the tumour of the patients it did not see, (N,) each."""
    networks, logits, shares = [], np.zeros(len(grids)), np.zeros(len(grids))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    for k, (train, test) in enumerate(folds.split(np.zeros(len(grids)), grids.labels)):
        network = train_curriculum(stepwise(EPOCHS), grids.take(train), SCHEMA, SEED + k)
        logits[test] = predict_logits(network, grids.take(test))
        shares[test] = attention_share(network, grids.take(test))
        networks.append(network)
        print(f"fold {k + 1} of {FOLDS}: AUC {auc_interval(logits[test], grids.labels.numpy()[test])['value']:.3f}")
    return networks, logits, shares


def batches(grids: Grids, size: int = 64) -> Iterator[tuple[Tensor, Tensor]]:
    """Images and clinical vectors, a batch at a time."""
    yield from zip(grids.images.split(size), grids.clinical.split(size), strict=True)


@torch.inference_mode()
def predict_logits(network: PCRNet, grids: Grids) -> np.ndarray:
    """Mean logit over the flips that the predictor uses too, (N,)."""
    logits = [
        torch.stack([network(image.flip([a + 2 for a in axes]), clinical).logit for axes in ((), *FLIPS)]).mean(0)
        for image, clinical in batches(grids)
    ]
    return torch.cat(logits).numpy()


@torch.inference_mode()
def attention_share(network: PCRNet, grids: Grids) -> np.ndarray:
    """Share of each patient's attention inside the tumour, on the model grid, (N,)."""
    maps = torch.cat([network(image, clinical).log_attention.exp() for image, clinical in batches(grids)])
    masks = functional.adaptive_avg_pool3d(grids.masks, maps.shape[2:])  # type: ignore[arg-type]
    return np.array([mass_inside(a, m) for a, m in zip(maps.numpy(), masks.numpy(), strict=True)])


def calibrate(logits: np.ndarray, calibration: tuple[float, float]) -> np.ndarray:
    """Calibrated probabilities."""
    return 1 / (1 + np.exp(-(calibration[0] * logits + calibration[1])))


def ensemble(networks: list[PCRNet], grids: Grids, calibration: tuple[float, float]) -> np.ndarray:
    """Mean probability over the folds, as the predictor gives it, (N,)."""
    return np.mean([calibrate(predict_logits(network, grids), calibration) for network in networks], 0)


def summary(probability: np.ndarray, grids: Grids, shares: np.ndarray) -> dict[str, Any]:
    """AUC with its interval, the best possible one, and the attention inside the tumour."""
    label = grids.labels.numpy()
    return {
        "patients": len(grids),
        "auc": auc_interval(probability, label),
        "best_possible_auc": auc_interval(grids.true_probability.numpy(), label)["value"],
        "attention_in_tumour": float(np.mean(shares)),
    }


def familiar_ranges(grids: Grids) -> tuple[FamiliarRange, ...]:
    """1st to 99th percentile of every quantity among the training patients."""
    quantities = grids.measured[0]
    values = {name: [patient[name] for patient in grids.measured] for name in quantities}
    return tuple(FamiliarRange(name, *map(float, np.percentile(v, [1, 99]))) for name, v in values.items())


def model_card(metrics: Mapping[str, object]) -> ModelCard:
    """What the bundle says of itself."""
    sites = ", ".join(f"{count} of site {site.name}" for site, count in TRAINING)
    return ModelCard(
        name="phantom",
        version="1.0.0",
        description="Stepwise model trained on simulated breast DCE-MRI. "
        "It shows how the software works; it knows nothing about patients.",
        authors="BreastPCR contributors",
        licence="Apache-2.0.",
        training_data=f"{sum(count for _, count in TRAINING)} simulated patients ({sites}); no real ones.",
        intended_use="Demonstration and tests.",
        not_intended_use="Any statement about a real patient.",
        known_limits="Simulated anatomy, kinetics and labels. On real exams the probability means nothing.",
        metrics=metrics,
        changelog={"1.0.0": "first version"},
    )


def model_readme(card: ModelCard, metrics: Mapping[str, Mapping[str, Any]]) -> str:
    """The card for people."""
    rows = [
        f"| {name}, {m['patients']} | {m['auc']['value']:.3f} | {m['auc']['low']:.3f} to {m['auc']['high']:.3f} "
        f"| {m['best_possible_auc']:.3f} | {m['attention_in_tumour']:.0%} |"
        for name, m in metrics.items()
    ]
    return README.format(rows="\n".join(rows), **vars(card))


if __name__ == "__main__":
    main()
