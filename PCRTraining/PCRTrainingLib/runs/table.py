"""The table of an experiment: its rows, the outcome of each on each cohort, and how they compare.

Arrays are (N,) of the patients of a cohort.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PCRPredictorLib.writing import write_whole_csv, write_whole_json, write_whole_text

from ..cohort.cache import GridCache
from ..evaluation.baselines import BASELINES
from ..evaluation.comparison import adjust, compare
from ..evaluation.description import auc_interval, describe_attention
from ..evaluation.maps import describe_maps, enhancement_scores
from ..evaluation.performance import describe_performance
from ..evaluation.report import experiment_markdown, render_experiment
from ..evaluation.sites import describe_sites
from ..formats import EXPERIMENT
from ..progress import Progress
from ..run_folder import RunFolder
from ..statistics.metrics import Interval, auc, bootstrap, bootstrap_values, rates, sensitivity_at
from ..statistics.operating import Outcome
from ..statistics.seeds import SEEDS, mean_elsewhere, mean_out_of_fold
from ..statistics.variability import FromDraws, widen, within_bounds
from ..training.folds import Prepared
from .control import CONTROL, CONTROL_ROW, IMAGE

INSIDE = "out of fold"  # the column of the training cohort
BASELINE_ROW = "single stage, multimodal"  # which the others are measured against
COMPARED = (
    ("step 3", CONTROL_ROW),
    ("step 3", BASELINE_ROW),
    ("step 3", "clinical"),
    ("step 3", "kinetics + clinical"),
    ("step 3", "step 3, no swap"),
    ("step 2", "single stage, image"),
)


@dataclass(frozen=True)
class Row:
    """A row of the table: a step of the runs, under a readable name."""

    name: str
    what: str
    step: str


ROWS = (
    Row("single stage, image", "one stage, no guidance, image only; as long as steps 1 and 2", IMAGE),
    Row(BASELINE_ROW, "one stage, no guidance, image and clinical; as long as the three steps", "single_multimodal"),
    Row(
        CONTROL_ROW,
        "the single-stage image model, fused as in step 3, with the same rows and share of the image; no guidance",
        CONTROL,
    ),
    Row("step 1", "global image patterns", "step1"),
    Row("step 2, no swap", "attention guided to the tumour", "step2_noswap"),
    Row("step 3, no swap", "step 2 without swap, and clinical variables", "step3_noswap"),
    Row("step 2", "attention guided to the tumour, backgrounds swapped", "step2"),
    Row("step 3", "step 2, and clinical variables", "step3"),
)


Outcomes = dict[str, dict[str, list[Outcome]]]  # row, cohort, one per seed


def tabulate(
    name: str,
    outcomes: Outcomes,
    data: Prepared,
    caches: Mapping[str, GridCache],
    seeds: Sequence[int],
    progress: Progress = Progress(),  # noqa: B008
) -> dict[str, object]:
    """Return the table as plain values, see `report.render_experiment`; `progress` is told each row."""
    progress.start("Results", len(outcomes) * len(caches))
    described: dict[str, dict[str, object]] = {name: {} for name in outcomes}
    comparisons: list[dict[str, object]] = []
    cohorts: list[dict[str, object]] = []
    for cohort, cache in caches.items():
        index = positions(cohort, data, caches)
        label, truth = cache.labels[index], cache.true_probability
        best = None if truth is None else auc_interval(truth[index], label).value
        cohorts.append(
            {
                "name": cohort,
                "role": INSIDE if cohort == INSIDE else "external",
                "patients": len(index),
                "positives": int(label.sum()),
                "best_possible_auc": best,
            }
        )
        enhancement = enhancement_scores(cache, index)
        means = average(outcomes, cohort, data.cache.labels[data.held_out])
        for row, mean in means.items():
            progress.advance(f"intervals of {row}", 0)
            values = describe_row(mean, means[BASELINE_ROW], label, best)
            described[row][cohort] = {**values, **describe_maps(outcomes[row][cohort], enhancement)}
            progress.advance()
        progress.advance("comparisons", 0)
        comparisons += [{"cohort": cohort, **pair} for pair in compare_rows(means, label)]
    what = {row.name: row.what for row in (*BASELINES, *ROWS)}
    sites = site_results(outcomes, data) if data.leaves_sites_out else None
    return {
        "format": EXPERIMENT,
        "kind": "experiment",
        "seeds": list(seeds),
        "sites": sites,
        "training": {
            "name": name,
            "patients": len(data.cache),
            "positives": int(data.cache.labels.sum()),
            "left_out": len(data.cache.quarantine),
            "folds": len(data.fold_numbers),
        },
        "cohorts": cohorts,
        "rows": [{"name": row, "what": what[row], "cohorts": described[row]} for row in outcomes],
        "comparisons": adjust(comparisons),
    }


def site_results(outcomes: Outcomes, data: Prepared) -> dict[str, object]:
    """Return the results at the sites that were left out, see `describe_sites`."""
    index, others = data.held_out, [baseline.name for baseline in BASELINES]
    pairs = [*COMPARED, *((row.name, other) for row in ROWS for other in others)]
    inside = {row: found[INSIDE] for row, found in outcomes.items()}
    return describe_sites(inside, data.cache.labels[index], data.site[index], list(dict.fromkeys(pairs)))


def describe_row(mean: Outcome, baseline: Outcome, label: np.ndarray, best: float | None) -> dict[str, object]:
    """Describe one row on one cohort; every value is of the prediction averaged over the seeds.

    Args:
        mean: of the row's seeds.
        baseline: mean of those of `BASELINE_ROW`.
        label: (N,), 0 or 1.
        best: AUC of the true probabilities; None if unknown.
    """
    per_seed = _aucs(mean, label)
    base = float(np.mean(_aucs(baseline, label)))
    gap = None if best is None or best <= base else (float(np.mean(per_seed)) - base) / (best - base)
    attention = describe_attention(mean, label) or {}
    return {
        **describe_performance(mean, label),
        "auc_per_seed": per_seed,
        "sensitivity_at_baseline_specificity": _beside(mean, baseline, label).to_json(),
        "attention_in_tumour": attention.get("in_tumour"),
        "pointing_game": attention.get("pointing_game"),
        "attention_map": mean.map_name,
        "gap_closed": gap,
    }


def _aucs(mean: Outcome, label: np.ndarray) -> list[float]:
    """Return the AUC of every seed."""
    return [auc(outcome.order, label) for outcome in _seeds(mean)]


def _seeds(mean: Outcome) -> Sequence[Outcome]:
    return mean.draws if mean.drawn == SEEDS else (mean,)


def _beside(mean: Outcome, baseline: Outcome, label: np.ndarray) -> Interval:
    """Return the sensitivity at the baseline's specificity; that of each seed is at the same seed's of the baseline."""

    def sensitivity(one: Outcome, other: Outcome, i: np.ndarray) -> float:
        return sensitivity_at(one.order[i], label[i], rates(other.decision[i], label[i]).specificity)

    seeds, everyone = zip(_seeds(mean), _seeds(baseline), strict=True), np.arange(len(label))
    drawn = bootstrap_values(lambda i: sensitivity(mean, baseline, i), label)
    found = bootstrap(lambda i: sensitivity(mean, baseline, i), label, drawn=drawn)
    of_draws = FromDraws.of([sensitivity(a, b, everyone) for a, b in seeds])
    return within_bounds(widen(found, float(np.var(drawn)), of_draws))


def compare_rows(means: Mapping[str, Outcome], label: np.ndarray) -> list[dict[str, object]]:
    """Compare the curriculum with the models that it has to beat, on predictions averaged over the seeds.

    Args:
        means: of each row.
        label: (N,), 0 or 1.
    """
    return [compare(means[one], means[other], label) for one, other in COMPARED if {one, other} <= means.keys()]


def average(outcomes: Outcomes, cohort: str, label: np.ndarray) -> dict[str, Outcome]:
    """Return the mean over the seeds of every row on one cohort.

    Args:
        label: (n,) of the patients that were held out, who fix calibration and threshold.
    """
    found = {}
    for row, by_cohort in outcomes.items():
        inside, here = by_cohort[INSIDE], by_cohort[cohort]
        mean = mean_out_of_fold(here, label) if cohort == INSIDE else mean_elsewhere(here, inside, label)
        found[row] = replace(mean, name=row)
    return found


def write_table(
    result: dict, outcomes: Outcomes, data: Prepared, caches: Mapping[str, GridCache], folder: RunFolder
) -> None:
    """Write predictions, values, page and Markdown of an experiment."""
    columns = ["row", "cohort", "seed", "patient_id", "label", "logit", "probability", "decision"]
    write_whole_csv(columns, _prediction_rows(outcomes, data, caches, result["seeds"]), folder.predictions)
    write_whole_json(result, folder.experiment)
    write_whole_text(render_experiment(result), folder.report)
    write_whole_text(experiment_markdown(result), folder.report_text)


def _prediction_rows(
    outcomes: Outcomes, data: Prepared, caches: Mapping[str, GridCache], seeds: Sequence[int]
) -> Iterator[list[object]]:
    for row, by_cohort in outcomes.items():
        for cohort, found in by_cohort.items():
            index = positions(cohort, data, caches)
            ids, labels = np.array(caches[cohort].ids)[index], caches[cohort].labels[index]
            for seed, outcome in zip(seeds, found, strict=True):
                values = (ids, labels, outcome.logit, outcome.probability, outcome.decision.astype(int))
                for name, label, logit, probability, decision in zip(*values, strict=True):
                    yield [row, cohort, seed, name, label, f"{logit:.6f}", f"{probability:.6f}", decision]


def positions(cohort: str, data: Prepared, caches: Mapping[str, GridCache]) -> np.ndarray:
    """Return the positions, (N,), of the patients that the outcomes on a cohort are of."""
    return data.held_out if cohort == INSIDE else np.arange(len(caches[cohort]))
