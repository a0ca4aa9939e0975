"""A training run: a folder that explains itself, can be resumed, and ends with results and a bundle.

Its files: `run_folder`.
"""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PCRPredictorLib.errors import DataError, of_one_patient
from PCRPredictorLib.model.bundle import Bundle
from PCRPredictorLib.reading.cohort import CohortPatient, find_patient, read_patient
from PCRPredictorLib.report.overlay import save_attention
from PCRPredictorLib.writing import whole_file, write_whole_csv, write_whole_json, write_whole_text

from ..adaptation.fine_tuning import check_start, fine_tuned_config, keep_start, read_start, schema_of
from ..chance import limits, refusal
from ..cohort.cache import GridCache
from ..config import TrainingConfig
from ..evaluation.card import describe_failures, make_card, read_texts
from ..evaluation.description import describe_cohort
from ..evaluation.layout import Figure, Section
from ..evaluation.report import render_evaluation
from ..evaluation.sites import describe_sites
from ..formats import RESULTS
from ..progress import Progress
from ..run_state import read_histories
from ..statistics.operating import Outcome
from ..training.folds import Run
from ..training.inference import random_map
from .bundles import bundle_points, write_run_bundle, write_site_models
from .control import CONTROL, control_config
from .job import Job
from .preparation import foresee_run, prepare
from .step_attention import explain_steps

FROM = "from"  # option of a run: name of the model that it starts from


def train(job: Job, config: TrainingConfig, card: Path | None = None, start: Bundle | None = None) -> str:
    """Train a cohort into a run folder; return why no bundle was made of it, "" if there is one.

    Args:
        config: of a new run.
        card: JSON with texts of the model card, see `card.read_texts`.
        start: whose networks a new run starts from, see `fine_tuning`; None for random weights. A resumed run keeps
            what it was started with.

    Raises:
        DataError: if the cohort or the folder cannot be used; what was done until then is kept.
    """
    texts = read_texts(card) if card else None
    if start is not None:
        config = fine_tuned_config(config, start)
    if job.is_new:
        promised = foresee_run(job, config, schema_of(start)).cache
        if start is not None:
            check_start(start, promised, [*job.cohorts.values()], Progress())
    with job.hold("train", config, {FROM: start and start.card.name}) as (config, options):
        if texts is not None:
            write_whole_json(texts, job.folder.card)
        begun = _begin(job, start)
        check = partial(check_start, begun, cohorts=[*job.cohorts.values()], progress=job.progress) if begun else _pass
        run = prepare(job, config, options["clinical_rows"], schema_of(begun), check)
        job.train_tasks(run.tasks())
        return finish(job, run)


def _begin(job: Job, start: Bundle | None) -> Bundle | None:
    """Return the bundle that a run starts from; a new run keeps it in its folder."""
    if not job.folder.splits.is_file():
        shutil.rmtree(job.folder.base, ignore_errors=True)  # of a run that ended before anything was trained
        if start is not None:
            keep_start(job.folder, start)
    return read_start(job.folder)


def _pass(_cache: GridCache) -> None:
    """Accept all patients."""


def finish(job: Job, run: Run) -> str:
    """Write the results of a finished run; return why no bundle was made of it, "" if there is one."""
    folder, data, progress = run.folder, run.data, job.progress
    progress.start("Results", 2 * len(run.config.steps) + 5)
    outcomes = outcomes_of_steps(run, progress)
    result, last = describe_cohort("out of fold", data.cache, data.held_out, outcomes, (), progress), outcomes[-1]
    progress.advance("calibration and operating points", 0)
    fitted = bundle_points(run, last.logit)
    progress.advance("report")
    result |= {"operating_points": [vars(point) for point in fitted[1]], "note": _control_note(run)}
    write_out_of_fold(folder.out_of_fold, run, last)
    sites = _describe_sites(run, outcomes) if run.config.split.kind == "sites" else None
    kind = {"format": RESULTS, "kind": "evaluation"}
    content = {**kind, "cohorts": [result], "sites": sites, "models": [], **job.time_and_versions()}
    write_whole_json(content, folder.summary)
    histories = {f"fold {k}": read_histories(run.config, folder, k) for k in data.fold_numbers}
    progress.advance("largest errors")
    texts = read_texts(folder.card) if folder.card.is_file() else {}
    described: Any = result["models"]
    card = make_card(folder.path.resolve().name, job.title, data.cache, described[-1], fitted[1], texts)
    worst, words = describe_failures(data.cache, data.held_out, last)
    errors = draw_failures(job, run, [data.cache.ids[i] for i in worst], words)
    refused = "" if job.keep_anyway else refusal(described[-1], f"{folder.path}: no bundle is made of this run")
    first = [Section("No model was made", refused)] if refused else []
    page = render_evaluation(content, histories, first=first, more=_errors(errors))
    write_whole_text(page, folder.report)
    progress.advance("bundle")
    if not refused:
        card = replace(card, failures=words, known_limits=limits(card.known_limits, described[-1]))
        write_run_bundle(folder.bundle, run, fitted, card)
        if run.config.split.kind == "sites":
            write_site_models(job, [run], texts)
    progress.advance()
    return refused


def _control_note(run: Run) -> str:
    """Return what is missing to tell the effect of guidance; empty if the run has the fair control or needs none."""
    config = run.config
    if any(step.name == CONTROL for step in config.steps) or control_config(config) is None:
        return ""
    return "No fair control was trained, so this run does not tell what guidance does; pcr experiment does."


def _describe_sites(run: Run, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the results of every step at each site that was left out, see `describe_sites`."""
    index, data = run.data.held_out, run.data
    return describe_sites({each.name: [each] for each in outcomes}, data.cache.labels[index], data.site[index], [])


def outcomes_of_steps(run: Run, progress: Progress = Progress()) -> list[Outcome]:  # noqa: B008
    """Return the outcome of every step, with what its map shows when the weights are random.

    Args:
        progress: is told each step, a unit each.
    """
    clinical, found = run.data.cache.encode(run.data.schema), []
    for step in run.config.steps:
        progress.advance(f"{step.name} with random weights", 0)
        beside = random_map(run.network(step, run.data.fold_numbers[0]), run.data.cache, clinical)
        found.append(replace(run.outcome(step), random_map=beside))
        progress.advance()
    return found


def write_out_of_fold(path: Path, run: Run, outcome: Outcome) -> None:
    """Write one row per patient that was held out."""
    cache, held_out = run.data.cache, run.data.held_out
    numbers = zip(outcome.logit, outcome.probability, outcome.in_tumour, strict=True)
    rows = (
        [cache.ids[i], run.data.folds[i], cache.labels[i], *(f"{number:.6f}" for number in row)]
        for i, row in zip(held_out, numbers, strict=True)
    )
    write_whole_csv(["patient_id", "fold", "label", "logit", "probability", "attention_in_tumour"], rows, path)


def _errors(picture: bytes | None) -> list[Section]:
    """Return the section of a report with the largest errors, none without a picture."""
    caption = "Early phase, tumour outlined, and where the last step looked; out of fold. The picture names nobody."
    figure = Figure(picture, "Largest errors", caption, "image/png") if picture else None
    return [Section("The patients with the largest errors", figures=[figure])] if figure else []


def draw_failures(job: Job, run: Run, patients: Sequence[str], words: Sequence[str]) -> bytes | None:
    """Draw where the last step looked in the patients with the largest errors, without their names.

    Returns:
        The picture as PNG, None if no patient could be drawn.
    """
    pictures = []
    for name, text in zip(patients, words, strict=True):
        try:
            with of_one_patient():
                exam = read_patient(_find_patient(job, run, name))
                *_, attention = explain_steps(job.folder, name, exam).values()
                pictures.append((text.split(":")[0], exam, attention))
        except DataError as error:  # it was read for the run, and may have been moved or damaged since
            job.progress.say(f"{name}: its error is not drawn: {str(error).removeprefix(f'{name}: ')}")
    if pictures:
        with whole_file(job.folder.failures) as part:
            save_attention(pictures, part)
    return job.folder.failures.read_bytes() if pictures else None


def _find_patient(job: Job, run: Run, name: str) -> CohortPatient:
    record = run.data.cache.records[run.data.cache.ids.index(name)]
    return find_patient(job.cohorts[record.cohort], record.own_id)
