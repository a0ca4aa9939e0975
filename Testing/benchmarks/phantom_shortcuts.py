"""Shortcuts of several kinds and strengths, and rare response: guidance against the fair control, on the phantom.

    make phantom-shortcuts

Every case is a simulated hospital A (training, and a fifth held out) and a hospital B (another scanner). The shortcut
is at A alone; at B, what it is made of varies as much and says nothing. The cases of the pCR rate have no shortcut and
share one hospital B. Small networks, to be done in about an hour of one core. Results are kept case by case and seed by
seed: a run that was stopped goes on.

The fair control is that of `runs.control`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PCRPredictorLib.phantom.cohort import write_cohort
from PCRPredictorLib.phantom.patient import patient_traits
from PCRPredictorLib.phantom.site import Site, find_site
from PCRPredictorLib.writing import write_json
from PCRTrainingLib.cohort.build import open_or_build
from PCRTrainingLib.cohort.cache import GridCache
from PCRTrainingLib.config import SplitConfig, TrainingConfig, stepwise
from PCRTrainingLib.evaluation.baselines import BASELINES, baseline_outcomes
from PCRTrainingLib.progress import Progress
from PCRTrainingLib.run_folder import RunFolder
from PCRTrainingLib.runs.control import CONTROL, CONTROL_ROW, IMAGE, control_steps
from PCRTrainingLib.runs.experiment import prepare_seed
from PCRTrainingLib.schema import build_schema
from PCRTrainingLib.statistics.metrics import auc, rates, sensitivity_at
from PCRTrainingLib.statistics.operating import Outcome
from PCRTrainingLib.training.folds import Prepared
from PCRTrainingLib.training.foresight import sites_of
from shortcut_statistics import background_statistic
from sklearn.linear_model import LogisticRegression

KINDS, STRENGTHS, RATES = ("background", "noise", "shading", "fat"), (0.3, 0.6), (0.5, 0.3, 0.15, 0.07)
STEPS = {"single stage, image": IMAGE, CONTROL_ROW: CONTROL, "step 3 with swap": "step3"}


@dataclass(frozen=True)
class Case:
    """A hospital A and its hospital B."""

    kind: str = "background"
    shortcut: float = 0.0
    rate: float | None = None

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.shortcut:g}" if self.rate is None else f"rate-{self.rate:g}"


def cases() -> list[Case]:
    """Return all cases, the weak shortcuts last."""
    strong, weak = ([Case(kind, strength) for kind in KINDS] for strength in STRENGTHS[::-1])
    return [*strong, *(Case(rate=rate) for rate in RATES), *weak]


def configuration(epochs: int) -> TrainingConfig:
    """Return steps and settings of every case."""
    steps = stepwise(epochs)
    split = SplitConfig("holdout", share=0.2)
    return TrainingConfig((*control_steps(steps), *steps), split=split, widths=(8, 16, 32), batch_size=8)


def open_hospitals(case: Case, config: TrainingConfig, arguments: argparse.Namespace) -> tuple[GridCache, GridCache]:
    """Return hospital A and B on the model grid; images are made once, and those of all pCR rates are the same."""
    inside = open_site(arguments.out / f"A-{case.kind}-{case.shortcut:g}", "A", arguments.patients, 1, case, config)
    if case.rate is not None:
        inside = relabel(inside, find_site("A", pcr_rate=case.rate), 1)
    elsewhere = replace(case, shortcut=0.0)
    return inside, open_site(arguments.out / f"B-{case.kind}", "B", arguments.external, 2, elsewhere, config)


def open_site(folder: Path, site: str, patients: int, seed: int, case: Case, config: TrainingConfig) -> GridCache:
    """Return a hospital's patients on the model grid."""
    cohort = folder / "images"
    if not cohort.exists():
        write_cohort(cohort, patients, find_site(site, case.shortcut, case.kind), seed)
    schema, _ = build_schema(config.clinical, [dict.fromkeys(("age", "hr", "her2", "menopause"), "1")])
    return open_or_build(cohort, folder / "grids", config.grid, schema, Progress())


def relabel(cache: GridCache, site: Site, seed: int) -> GridCache:
    """Return the patients with the labels that they have at another pCR rate; nothing else depends on it."""
    records = []
    for record in cache.records:
        traits = patient_traits(site, int(record.patient_id.rsplit("_", 1)[1]), seed)
        row = {**record.row, "pcr": str(traits.pcr), "true_probability": str(traits.probability)}
        records.append(replace(record, label=traits.pcr, row=row))
    return replace(cache, records=tuple(records))


def run_case(case: Case, seed: int, arguments: argparse.Namespace) -> dict[str, object]:
    """Train and measure one case with one seed."""
    config = configuration(arguments.epochs)
    inside, outside = open_hospitals(case, config, arguments)
    schema, _ = build_schema(config.clinical, [record.row for record in inside.records])
    sites = sites_of(inside, config, ["A"])
    data = Prepared(inside, schema, np.array([]), sites=sites)
    run = prepare_seed(seed, RunFolder(arguments.out / "runs" / case.name), config, data, sites)
    for number in run.data.fold_numbers:
        run.train_fold(number, "cpu", Progress())
    held = inside.labels[run.data.held_out]
    result: dict[str, object] = {"case": case.name, "seed": seed, "patients": [len(inside), len(held), len(outside)]}
    result["positives"] = [int(inside.labels.sum()), int(held.sum()), int(outside.labels.sum())]
    result["best"] = auc(outside.true_probability, outside.labels)
    if case.rate is None:
        result["shortcut"] = [shortcut_alone(cache, case.kind) for cache in (inside, outside)]
    steps = {step.name: step for step in config.steps}
    rows = {each.name: baseline_outcomes(each, run.data, [outside]) for each in BASELINES if each.clinical}
    rows |= {name: run.outcomes(steps[step], [outside], "cpu") for name, step in STEPS.items()}
    level = rates(rows[CONTROL_ROW][1].decision, outside.labels).specificity
    result["rows"] = {
        name: {"inside": auc(found[0].order, held), **measure(found[1], outside.labels, level)}
        for name, found in rows.items()
    }
    result["enhancement"] = enhancement_in_tumour(outside)
    return result


def measure(outcome: Outcome, label: np.ndarray, level: float) -> dict[str, float | None]:
    """Return the metrics of a model at hospital B; `level` is the specificity to compare sensitivities at."""
    probability = outcome.probability.clip(1e-6, 1 - 1e-6)
    logit = np.log(probability / (1 - probability))
    slope = LogisticRegression(C=np.inf).fit(logit[:, None], label).coef_[0, 0]
    return {
        "auc": auc(outcome.order, label),
        "matched": sensitivity_at(outcome.order, label, level),
        "at 0.8": sensitivity_at(outcome.order, label, 0.8),
        "at 0.9": sensitivity_at(outcome.order, label, 0.9),
        "slope": float(slope),
        "attention": None if outcome.scores is None else float(outcome.scores.in_tumour.mean()),
    }


def shortcut_alone(cache: GridCache, kind: str) -> float:
    """Return the AUC of one number of the background."""
    image, mask = cache.image_and_mask(np.arange(len(cache)))
    values = [background_statistic(kind, i, m[0]) for i, m in zip(image.numpy(), mask.numpy(), strict=True)]
    return auc(np.array(values), cache.labels)


def enhancement_in_tumour(cache: GridCache) -> float:
    """Return the share of a plain map of early enhancement that lies in the tumour, at the attention's resolution."""
    image, mask = cache.image_and_mask(np.arange(len(cache)))
    pooled = torch.nn.functional.avg_pool3d(torch.cat([image[:, 1:2].clamp(min=0), mask], 1), (1, 2, 2))
    enhancement, tumour = pooled[:, 0].flatten(1), pooled[:, 1].flatten(1)
    return float(((enhancement * tumour).sum(1) / enhancement.sum(1)).mean())


def run_all(arguments: argparse.Namespace) -> Iterator[dict[str, object]]:
    """Yield the result of every case, seed by seed; results that are there are read."""
    for seed in range(arguments.seeds):
        for case in cases():
            file = arguments.out / "results" / f"{case.name}-{seed}.json"
            if not file.is_file():
                started = time.perf_counter()
                result = run_case(case, seed, arguments)
                file.parent.mkdir(parents=True, exist_ok=True)
                write_json(result | {"seconds": time.perf_counter() - started}, file)
                print(f"{file.stem}: {time.perf_counter() - started:.0f} s", flush=True)
                (arguments.out / "table.md").write_text(write_tables(read_results(arguments.out)), encoding="utf-8")
            yield json.loads(file.read_text(encoding="utf-8"))


def read_results(out: Path) -> dict[str, list[dict]]:
    """Return the results of every case, one per seed."""
    found: dict[str, list[dict]] = {}
    for file in sorted((out / "results").glob("*.json")):
        result = json.loads(file.read_text(encoding="utf-8"))
        found.setdefault(result["case"], []).append(result)
    return found


def write_tables(results: Mapping[str, list[dict]]) -> str:
    """Return both tables as Markdown; a cell is the mean of the seeds with the lowest and highest."""
    lines = [
        "| Shortcut | Alone, A | Model | AUC, A | AUC, B | Sensitivity, B | Attention in tumour, B |",
        "|---|---|---|---|---|---|---|",
    ]
    for case in cases():
        found = results.get(case.name)
        if not found or case.rate is not None:
            continue
        alone = f"{found[0]['shortcut'][0]:.2f}"
        title = f"{case.kind} {case.shortcut:g}"
        for row in found[0]["rows"]:
            cells = [spread(found, row, key) for key in ("inside", "auc", "matched", "attention")]
            lines.append(" | ".join(["| " + title, alone, row, *cells]) + " |")
            title = alone = ""
        enhancement = f"{found[0]['enhancement']:.2f}"
        lines.append(f"| | | *early enhancement* | | | | {enhancement} |")
    lines += [
        "",
        "| pCR rate | Responders trained on | Model | AUC, B | Sensitivity at 0.8 | at 0.9 | Calibration slope |",
        "|---|---|---|---|---|---|---|",
    ]
    for case in cases():
        found = results.get(case.name)
        if not found or case.rate is None:
            continue
        title = f"{case.rate:.0%}"
        trained = f"{found[0]['positives'][0] - found[0]['positives'][1]}"
        for row in found[0]["rows"]:
            cells = [spread(found, row, key) for key in ("auc", "at 0.8", "at 0.9", "slope")]
            lines.append(" | ".join(["| " + title, trained, row, *cells]) + " |")
            title = trained = ""
    return "\n".join(lines) + "\n"


def spread(found: list[dict], row: str, key: str) -> str:
    """Return mean, lowest and highest of the seeds."""
    values = [result["rows"][row][key] for result in found]
    if values[0] is None:
        return "–"
    text = f"{np.mean(values):.2f}"
    return text if len(values) == 1 or key == "attention" else f"{text} ({min(values):.2f} to {max(values):.2f})"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=Path("build/phantom-shortcuts"))
    parser.add_argument("--patients", type=int, default=250, help="of hospital A; a fifth is held out")
    parser.add_argument("--external", type=int, default=200, help="of hospital B")
    parser.add_argument("--epochs", type=int, default=8, help="of each step")
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(write_tables({case: found for case, found in group(run_all(arguments)).items()}))


def group(results: Iterator[dict]) -> dict[str, list[dict]]:
    """Return results by case."""
    found: dict[str, list[dict]] = {}
    for result in results:
        found.setdefault(str(result["case"]), []).append(result)
    return found


if __name__ == "__main__":
    main()
