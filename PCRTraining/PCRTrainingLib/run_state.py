"""Read a run during training and afterwards: state, curves and results. No torch here, for the Slicer module."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PCRPredictorLib.errors import DataError

from .chance import find_chance
from .config import TrainingConfig
from .run_files import read_kept_rows, refusing_damage
from .run_folder import RunFolder, read_json

CURVES = ("loss", "validation_auc", "attention_in_tumour")

_NUMBERS = ("auc", "sensitivity", "specificity", "brier", "attention_in_tumour")


@dataclass(frozen=True)
class RunState:
    """The progress of a run.

    Args:
        kind: "none" (no run in this folder), "running" (a process holds it), "stopped" (can be resumed), "refused" (it
            ended without a model, and can be resumed to make it anyway) or "finished".
        done, total: epochs of all folds and steps.
        model: results of the model that was refused, see `chance.find_chance`.
    """

    kind: str
    done: int = 0
    total: int = 0
    model: Mapping[str, Any] = field(default_factory=dict)


def read_state(run: RunFolder) -> RunState:
    """Return the progress of a run; for an experiment, over all of its seeds that have begun.

    Raises:
        DataError: if its configuration, its folds or a history is damaged.
    """
    if not run.config.is_file():
        return RunState("none")
    parts = [seed for seed in run.seeds() if seed.config.is_file()] or [run]
    configs = [part.read_config() for part in parts]
    epochs = [sum(map(config.epochs_of, config.steps)) for config in configs]
    done = sum(len(read_history(step.history)) for part in parts for step in part.trained_steps())
    total = sum(len(set(held_out(part).values())) * n for part, n in zip(parts, epochs, strict=True))
    if run.is_locked:
        return RunState("running", done, total)
    if not total and not run.experiment.is_file():
        return RunState("none")  # it ended before folds were drawn
    if run.summary.is_file() and run.command == "train" and not run.bundle.is_dir():
        *_, refused = [{}, *read_models(run)]
        return RunState("refused" if find_chance(refused) else "stopped", done, total, refused)
    finished = run.summary.is_file() or run.experiment.is_file()
    return RunState("finished" if finished else "stopped", done, total)


def epochs_done(run: RunFolder, config: TrainingConfig, fold: int) -> int:
    """Return the epochs of a fold that were trained; those of steps that it has in common with another run are not.

    Raises:
        DataError: if a history is damaged.
    """
    done = config.pretraining if run.fold(fold).pretrained.is_file() else 0
    for step in config.steps:
        folder, epochs = run.step(fold, step.name), config.epochs_of(step)
        done += epochs if folder.predictions.is_file() else min(len(read_history(folder.history)), epochs)
    return done


def held_out(run: RunFolder) -> dict[str, int]:
    """Return the fold that held out each patient; empty before folds are drawn.

    Raises:
        DataError: if the list is damaged.
    """
    try:
        rows = read_kept_rows(run.splits, "patient_id", "fold")
        with refusing_damage(run.splits):
            return {row["patient_id"]: int(row["fold"]) for row in rows if row["fold"].isdigit()}
    except FileNotFoundError:
        return {}


def latest_run(run: RunFolder) -> RunFolder:
    """Return the last seed of an experiment that has finished an epoch; any other run as it is."""
    return next((seed for seed in reversed(run.seeds()) if seed.trained_steps()), run)


def read_histories(config: TrainingConfig, run: RunFolder, fold: int) -> list[dict[str, Any]]:
    """Return the history rows of every step of a fold, in order, with `step`; None if a value was not measured.

    Raises:
        DataError: if a history is damaged.
    """
    return [
        {"step": step.name} | row for step in config.steps for row in read_history(run.step(fold, step.name).history)
    ]


def read_history(path: Path) -> list[dict[str, float | None]]:
    """Return one row per epoch; empty before the step has begun.

    Raises:
        DataError: if it is damaged.
    """
    try:
        rows = read_kept_rows(path, *CURVES)
        with refusing_damage(path):
            return [{name: float(text) if text else None for name, text in row.items()} for row in rows]
    except FileNotFoundError:
        return []


def read_curves(run: RunFolder) -> dict[str, dict[str, list[float | None]]]:
    """Return each of `CURVES` for every step: mean over the folds that have reached an epoch, None if unmeasured.

    Raises:
        DataError: if the run's configuration cannot be read.
    """
    found: dict[str, dict[str, list[float | None]]] = {}
    trained = run.trained_steps()
    for step in run.read_config().steps:
        folds = [rows for part in trained if part.path.name == step.name and (rows := read_history(part.history))]
        length = max(map(len, folds), default=0)
        found[step.name] = {
            name: [_mean([rows[k][name] for rows in folds if k < len(rows)]) for k in range(length)] for name in CURVES
        }
    return found


def read_models(run: RunFolder) -> list[dict[str, Any]]:
    """Return the results of each model of a finished run, experiment or evaluation: "name", "cohort", "auc", ...

    Raises:
        DataError: if there are no results yet, or they are damaged.
    """
    if run.experiment.is_file():
        content = read_json(run.experiment)
        with refusing_damage(run.experiment):
            return [
                _checked({"name": row["name"], "cohort": cohort, **found})
                for row in content["rows"]
                for cohort, found in row["cohorts"].items()
            ]
    for path in (run.summary, run.evaluation):
        if path.is_file():
            content = read_json(path)
            with refusing_damage(path):
                return [
                    _checked({**model, "cohort": cohort["name"]})
                    for cohort in content["cohorts"]
                    for model in cohort["models"]
                ]
    raise DataError(f"{run.path}: holds no results yet; wait until the run has finished, or resume it")


def _checked(model: dict[str, Any]) -> dict[str, Any]:
    """Return the results of a model if a table and charts can be made of them; else reading them raises an error."""
    for value in (model[name] for name in _NUMBERS if model.get(name) is not None):
        float(value["value"] if isinstance(value, dict) else value)
    if "roc" in model:
        curves = [map(float, model["roc"][name]) for name in ("false_positive_rate", "sensitivity")]
        list(zip(*curves, strict=True))
        [float(part[name]) for part in model["calibration_curve"] for name in ("predicted", "observed")]
        [(point["threshold"], point["net_benefit"]["value"]) for point in model.get("decision_curve") or ()]
    if not isinstance(model["name"], str) or not isinstance(model.get("attention") or {}, dict):
        raise TypeError("name and attention")
    return model


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
