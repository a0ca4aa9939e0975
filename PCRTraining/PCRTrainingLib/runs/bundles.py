"""The bundles of a run: one of all its folds; and, if sites are left out, one per site that has not seen that site."""

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.formatting import count
from PCRPredictorLib.model.bundle import TRAINING_DISTRIBUTION, write_bundle
from PCRPredictorLib.model.calibration import Calibration
from PCRPredictorLib.model.card import InferenceSettings, ModelCard
from PCRPredictorLib.prediction import OperatingPoint

from ..adaptation.fine_tuning import describe_start, read_start
from ..chance import limits, refusal
from ..cohort.cache import GridCache, training_hashes
from ..cohort.splits import EXCLUDED
from ..evaluation.card import make_card, readme
from ..evaluation.description import measure_on
from ..evaluation.shift import training_distribution_of
from ..schema import describe_variables
from ..statistics.operating import Scores, at_point
from ..statistics.promises import promise
from ..training.folds import Run
from ..training.inference import map_name, random_share
from ..training.kept import read_weights
from ..training.loop import network_arguments
from .job import Job
from .ranges import describe_times, training_ranges, training_times, typical_terms

Fitted = tuple[Calibration, tuple[OperatingPoint, ...]]  # by out-of-fold predictions


@dataclass(frozen=True, eq=False)
class _Model:
    """The networks of a bundle, and what they were trained on.

    Args:
        networks: run and fold of each.
        trained: with the records of the patients trained on.
        rows: identifiers of the patients of clinical rows.
        image_logit: (n,) out of fold.
        fitted: calibration and operating points.
    """

    networks: Sequence[tuple[Run, int]]
    trained: GridCache
    rows: Sequence[str]
    image_logit: np.ndarray
    fitted: Fitted


def bundle_points(run: Run, logit: np.ndarray) -> Fitted:
    """Return calibration and operating points of a run's bundle, cross-fitted by site if its folds are sites.

    Args:
        logit: (n,), out of fold, of the patients held out.
    """
    label, folds = run.data.cache.labels[run.data.held_out], run.data.folds[run.data.held_out]
    return promise(logit, label, folds if run.config.split.kind in ("groups", "sites") else None)


def write_run_bundle(path: Path, run: Run, fitted: Fitted, card: ModelCard) -> None:
    """Write the networks of the last step of every fold, calibrated on their out-of-fold predictions.

    Args:
        path: of the bundle; one that is there is replaced.
        fitted: from `bundle_points`.
    """
    data, step = run.data, run.config.steps[-1]
    networks = [(run, k) for k in data.fold_numbers]
    rows = [row.patient_id for row in data.rows]
    _write(path, _Model(networks, data.cache, rows, run.out_of_fold(step).image_logit, fitted), card)


def write_site_models(job: Job, runs: Sequence[Run], texts: Mapping[str, str]) -> None:
    """Write a bundle per site: the networks of the last step of every run that have not seen that site.

    Calibration and operating points are fixed on the mean logits of the other sites, each by networks that have not
    seen it; the card has the results at the site that was left out. A model whose attention is at chance there is
    reported instead, unless the job keeps it.

    Args:
        runs: of several seeds, on the same folds, one per site.
        texts: of the card, see `read_texts`.
    """
    folds = runs[0].data.folds
    names = _folder_names([str(runs[0].data.site[folds == k][0]) for k in runs[0].data.fold_numbers])
    for k, name in zip(runs[0].data.fold_numbers, names, strict=True):
        _write_site_model(job, runs, k, job.folder.site_bundles / name, texts)


def _write_site_model(job: Job, runs: Sequence[Run], fold: int, path: Path, texts: Mapping[str, str]) -> None:
    data, step = runs[0].data, runs[0].config.steps[-1]
    label, folds = data.cache.labels[data.held_out], data.folds[data.held_out]
    here, others = folds == fold, folds != fold
    scores = [run.out_of_fold(step) for run in runs]
    calibration, points = promise(np.mean([each.logit for each in scores], 0)[others], label[others], folds[others])
    index, trained = data.held_out[here], _trained_part(runs[0], fold)
    site = str(data.site[index[0]])
    outcome = at_point(step.name, [each.logit[here] for each in scores], calibration, points[0])
    mean_scores = Scores(*(np.mean([getattr(each, f.name)[here] for each in scores], 0) for f in fields(Scores)))
    outcome = replace(outcome, scores=mean_scores, map_name=map_name(step.attention))
    share = random_share(runs[0].network(step, fold), data.cache, data.cache.encode(data.schema), index)
    described: Any = measure_on(replace(outcome, random_in_tumour=share), data.cache, index)
    if (refused := refusal(described, f"{path}: no bundle is made without {site}")) and not job.keep_anyway:
        job.progress.say(refused)
        return
    rows = data.rows_for(fold)
    name = f"{job.folder.path.resolve().name}, without {site}"
    card = make_card(name, job.title, trained, described, points, texts)
    result, *promised = card.metrics.items()
    more = f" {count(len(rows), 'more patient')} gave clinical variables and outcome, not images." if rows else ""
    calibrated = f"Calibrated on sites other than {site}, by networks that have not seen them."
    card = replace(
        card,
        training_data=f"{card.training_data}{more} The site {site} was left out.",
        metrics={f"the site left out, {site} ({count(len(index), 'patient')})": result[1], **dict(promised)},
        known_limits=limits(f"{calibrated} {card.known_limits}", described),
    )
    image_logit = np.mean([each.image_logit for each in scores], 0)[others]
    ids = [row.patient_id for row in rows]
    _write(path, _Model([(run, fold) for run in runs], trained, ids, image_logit, (calibration, points)), card)


def _trained_part(run: Run, fold: int) -> GridCache:
    """Return the cache with the records of the patients that a fold trains on; not for their images."""
    folds, cache = run.data.folds, run.data.cache
    used = np.flatnonzero((folds != fold) & (folds != EXCLUDED))
    return replace(cache, records=tuple(cache.records[i] for i in used), lesions=())


def _folder_names(sites: Sequence[str]) -> list[str]:
    """Return a folder's name for each site: "ispy2: GE" becomes "ispy2-GE"."""
    plain = [re.sub(r"[^\w.]+", "-", site).strip("-.") or "site" for site in sites]
    folded = [name.casefold() for name in plain]
    return [name if folded.count(name.casefold()) == 1 else f"{name}-{k}" for k, name in enumerate(plain)]


def _write(path: Path, model: _Model, card: ModelCard) -> None:
    """Write one bundle in the place of one that is there."""
    (run, _), trained = model.networks[0], model.trained
    config, step, times = run.config, run.config.steps[-1], training_times(trained.records)
    schema = run.data.schema if step.clinical else ClinicalSchema(())
    networks = [each.network(step, k) for each, k in model.networks]
    card = replace(card, timing=describe_times(times), variables=describe_variables(schema))
    settings = InferenceSettings(
        network=network_arguments(step, config, run.data.schema),
        grid=config.grid,
        flips=config.flips,
        calibration=model.fitted[0],
        operating_points=model.fitted[1],
        familiar=training_ranges(trained),
        times=times,
        base_rate=float(trained.labels.mean()),
        averaging="logit",
        typical=typical_terms(networks, schema, trained.encode(schema).numpy(), model.image_logit),
    )
    images, patients = training_hashes(trained, model.rows)
    if (start := read_start(run.folder)) is not None:
        card = describe_start(card, start)
        images, patients = [*images, *start.training_hashes[0]], [*patients, *start.training_hashes[1]]
    for each in run.data.unlabelled:  # seen in the pretraining: no patient to be tested on
        more_images, more_patients = training_hashes(each)
        images, patients = [*images, *more_images], sorted({*patients, *more_patients})
    if path.is_dir():
        shutil.rmtree(path)
    weights = [read_weights(each.folder.step(k, step.name).weights) for each, k in model.networks]
    distribution = training_distribution_of(trained, run.data.schema).to_json()
    more = {TRAINING_DISTRIBUTION: distribution}
    write_bundle(path, card, schema, settings, weights, readme(card), images, patients, more)
