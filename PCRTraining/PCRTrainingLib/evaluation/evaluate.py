"""Evaluate models on cohorts that they were not trained on."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.engine.engine import Engine, ThisProcess
from PCRPredictorLib.engine.tasks import Report
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.formatting import count
from PCRPredictorLib.model.bundle import Bundle
from PCRPredictorLib.model.grid import GridSpec
from PCRPredictorLib.model.predictor import library_versions
from PCRPredictorLib.reading.cohort import find_patients
from PCRPredictorLib.shift.wording import describe_shift
from PCRPredictorLib.writing import whole_folder, write_csv, write_json

from ..cohort.build import open_or_build
from ..cohort.cache import GridCache, report_left_out
from ..cohort.promised import promised_patients
from ..cohort.shared import LEAVE_OUT, describe_shared, find_known, refuse_shared
from ..cohort.splits import count_classes
from ..formats import RESULTS
from ..progress import Progress
from ..run_folder import RunFolder
from ..statistics.operating import Outcome
from ..training.inference import Ensemble, random_map
from ..training.sharing import Relay, Units, prepare_device, share
from .description import describe_cohort
from .map_effects import count_batches, describe_effects
from .report import evaluation_markdown, render_evaluation
from .shift import cohort_shift

PATIENT_COLUMNS = ("cohort", "model", "patient_id", "label", "logit", "probability", "decision", "attention_in_tumour")


def evaluate(
    cohorts: Sequence[Path],
    bundles: Sequence[Bundle],
    work: Path,
    device: str,
    progress: Progress,
    engine: Engine,
    *,
    maps: bool = False,
    leave_out_known: bool = False,
    keep: Callable[[Sequence[object]], object] = lambda _row: None,
) -> dict[str, object]:
    """Return the performance of every model on every cohort, all on the same patients.

    Args:
        work: folder for cached grids and copies of the models, which all workers see.
        engine: that runs each model on each cohort.
        maps: also measure what the maps do, see `map_effects`; that takes about 35 times as long.
        leave_out_known: leave out the patients that a model was trained on, instead of refusing the cohort.
        keep: called with a row of `PATIENT_COLUMNS` per patient and model.

    Raises:
        DataError: if a cohort cannot be used or shares patients with the training of a model.
    """
    named = dict(zip(cohort_names(cohorts), cohorts, strict=True))
    for name, cohort in named.items():
        _foresee(bundles, cohort, name, leave_out_known=leave_out_known)
    results = []
    copies = [
        replace(bundle, path=shutil.copytree(bundle.path, work / ".models" / str(k)))
        for k, bundle in enumerate(bundles)
    ]
    engine.check_folder(work)
    for name, cohort in named.items():
        caches = _read_for(bundles, cohort, name, work / name, progress, leave_out_known=leave_out_known)
        own = [caches[bundle.settings.grid] for bundle in bundles]
        for bundle, cache in zip(bundles, own, strict=True):
            refuse_shared(cache, cohort, *bundle.training_hashes, LEAVE_OUT)
        trials = [Trial(copy, cache, device, maps) for copy, cache in zip(copies, own, strict=True)]
        found = run_trials(trials, engine, progress, f"{count(len(bundles), 'model')} on {name}")
        names = number_duplicates([outcome.name for outcome, _ in found])
        outcomes = [replace(outcome, name=name) for (outcome, _), name in zip(found, names, strict=True)]
        progress.start(f"Results on {name}", len(outcomes) + 1)
        described: Any = describe_cohort(name, own[0], np.arange(len(own[0])), outcomes, own, progress)
        for pair in zip(own, outcomes, strict=True):
            for row in _patient_rows(name, *pair):
                keep(row)
        for model, (_, effects) in zip(described["models"], found, strict=True):
            model.update({"effects": effects} if maps else {})
        results.append({**described, "shift": list(map(cohort_shift, bundles, own, outcomes))})
    return {
        "format": RESULTS,
        "kind": "evaluation",
        "cohorts": results,
        "models": [_describe_bundle(bundle) for bundle in bundles],
    }


def _describe_bundle(bundle: Bundle) -> dict[str, str]:
    return {
        "name": bundle.card.name,
        "version": bundle.card.version,
        "training_data": bundle.card.training_data,
        "checksum": bundle.checksum,
    }


def _patient_rows(cohort: str, cache: GridCache, outcome: Outcome) -> Iterator[list[object]]:
    """Yield the row of `PATIENT_COLUMNS` of every patient."""
    shares = np.full(len(cache), np.nan) if outcome.scores is None else outcome.scores.in_tumour
    numbers = zip(outcome.logit, outcome.probability, shares, strict=True)
    for k, (record, label, row) in enumerate(zip(cache.records, cache.labels, numbers, strict=True)):
        logit, probability, share_ = ("" if np.isnan(x) else f"{x:.6f}" for x in row)
        yield [cohort, outcome.name, record.own_id, label, logit, probability, int(outcome.decision[k]), share_]


@dataclass(frozen=True, eq=False)
class Trial:
    """One model to be run on one cohort.

    Args:
        bundle: in a folder that the worker sees.
        maps: also measure what the maps do.
    """

    bundle: Bundle
    cache: GridCache
    device: str
    maps: bool


def run_trial(trial: Trial, report: Report) -> tuple[Outcome, dict[str, object] | None]:
    """Return the outcome of a model on a cohort, and what its maps do if asked for.

    Args:
        report: called with the units that are done, of which the outcome is one and the maps are the others.

    Raises:
        DataError: if the bundle or the device cannot be used.
    """
    progress, bundle, cache = Relay(report), trial.bundle, trial.cache
    device = prepare_device(trial.device)
    outcome = run_bundle(bundle, cache, device)
    progress.advance(bundle.card.name)
    if not trial.maps:
        return outcome, None
    members = [(bundle.load_networks(device), np.arange(len(cache)))]
    return outcome, describe_effects(members, cache, lambda: progress.advance(f"maps of {bundle.card.name}"))


def run_trials(
    trials: Sequence[Trial], engine: Engine, progress: Progress, stage: str
) -> list[tuple[Outcome, dict[str, object] | None]]:
    """Return what `run_trial` returns for each, in order.

    Raises:
        DataError: see there; also if the cluster is lost.
    """
    batches = [count_batches([([], np.arange(len(trial.cache)))]) if trial.maps else 0 for trial in trials]
    progress.start(stage, len(trials) + sum(batches))
    found = share(engine, run_trial, trials, [Units(1 + number) for number in batches], progress)
    return [found[trial] for trial in trials]


def _foresee(bundles: Sequence[Bundle], cohort: Path, name: str, *, leave_out_known: bool) -> None:
    """Refuse a cohort for what its table and the names of its files say, before an image is read.

    Raises:
        DataError: if a model was trained on a patient with one of the identifiers, or a class has no patient.
    """
    known = find_known(bundles, [patient.patient_id for patient in find_patients(cohort)])
    if known.names and not leave_out_known:
        raise DataError(describe_shared(cohort, (), sorted(known.names), LEAVE_OUT))
    promised = promised_patients({name: cohort}, _schema_of(bundles), bundles[0].settings.grid)
    others = tuple(record for record in promised.records if record.patient_id not in known.names)
    check_classes(replace(promised, records=others), cohort)


def _schema_of(bundles: Sequence[Bundle]) -> ClinicalSchema:
    """Return the variables of all models, which a patient must have in cells that can be read."""
    return ClinicalSchema(tuple(variable for bundle in bundles for variable in bundle.schema.variables))


def _read_for(
    bundles: Sequence[Bundle], cohort: Path, name: str, folder: Path, progress: Progress, *, leave_out_known: bool
) -> dict[GridSpec, GridCache]:
    """Return the cohort on the grid of every model; a patient whose variables any of them cannot read is left out.

    Raises:
        DataError: if the cohort cannot be used.
    """
    patients = find_patients(cohort, progress.say)
    known, schema = find_known(bundles, [patient.patient_id for patient in patients]), _schema_of(bundles)
    caches: dict[GridSpec, GridCache] = {}
    for grid in dict.fromkeys(bundle.settings.grid for bundle in bundles):
        progress.start(f"Reading {name}", len(patients))
        leave_out = known if leave_out_known else None
        cache = open_or_build(cohort, folder / str(len(caches)), grid, schema, progress, leave_out=leave_out)
        if not caches:
            report_left_out(cache, progress)
        check_classes(cache, cohort)
        caches[grid] = cache
    return caches


def write_evaluation(
    cohorts: Sequence[Path],
    bundles: Sequence[Bundle],
    out: Path,
    device: str,
    progress: Progress,
    engine: Engine | None = None,
    *,
    maps: bool = False,
    leave_out_known: bool = False,
) -> None:
    """Write what `evaluate` returns, and its page, into a folder.

    Args:
        engine: that runs the models; None for this process.
        maps: also measure what the maps do.
        leave_out_known: see `evaluate`.

    Raises:
        DataError: see `evaluate`; also if the folder cannot be written.
    """
    with whole_folder(out) as folder:
        files = RunFolder(folder)
        rows: list[Sequence[object]] = []
        work = files.cache, device, progress, engine or ThisProcess()
        found = evaluate(cohorts, bundles, *work, maps=maps, leave_out_known=leave_out_known, keep=rows.append)
        result = found | {"versions": library_versions()}
        shutil.rmtree(files.cache)
        write_json(result, files.evaluation)
        write_csv(PATIENT_COLUMNS, rows, files.predictions)
        files.report.write_text(render_evaluation(result), encoding="utf-8")
        files.report_text.write_text(evaluation_markdown(result), encoding="utf-8")
    for line in describe_shifts(result):
        progress.say(line)


def describe_shifts(result: Mapping[str, Any]) -> list[str]:
    """Return how the cohorts of an evaluation differ from the training patients of each model, in sentences."""
    return [
        f"{cohort['name']}, {shift['model']}: {sentence}"
        for cohort in result["cohorts"]
        for shift in cohort["shift"]
        for sentence in describe_shift(shift)
    ]


def run_bundle(bundle: Bundle, cache: GridCache, device: str = "cpu") -> Outcome:
    """Return the outcome of the fold ensemble of a bundle, as the predictor runs it, on a cached cohort."""
    settings, networks, clinical = bundle.settings, bundle.load_networks(device), cache.encode(bundle.schema)
    point, averaging = bundle.operating_point(), settings.averaging
    ensemble = Ensemble(bundle.card.name, networks, settings.flips, settings.calibration, point, averaging)
    beside = random_map(networks[0], cache, clinical, device=device)
    return replace(ensemble.outcome(cache, clinical, device), random_map=beside)


def cohort_names(cohorts: Sequence[Path]) -> list[str]:
    """Return a short, distinct name per cohort: that of its folder, numbered if there are two of it."""
    return number_duplicates([cohort.resolve().name for cohort in cohorts])


def number_duplicates(names: Sequence[str]) -> list[str]:
    """Return the names, with the position added to those that are not unique."""
    return [name if names.count(name) == 1 else f"{name} {k + 1}" for k, name in enumerate(names)]


def check_classes(cache: GridCache, cohort: Path) -> None:
    """Refuse a cohort in which all patients have the same label.

    Raises:
        DataError: if it is refused.
    """
    if len(set(cache.labels.tolist())) < 2:
        raise DataError(
            f"{cohort}: must have patients with and without pCR to evaluate on, got "
            f"{count_classes(cache.labels)}; run pcr check to see who was left out"
        )
