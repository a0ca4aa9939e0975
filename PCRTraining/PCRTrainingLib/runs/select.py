"""Choose among configurations by nested cross-validation.

Each outer fold has a run folder per configuration, which is trained on inner folds of the patients that the outer fold
trains on. One more run folder holds the configuration chosen per outer fold, trained on all of these patients. Its
predictions for the outer folds are the result: no choice has seen those patients. It is compared with the baselines and
with the chosen configuration's fair control (`control`), which is trained on the outer folds, too.

If sites are left out, `site_selection` compares the configurations by their mean AUC over the other sites.

A configuration with too little attention inside the tumour is not chosen, whatever its AUC, unless all have too little.

Source: Varma and Simon, BMC Bioinformatics 2006: a choice must not be tested on the patients that made it.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import combinations
from typing import Literal

import numpy as np
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.writing import write_whole_csv, write_whole_json, write_whole_text

from ..cohort.splits import EXCLUDED, assign_folds
from ..config import SplitConfig, TrainingConfig, config_to_json, parse_config
from ..ends.selection_page import NESTED, render_selection
from ..evaluation.baselines import BASELINES, baseline_outcomes
from ..evaluation.comparison import adjust, compare
from ..evaluation.performance import describe_performance
from ..formats import SELECTION
from ..statistics.metrics import auc
from ..statistics.operating import Outcome, Scores, cross_fitted
from ..training.folds import FoldTask, Prepared, Run
from ..training.foresight import sites_of
from .clinical_rows import keep_clinical_rows, read_clinical_rows
from .control import CONTROL_ROW, control_config
from .job import Job
from .preparation import foresee_run, keep_folds, lengthened, open_cohorts, owners_of, report_sites, unlabelled_of
from .scaling import fit_schema, read_schema, write_schema
from .site_selection import check_sites, describe_nested, train_pairs, without_two


@dataclass(frozen=True)
class Candidate:
    """The result of a configuration in the inner folds of one outer fold."""

    outer: int
    name: str
    auc: float
    attention: float


def select(job: Job, configs: Mapping[str, TrainingConfig], *, inner: int = 4, least_attention: float = 0.6) -> None:
    """Compare configurations by nested cross-validation.

    Args:
        configs: by name; all must read the same grid and split alike.
        inner: folds of the patients that an outer fold trains on; if sites are left out, each other site is one.
        least_attention: share of attention inside the tumour that a configuration needs to be chosen, if any has it.

    Raises:
        DataError: if the configurations differ in grid or split, the cohort cannot be used, or nothing can be written.
    """
    first = next(iter(configs.values()))
    shared = {(c.grid, c.split, c.sites, c.smallest_site, c.seed) for c in configs.values()}
    if len(shared) > 1:
        raise DataError("the configurations must have the same grid, split and seed; make them alike")
    for config in configs.values() if job.is_new else ():
        _check(foresee_run(job, config), inner, config)
    contents = {name: config_to_json(config) for name, config in configs.items()}
    asked = {"inner": inner, "least_attention": least_attention, "configurations": contents}
    with job.hold("select", first, asked) as (_, options):
        read = options["configurations"].items()
        configs = {name: parse_config(json.dumps(content), f"{job.folder.path}: {name}") for name, content in read}
        outer_runs = _prepare(job, configs, options["inner"], options["clinical_rows"])
        found = _compare(job, outer_runs, options["inner"])
        numbers = sorted({candidate.outer for candidate in found})
        chosen = {k: choose([c for c in found if c.outer == k], options["least_attention"]) for k in numbers}
        controls = _controls(job, chosen, outer_runs)
        tasks = [[outer_runs[name], *([controls[name]] if controls else [])] for name in chosen.values()]
        job.train_tasks([FoldTask(k, runs) for k, runs in zip(chosen, tasks, strict=True)])
        _write(job, found, chosen, outer_runs, controls, options["least_attention"])


def choose(candidates: Sequence[Candidate], least_attention: float) -> str:
    """Return the name with the highest AUC among those with enough attention, or that with the most if none has.

    Shares of attention that are equal in percent are equal: networks that differ in the last step's composition alone.
    """
    enough = [c for c in candidates if c.attention >= least_attention]
    most = max(round(c.attention, 2) for c in candidates)
    return max(enough or [c for c in candidates if round(c.attention, 2) == most], key=lambda c: c.auc).name


def _final(found: Sequence[Candidate], least_attention: float) -> str:
    """Return the configuration that is chosen by all sites: that with the highest mean over the outer ones."""
    names = dict.fromkeys(candidate.name for candidate in found)
    values = {name: np.mean([(c.auc, c.attention) for c in found if c.name == name], 0) for name in names}
    return choose([Candidate(-1, name, *map(float, mean)) for name, mean in values.items()], least_attention)


def _prepare(job: Job, configs: Mapping[str, TrainingConfig], inner: int, tables: Sequence[str]) -> dict[str, Run]:
    """Return the run of every configuration on the outer folds: one cache, one division, each its own variables."""
    folder, first = job.folder, next(iter(configs.values()))
    opened = {name: open_cohorts(job.cohorts, folder.cache, config, job.progress) for name, config in configs.items()}
    schemas = {name: schema for name, (_, schema) in opened.items()}
    cache, _ = next(iter(opened.values()))
    sites = sites_of(cache, first, list(job.cohorts))

    def keep(folds: np.ndarray) -> None:
        for name, config in configs.items():
            _check(Prepared(cache, schemas[name], folds, (), sites), inner, config)
        report_sites(sites, job.progress)
        owners = owners_of(cache, sites, first)
        keep_clinical_rows(tables, folder.clinical_rows, list(schemas.values()), job.progress, owners)
        for name, schema in schemas.items():
            write_schema(fit_schema(schema, cache, folder.clinical_rows, job.progress), folder.schema_of(name))
        job.write_origin(first, cache)

    folds = keep_folds(folder, cache, sites, first, first.seed, keep)
    runs = {}
    for name, config in configs.items():
        schema = read_schema(folder.schema_of(name))
        rows = read_clinical_rows(folder.clinical_rows, schema)
        data = Prepared(cache, schema, folds, rows, sites, unlabelled_of(job, config))
        runs[name] = Run(folder.chosen, data, lengthened(config, data, job.progress))
    return runs


def _check(data: Prepared, inner: int, config: TrainingConfig) -> None:
    """Check that every fold can be trained, outer and inner."""
    data.check(config)
    if config.split.kind == "sites":
        check_sites(data)
        for pair in combinations(data.fold_numbers, 2):
            without_two(data, *pair).check(config)
        return
    for k in data.fold_numbers:
        _inside(data, k, inner, config).check(config)


def _inside(data: Prepared, outer: int, inner: int, config: TrainingConfig) -> Prepared:
    """Return the patients that an outer fold trains on, in folds of their own; the others take no part.

    If the outer folds leave out whole groups, so do the inner ones.
    """
    rest = np.flatnonzero(data.folds != outer)
    folds = np.full(len(data.folds), EXCLUDED)
    ids, column = [data.cache.ids[i] for i in rest], data.cache.column(config.split.column)[rest]
    kind: Literal["groups", "folds"] = "groups" if config.split.kind == "groups" else "folds"
    split = SplitConfig(kind, folds=inner, column=config.split.column)
    folds[rest] = assign_folds(split, ids, data.cache.labels[rest], column, config.seed + 1000 + outer)
    return replace(data, folds=folds)


def _compare(job: Job, outer_runs: Mapping[str, Run], inner: int) -> list[Candidate]:
    """Train every configuration inside every outer fold, and return the result of each."""
    if next(iter(outer_runs.values())).config.split.kind != "sites":
        return _train_inside(job, outer_runs, inner)
    found = train_pairs(job, outer_runs)
    means = {key: np.mean(values, 0) for key, values in found.items()}
    return [Candidate(k, name, float(mean[0]), float(mean[1])) for (k, name), mean in means.items()]


def _train_inside(job: Job, outer_runs: Mapping[str, Run], inner: int) -> list[Candidate]:
    """Train every configuration on the inner folds of every outer fold, and return the result of each."""
    numbers = next(iter(outer_runs.values())).data.fold_numbers
    inside = {
        (k, name): Run(job.folder.inner(k, name), _inside(run.data, k, inner, run.config), run.config)
        for k in numbers
        for name, run in outer_runs.items()
    }
    tasks = []
    for k in numbers:
        runs = [inside[k, name] for name in outer_runs]
        tasks += [FoldTask(j, runs) for j in runs[0].data.fold_numbers]
    job.train_tasks(tasks)
    return [_candidate(k, name, run) for (k, name), run in inside.items()]


def _candidate(outer: int, name: str, run: Run) -> Candidate:
    scores = run.out_of_fold(run.config.steps[-1])
    label = run.data.cache.labels[run.data.held_out]
    return Candidate(outer, name, auc(scores.logit, label), float(scores.in_tumour.mean()))


def _controls(job: Job, chosen: Mapping[int, str], outer_runs: Mapping[str, Run]) -> dict[str, Run]:
    """Return the fair control of every chosen configuration; nothing if one of them has none."""
    configs = {name: control_config(outer_runs[name].config) for name in chosen.values()}
    if None in configs.values():
        return {}
    return {n: replace(outer_runs[n], folder=job.folder.control, config=c) for n, c in configs.items() if c}


def _write(
    job: Job,
    found: Sequence[Candidate],
    chosen: Mapping[int, str],
    outer_runs: Mapping[str, Run],
    controls: Mapping[str, Run],
    least_attention: float,
) -> None:
    data, config = next(iter(outer_runs.values())).data, next(iter(outer_runs.values())).config
    by_site = config.split.kind == "sites"
    left_out = {k: str(data.site[data.folds == k][0]) if by_site else "" for k in chosen}
    columns = ["outer_fold", "site", "configuration", "inner_auc", "inner_attention_in_tumour", "chosen"]
    rows = [
        [c.outer, left_out[c.outer], c.name, f"{c.auc:.4f}", f"{c.attention:.4f}", int(chosen[c.outer] == c.name)]
        for c in found
    ]
    write_whole_csv(columns, rows, job.folder.candidates)
    job.progress.start("Results", 2)
    job.progress.advance("intervals of the choice", 0)
    scores, label, folds = _nested(chosen, outer_runs), data.cache.labels[data.held_out], data.folds[data.held_out]
    nested = cross_fitted(NESTED, scores.logit, label, folds)
    others = [baseline_outcomes(baseline, data, [])[0] for baseline in BASELINES]
    if controls:
        others.append(cross_fitted(CONTROL_ROW, _nested(chosen, controls).logit, label, folds))
    content = {
        "format": SELECTION,
        "chosen": {str(k): name for k, name in chosen.items()},
        "final": _final(found, least_attention) if by_site else Counter(chosen.values()).most_common(1)[0][0],
        "sites": left_out if by_site else None,
        "tries": {"configurations": len(outer_runs), "comparisons": len(found)},
        "configurations": {name: config_to_json(run.config) for name, run in outer_runs.items()},
        "nested": {
            **describe_performance(nested, label),
            "attention_in_tumour": float(scores.in_tumour.mean()),
            "against": _compare_with(others, nested, label),
            "sites": describe_nested(nested, others, data) if by_site else None,
        },
        **job.time_and_versions(),
    }
    write_whole_json(content, job.folder.selection)
    job.progress.advance("report")
    candidates = [dict(zip(columns, row, strict=True)) for row in rows]
    write_whole_text(render_selection(content, candidates, job.title, least_attention), job.folder.report)
    job.progress.advance()


def _nested(chosen: Mapping[int, str], runs: Mapping[str, Run]) -> Scores:
    """Return the scores of the patients of every outer fold by the network of the configuration chosen for it."""
    data, found = next(iter(runs.values())).data, {}
    for k, name in chosen.items():
        one_fold = replace(runs[name], data=replace(data, folds=np.where(data.folds == k, k, EXCLUDED)))
        found[k] = one_fold.out_of_fold(one_fold.config.steps[-1])
    folds = data.folds[data.held_out]
    return Scores(*(_by_fold(folds, {k: getattr(s, field.name) for k, s in found.items()}) for field in fields(Scores)))


def _by_fold(folds: np.ndarray, values: Mapping[int, np.ndarray]) -> np.ndarray:
    """Return the values of every patient, (n,), from those of each fold's patients in the same order."""
    joined = np.zeros(len(folds))
    for k, found in values.items():
        joined[folds == k] = found
    return joined


def _compare_with(others: Sequence[Outcome], nested: Outcome, label: np.ndarray) -> list[dict[str, object]]:
    """Compare with other models on the same outer folds."""
    pairs = adjust([compare(nested, other, label) for other in others])
    areas = [auc(other.order, label) for other in others]
    named = [{**pair, "model": pair["other"], "auc": area} for pair, area in zip(pairs, areas, strict=True)]
    return [{key: value for key, value in pair.items() if key != "other"} for pair in named]
