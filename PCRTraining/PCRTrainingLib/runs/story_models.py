"""Train the networks of `pcr demo --story`, and measure them at both simulated hospitals.

    make story-models

The hospitals are those of `make phantom-benchmark`; the networks are smaller, so that four of them ship.
"""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.engine.engine import Engine
from PCRPredictorLib.model.bundle import load_bundle, write_bundle
from PCRPredictorLib.model.card import InferenceSettings, ModelCard
from PCRPredictorLib.phantom.cohort import write_cohort
from PCRPredictorLib.phantom.patient import patient_traits
from PCRPredictorLib.phantom.site import SITES, find_site
from PCRPredictorLib.story.facts import FACTS, HOSPITALS, Facts, Hospital, Measured
from PCRPredictorLib.story.scene import make_scene
from PCRPredictorLib.writing import whole_folder, write_json
from rich.console import Console
from safetensors.torch import load_file

from ..cohort.cache import GridCache
from ..config import SplitConfig, Step, TrainingConfig, stepwise
from ..evaluation.card import readme
from ..evaluation.description import auc_interval
from ..evaluation.evaluate import run_bundle
from ..progress import Progress, ProgressBar
from ..run_folder import RunFolder
from ..statistics.operating import fit_points
from ..training.folds import Run
from ..training.loop import network_arguments
from ..training.sharing import open_training
from .job import Job
from .preparation import open_cohort, prepare

COMMAND, SHORTCUT, PATIENTS = "make story-models", 0.6, (500, 400)
SEEDS = (1, 2)  # of the hospitals
_TITLES = {
    "single": "Not guided, trained in one go on image and clinical variables",
    "step1": "Step 1, not guided, image only",
    "step2": "Step 2, guided to the tumour, image only",
    "step3": "Step 3, guided, image and clinical variables",
}


def story_config() -> TrainingConfig:
    """Return the configuration of all four networks: as `make phantom-benchmark`, but half as wide."""
    steps = stepwise(10)
    single = Step("single", sum(step.epochs for step in steps), clinical=True)
    return TrainingConfig((single, *steps), split=SplitConfig("holdout", share=0.2), widths=(8, 16, 32), batch_size=8)


def main() -> None:
    """Train, and write the folder that the first argument names."""
    target = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder, ProgressBar(Console()) as progress, open_training() as engine:
        make_story(target, Path(folder), story_config(), PATIENTS, engine, progress)
        progress.say(f"{target} written")


def make_story(
    target: Path,
    work: Path,
    config: TrainingConfig,
    patients: tuple[int, int],
    engine: Engine,
    progress: Progress,
) -> None:
    """Simulate both hospitals, train at A, and write bundles and facts.

    Args:
        target: folder to write; it must be new or empty.
        work: folder for cohorts and the run.
        patients: of both hospitals; a fifth of A is held out.
    """
    write_cohort(work / "A", patients[0], find_site("A", SHORTCUT), SEEDS[0])
    write_cohort(work / "B", patients[1], SITES["B"], SEEDS[1])
    job = Job({"A": work / "A"}, RunFolder(work / "run"), engine, progress)
    with job.hold("train", config):
        run = prepare(job, config)
        job.train_tasks(run.tasks())
    outside, _ = open_cohort(work / "B", work / "grids", config, progress, run.data.schema)
    with whole_folder(target) as part:
        for step in config.steps:
            write_network(part / step.name, run, step)
        write_json(measure(part, run, outside).to_json(), part / FACTS)


def write_network(path: Path, run: Run, step: Step) -> None:
    """Write the bundle of one network, with weights of half precision."""
    data, config = run.data, run.config
    calibration, points = fit_points(run.out_of_fold(step).logit, data.cache.labels[data.held_out])
    settings = InferenceSettings(
        network_arguments(step, config, data.schema), config.grid, config.flips, calibration, points
    )
    schema = data.schema if step.clinical else ClinicalSchema(())
    weights = load_file(run.folder.step(data.fold_numbers[0], step.name).weights)
    halved = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in weights.items()}
    card = ModelCard(
        name=f"story-{step.name}",
        version="1.0.0",
        description=f"{_TITLES[step.name]}; for the story that pcr demo --story tells.",
        authors="BreastPCR contributors",
        licence="Apache-2.0.",
        training_data=f"{int((data.folds < 0).sum())} simulated patients with a shortcut; no real ones.",
        intended_use="Demonstration.",
        not_intended_use="Any statement about a real patient.",
        known_limits="Simulated anatomy, kinetics and labels. On real exams the probability means nothing.",
    )
    write_bundle(path, card, schema, settings, [halved], readme(card))


def measure(folder: Path, run: Run, outside: GridCache) -> Facts:
    """Return the facts of the bundles in a folder, as they will be read: on held-out patients of A and all of B."""
    inside, held = run.data.cache, run.data.held_out
    patients = {"A": (inside, held), "B": (outside, np.arange(len(outside)))}
    auc: dict[str, dict[str, Measured]] = {}
    in_tumour: dict[str, dict[str, float]] = {}
    for step in run.config.steps:
        auc[step.name], in_tumour[step.name] = {}, {}
        for hospital, (cache, index) in patients.items():
            found = run_bundle(load_bundle(folder / step.name), cache)
            interval = auc_interval(found.order[index], cache.labels[index])
            auc[step.name][hospital] = Measured(*(round(each, 4) for each in vars(interval).values()))
            in_tumour[step.name][hospital] = round(float(found.in_tumour[index].mean()), 4)
    facts = Facts(
        command=COMMAND,
        trained_on=len(inside) - len(held),
        shortcut=SHORTCUT,
        hospitals={name: describe_hospital(*found) for name, found in patients.items()},
        auc=auc,
        in_tumour=in_tumour,
        enhancement={name: round(enhancement_in_tumour(*found), 4) for name, found in patients.items()},
        index=0,
        seed=SEEDS[0],
        background=0.0,
    )
    return choose_patient(facts, folder, inside, held)


def describe_hospital(cache: GridCache, index: np.ndarray) -> Hospital:
    """Return the numbers of a hospital's patients at the positions `index`, (n,)."""
    labels, truth = cache.labels[index], cache.true_probability
    best = auc_interval(truth[index], labels).value if truth is not None else float("nan")
    return Hospital(len(index), int(labels.sum()), round(best, 4))


def enhancement_in_tumour(cache: GridCache, index: np.ndarray) -> float:
    """Return the mean share of early enhancement inside the tumour, at the attention's resolution.

    Args:
        index: (n,), positions of the patients.
    """
    image, mask = cache.image_and_mask(index)
    pooled = torch.nn.functional.avg_pool3d(torch.cat([image[:, 1:2].clamp(min=0), mask], 1), (1, 2, 2))
    enhancement, tumour = pooled.flatten(2).unbind(1)
    return float(((enhancement * tumour).sum(1) / enhancement.sum(1)).mean())


def choose_patient(facts: Facts, folder: Path, cache: GridCache, held: np.ndarray) -> Facts:
    """Return the facts with the patient to show: a clear example among the held-out responders of hospital A.

    At B the background is as far below its mean as it is above it at A. The example is the one whose probability
    changes most by the network that was not guided, among those whom step 3 finds likely to respond at both hospitals.

    Args:
        cache: of hospital A.
        held: (n,), positions of the held-out patients.
    """
    best, chosen = -1.0, facts
    for position in held[cache.labels[held] == 1]:
        index = int(cache.ids[position].rsplit("_", 1)[1])
        traits = patient_traits(find_site("A", SHORTCUT), index, facts.seed)
        if not 14 <= traits.diameter <= 34 or traits.background < 0.04 or traits.probability < 0.4:
            continue
        trial = replace(facts, index=index, background=round(max(0.072 - traits.background, 0.008), 4))
        scene = make_scene(trial, {step: load_bundle(folder / step) for step in ("single", "step3")})
        here, there = (scene.views[name].heat for name in HOSPITALS)
        change = here["single"].probability - there["single"].probability
        if min(here["step3"].probability, there["step3"].probability) > 0.5 and change > best:
            best, chosen = change, trial
    return chosen


if __name__ == "__main__":
    main()
