"""Make the bundle `phantom`: trained on simulated patients, for the demonstration and the tests.

    make phantom-bundle

It is trained on four simulated scanners without a shortcut and evaluated on a fifth; its card names both.
"""

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PCRPredictorLib.model.bundle import load_bundle
from PCRPredictorLib.model.card import ModelCard
from PCRPredictorLib.phantom.cohort import TABLE, write_cohort
from PCRPredictorLib.phantom.patient import patient_traits
from PCRPredictorLib.phantom.site import SITES, Site
from PCRPredictorLib.writing import read_csv, write_csv
from rich.console import Console

from ..config import PRESETS
from ..evaluation.card import card_metrics
from ..evaluation.description import describe_cohort
from ..evaluation.evaluate import run_bundle
from ..progress import ProgressBar
from ..run_folder import RunFolder
from ..training.sharing import open_training
from .bundles import bundle_points, write_run_bundle
from .job import Job
from .preparation import open_cohort, prepare
from .train import outcomes_of_steps, train

SHARP_SITE = replace(SITES["A"], name="S", spacing=(0.75, 0.75, 1.6))  # as full-size exams are
TRAINING = ((SITES["A"], 150), (SHARP_SITE, 150), (SITES["B"], 150), (SITES["C"], 150))
EXTERNAL = ((replace(SITES["A"], name="D", gain=2.1, noise=1.6 * SITES["A"].noise), 200),)
CONFIG = PRESETS["full"]


def main() -> None:
    """Train, and write the bundle into the folder that the first argument names."""
    target = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder, ProgressBar(Console()) as progress, open_training() as engine:
        training, external = (Path(folder) / name for name in ("training", "external"))
        write_sites(training, TRAINING)
        write_sites(external, EXTERNAL)
        job = Job({"training": training}, RunFolder(Path(folder) / "run"), engine, progress)
        train(job, CONFIG)
        run = prepare(job, CONFIG)
        outcome = outcomes_of_steps(run)[-1]
        inside = describe_cohort("", run.data.cache, run.data.held_out, [outcome])
        cache, _ = open_cohort(external, Path(folder) / "grids", CONFIG, progress, run.data.schema)
        bundle = load_bundle(job.folder.bundle)
        outside = describe_cohort("", cache, np.arange(len(cache)), [run_bundle(bundle, cache)])
        metrics = {"out of fold": _metrics(inside), "external site": _metrics(outside)}
        write_run_bundle(target, run, bundle_points(run, outcome.logit), model_card(metrics))
        progress.say(f"{load_bundle(target).path} written: {metrics}")


def write_sites(out: Path, sites: Sequence[tuple[Site, int]]) -> None:
    """Write one cohort with patients of several sites."""
    rows: list[dict[str, str]] = []
    for site, count in sites:
        part = out.with_name(f"{out.name}-{site.name}")
        write_cohort(part, count, site)
        for kind in ("images", "segmentations/expert"):
            (out / kind).mkdir(parents=True, exist_ok=True)
            for path in (part / kind).iterdir():
                path.rename(out / kind / path.name)
        rows += read_csv(part / TABLE)
    write_csv(list(rows[0]), (list(row.values()) for row in rows), out / TABLE)


def _metrics(described: dict) -> dict[str, object]:
    """Return the metrics of the only model of a cohort, with the best AUC that any model could reach."""
    best = described["best_possible_auc"]["value"]
    return {"patients": described["patients"], "best_possible_auc": best, **card_metrics(described["models"][0])}


def model_card(metrics: dict[str, dict[str, object]]) -> ModelCard:
    """Return the card of the bundle."""
    sites = ", ".join(f"{count} of {site.name}" for site, count in TRAINING)
    patients = sum(count for _, count in TRAINING)
    responders = sum(patient_traits(site, index).pcr for site, count in TRAINING for index in range(1, count + 1))
    return ModelCard(
        name="phantom",
        version="1.3.0",
        description="Stepwise model trained on simulated breast DCE-MRI. "
        "It shows how the software works; it knows nothing about patients.",
        authors="BreastPCR contributors",
        licence="Apache-2.0.",
        training_data=f"{patients} simulated patients, {responders} with pCR, on {len(TRAINING)} simulated scanners "
        f"({sites}); no real ones.",
        intended_use="Demonstration and tests.",
        not_intended_use="Any statement about a real patient.",
        known_limits="Simulated anatomy, kinetics and labels. On real exams the probability means nothing.",
        metrics=metrics,
        changelog={
            "1.0.0": "first version",
            "1.1.0": "trained by pcr train; clinical branch starts from its own fit",
            "1.2.0": "times of the training patients' phases; weights as in 1.1.0",
            "1.3.0": "share of the training patients with pCR; weights as in 1.1.0",
        },
    )


if __name__ == "__main__":
    main()
