"""Choose among configurations by sites that are left out, two at a time.

For each site that is left out, configurations are compared by the mean AUC over the other sites, each predicted by a
network that has seen neither. The network without two sites is the same whichever of them is the outer one, so that it
is trained once.

Source: as `select`; the plain mean over sites after Gulrajani and Lopez-Paz, ICLR 2021 (leave-one-domain-out).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
from PCRPredictorLib.errors import DataError

from ..cohort.splits import EXCLUDED, NEVER
from ..evaluation.sites import describe_sites
from ..statistics.metrics import auc
from ..statistics.operating import Outcome
from ..training.folds import FoldTask, Prepared, Run
from .job import Job


def without_two(data: Prepared, one: int, other: int) -> Prepared:
    """Return the patients with a single fold 0, of two sites; all others are trained on.

    Args:
        one, other: numbers of the sites' folds.
    """
    folds = np.where(data.folds == EXCLUDED, EXCLUDED, NEVER)
    return replace(data, folds=np.where(np.isin(data.folds, (one, other)), 0, folds))


def check_sites(data: Prepared) -> None:
    """Check that two sites can be left out.

    Raises:
        DataError: if there are too few.
    """
    if len(data.fold_numbers) < 3:
        raise DataError(
            f"choosing by sites that are left out needs three sites or more, got {len(data.fold_numbers)}; give more "
            "cohorts, or name a different column with --sites"
        )


def train_pairs(job: Job, outer_runs: Mapping[str, Run]) -> dict[tuple[int, str], list[tuple[float, float]]]:
    """Train every configuration without each pair of sites.

    Args:
        outer_runs: of every configuration.

    Returns:
        Outer site and configuration to AUC and attention in the tumour at each of the other sites, in order.
    """
    numbers = next(iter(outer_runs.values())).data.fold_numbers
    pairs = {
        pair: [
            replace(run, folder=job.folder.pair(*pair, name), data=without_two(run.data, *pair))
            for name, run in outer_runs.items()
        ]
        for pair in combinations(numbers, 2)
    }
    job.train_tasks([FoldTask(0, runs) for runs in pairs.values()])
    found: dict[tuple[int, str], list[tuple[float, float]]] = {}
    for pair, runs in pairs.items():
        for (name, outer_run), run in zip(outer_runs.items(), runs, strict=True):
            first, second = (_measure(run, outer_run.data.folds, site) for site in pair)
            found.setdefault((pair[0], name), []).append(second)
            found.setdefault((pair[1], name), []).append(first)
    return {(k, name): found[k, name] for k in numbers for name in outer_runs}


def _measure(run: Run, folds: np.ndarray, site: int) -> tuple[float, float]:
    """Return AUC and mean attention in the tumour of a network at one of the two sites that it has not seen."""
    scores, held_out = run.out_of_fold(run.config.steps[-1]), run.data.held_out
    here = folds[held_out] == site
    return auc(scores.logit[here], run.data.cache.labels[held_out][here]), float(scores.in_tumour[here].mean())


def describe_nested(nested: Outcome, others: Sequence[Outcome], data: Prepared) -> dict[str, Any]:
    """Return the nested result per site and over the sites, against other models; see `describe_sites`.

    Args:
        nested: of the configurations chosen, for the patients `data.held_out`.
        others: of the same patients.
    """
    index, rows = data.held_out, {outcome.name: [outcome] for outcome in (*others, nested)}
    pairs = [(nested.name, other.name) for other in others]
    return describe_sites(rows, data.cache.labels[index], data.site[index], pairs)
