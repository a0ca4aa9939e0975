"""The table of an experiment: its rows, what each said of each cohort, and how they compare.

predictions.csv    what every row said of every patient, every seed
experiment.json, experiment.html, experiment.md

Arrays are (N,) of a cohort's patients unless said otherwise.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PCRPredictorLib.writing import whole_file

from ..cohort.cache import GridCache
from ..evaluation.baselines import BASELINES
from ..evaluation.evaluate import Outcome, auc_interval, compare, finite
from ..evaluation.report import experiment_markdown, render_experiment
from ..statistics.metrics import auc, brier, rates, sensitivity_at
from ..training.folds import Prepared
from ..training.inference import Scores
from .train import write_whole_json

INSIDE = "out of fold"  # the training cohort's own column
BASELINE_ROW = "single stage, multimodal"  # that the others are measured against
COMPARED = (
    ("step 3", BASELINE_ROW),
    ("step 3", "clinical"),
    ("step 3", "kinetics + clinical"),
    ("step 3", "step 3, no swap"),
    ("step 2", "single stage, image"),
)


@dataclass(frozen=True)
class Row:
    """A row of the table: a step of the runs, with a name for people."""

    name: str
    what: str
    step: str


ROWS = (
    Row("single stage, image", "one stage, no guidance, image only; as long as steps 1 and 2", "single_image"),
    Row(BASELINE_ROW, "one stage, no guidance, image and clinical; as long as the three steps", "single_multimodal"),
    Row("step 1", "global image patterns", "step1"),
    Row("step 2, no swap", "attention held to the tumour", "step2_noswap"),
    Row("step 3, no swap", "step 2 without swap, and clinical variables", "step3_noswap"),
    Row("step 2", "attention held to the tumour, backgrounds swapped", "step2"),
    Row("step 3", "step 2, and clinical variables", "step3"),
)


@dataclass(frozen=True, eq=False)
class Finding:
    """What a row said of a cohort with one seed; arrays are (N,) of the cohort's patients."""

    logit: np.ndarray
    probability: np.ndarray
    decision: np.ndarray
    order: np.ndarray  # by which they are ranked
    scores: Scores | None = None
    map_name: str | None = None


Findings = dict[str, dict[str, list[Finding]]]  # row, cohort, one a seed


def tabulate(
    name: str, findings: Findings, data: Prepared, caches: Mapping[str, GridCache], seeds: Sequence[int]
) -> dict[str, object]:
    """The table as plain values, see `evaluation_report.render_experiment`."""
    described: dict[str, dict[str, object]] = {name: {} for name in findings}
    comparisons: list[dict[str, object]] = []
    cohorts: list[dict[str, object]] = []
    for cohort, cache in caches.items():
        inside = cohort == INSIDE
        index = np.flatnonzero(data.folds >= 0) if inside else np.arange(len(cache))
        label, truth = cache.labels[index], cache.true_probability
        best = None if truth is None else auc_interval(truth[index], label).value
        cohorts.append(
            {
                "name": cohort,
                "role": INSIDE if inside else "external",
                "patients": len(index),
                "positives": int(label.sum()),
                "best_possible_auc": best,
            }
        )
        baseline = findings[BASELINE_ROW][cohort]
        for row, found in findings.items():
            described[row][cohort] = describe_row(found[cohort], baseline, label, best)
        comparisons += [{"cohort": cohort, **pair} for pair in compare_rows(findings, cohort, label)]
    what = {row.name: row.what for row in (*BASELINES, *ROWS)}
    return {
        "kind": "experiment",
        "seeds": list(seeds),
        "training": {
            "name": name,
            "patients": len(data.cache),
            "positives": int(data.cache.labels.sum()),
            "left_out": len(data.cache.quarantine),
            "folds": len(data.numbers),
        },
        "cohorts": cohorts,
        "rows": [{"name": row, "what": what[row], "cohorts": described[row]} for row in findings],
        "comparisons": comparisons,
    }


def describe_row(
    found: Sequence[Finding], baseline: Sequence[Finding], label: np.ndarray, best: float | None
) -> dict[str, object]:
    """One row on one cohort; rates are means over the seeds, the interval is that of the mean prediction."""
    mean = np.mean([finding.order for finding in found], 0)
    per_seed = [auc(finding.order, label) for finding in found]
    decided = [rates(finding.decision, label) for finding in found]
    levels = [rates(finding.decision, label).specificity for finding in baseline]
    matched = [sensitivity_at(f.order, label, level) for f, level in zip(found, levels, strict=True)]
    base = float(np.mean([auc(finding.order, label) for finding in baseline]))
    scores = [finding.scores for finding in found if finding.scores is not None]
    gap = None if best is None or best <= base else (float(np.mean(per_seed)) - base) / (best - base)
    return {
        "auc": auc_interval(mean, label).to_json(),
        "auc_per_seed": per_seed,
        "sensitivity": finite(float(np.mean([r.sensitivity for r in decided]))),
        "specificity": finite(float(np.mean([r.specificity for r in decided]))),
        "sensitivity_at_baseline_specificity": float(np.mean(matched)),
        "brier": float(np.mean([brier(finding.probability, label) for finding in found])),
        "attention_in_tumour": float(np.mean([s.in_tumour.mean() for s in scores])) if scores else None,
        "pointing_game": float(np.mean([s.peak_in_tumour.mean() for s in scores])) if scores else None,
        "attention_map": found[0].map_name,
        "gap_closed": gap,
    }


def compare_rows(findings: Findings, cohort: str, label: np.ndarray) -> list[dict[str, object]]:
    """The curriculum against what it has to beat, on predictions averaged over the seeds."""
    means = {row: _mean_outcome(row, found[cohort]) for row, found in findings.items()}
    found = [compare(means[one], means[other], label) for one, other in COMPARED]
    keys = ("model", "other", "auc_difference", "p", "sensitivity_difference")
    return [{key: pair[key] for key in keys} for pair in found]


def _mean_outcome(row: str, found: Sequence[Finding]) -> Outcome:
    probability = np.mean([finding.probability for finding in found], 0)
    decision = np.mean([finding.decision for finding in found], 0) > 0.5
    return Outcome(row, probability, decision, order=np.mean([finding.order for finding in found], 0))


def write_table(result: dict, findings: Findings, data: Prepared, caches: Mapping[str, GridCache], out: Path) -> None:
    """`predictions.csv`, `experiment.json`, `experiment.html` and `experiment.md`."""
    with whole_file(out / "predictions.csv") as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "cohort", "seed", "patient_id", "label", "logit", "probability", "decision"])
        for row, by_cohort in findings.items():
            for cohort, found in by_cohort.items():
                index = np.flatnonzero(data.folds >= 0) if cohort == INSIDE else np.arange(len(caches[cohort]))
                ids, labels = np.array(caches[cohort].ids)[index], caches[cohort].labels[index]
                for seed, finding in zip(result["seeds"], found, strict=True):
                    values = (ids, labels, finding.logit, finding.probability, finding.decision.astype(int))
                    for name, label, logit, probability, decision in zip(*values, strict=True):
                        writer.writerow(
                            [row, cohort, seed, name, label, f"{logit:.6f}", f"{probability:.6f}", decision]
                        )
    write_whole_json(result, out / "experiment.json")
    for name, text in (("experiment.html", render_experiment(result)), ("experiment.md", experiment_markdown(result))):
        with whole_file(out / name) as part:
            part.write_text(text, encoding="utf-8")
