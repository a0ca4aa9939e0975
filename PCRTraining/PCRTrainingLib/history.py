"""What a run has written so far: where it is, its curves, its results. No torch here, for the Slicer module."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from PCRPredictorLib.errors import DataError

from .config import TrainingConfig, parse_config

HISTORY = "history.csv"
CONFIG, KIND, SPLITS, SCHEMA, LOCK = "config.json", "kind.json", "splits.csv", "schema.json", ".lock"
SUMMARY, EXPERIMENT = "summary.json", "experiment.json"
CURVES = {"loss": "Loss", "validation_auc": "Validation AUC", "attention_in_tumour": "Attention in tumour"}


@dataclass(frozen=True)
class RunState:
    """Where a run is.

    Args:
        kind: "none" (no run in this folder), "running" (a process has it), "stopped" (can be resumed) or "finished".
        done, total: epochs of all folds and steps.
    """

    kind: str
    done: int = 0
    total: int = 0


def read_state(out: Path) -> RunState:
    """Where the run in a folder is; of an experiment, over all of its seeds that have begun.

    Raises:
        DataError: if its configuration cannot be read.
    """
    if not (out / CONFIG).is_file():
        return RunState("none")
    runs = sorted(path.parent for path in out.glob(f"seed_*/{CONFIG}")) or [out]
    configs = [read_run_config(run) for run in runs]
    epochs = [sum(step.epochs for step in config.steps) for config in configs]
    done = sum(len(rows) for run in runs for rows in _all_rows(run).values())
    total = sum(_count_folds(run) * n for run, n in zip(runs, epochs, strict=True))
    if is_running(out):
        return RunState("running", done, total)
    if not total and not (out / EXPERIMENT).is_file():
        return RunState("none")  # it ended before folds were drawn
    finished = (out / SUMMARY).is_file() or (out / EXPERIMENT).is_file()
    return RunState("finished" if finished else "stopped", done, total)


def is_running(out: Path) -> bool:
    """Whether a process has the run folder."""
    try:
        with FileLock(out / LOCK, timeout=0):
            return False
    except Timeout:
        return True
    except OSError:
        return False


def read_run_config(out: Path) -> TrainingConfig:
    """The configuration that a run was started with.

    Raises:
        DataError: if it cannot be read.
    """
    try:
        return parse_config((out / CONFIG).read_text(encoding="utf-8"), str(out / CONFIG))
    except OSError:
        raise DataError(f"{out}: holds no run any more; choose the folder of a run") from None


def read_started(out: Path, kind: str, asked: Mapping[str, Any]) -> tuple[TrainingConfig, dict[str, Any]]:
    """The configuration that a run was started with, and what its command was asked for beside it.

    Args:
        kind: the command that goes on with the run: train, select or experiment.
        asked: what that command is asked for now, where the run does not say.

    Raises:
        DataError: if the run is of another command, or cannot be read.
    """
    stored = _read_json(out / KIND) if (out / KIND).is_file() else {"kind": kind}
    if stored["kind"] != kind:
        raise DataError(
            f"{out}: holds a run of pcr {stored['kind']}, got pcr {kind}; go on with it by pcr {stored['kind']}, or "
            "choose another folder"
        )
    return read_run_config(out), {**asked, **stored}


def read_histories(config: TrainingConfig, fold: Path) -> list[dict[str, Any]]:
    """The rows of every step's history in a fold's folder, in order, with `step`; None where there was nothing."""
    return [{"step": step.name} | row for step in config.steps for row in read_history(fold / step.name / HISTORY)]


def read_history(path: Path) -> list[dict[str, float | None]]:
    """One row an epoch; none where the step has not begun."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return [{name: float(text) if text else None for name, text in row.items()} for row in csv.DictReader(file)]
    except FileNotFoundError:
        return []


def read_curves(out: Path) -> dict[str, dict[str, list[float | None]]]:
    """A curve a step of each of `CURVES`: mean over the folds that have reached an epoch, None where unmeasured.

    Raises:
        DataError: if the run's configuration cannot be read.
    """
    found: dict[str, dict[str, list[float | None]]] = {}
    for step in read_run_config(out).steps:
        folds = [rows for (name, _), rows in _all_rows(out).items() if name == step.name and rows]
        length = max(map(len, folds), default=0)
        found[step.name] = {
            name: [_mean([rows[k][name] for rows in folds if k < len(rows)]) for k in range(length)] for name in CURVES
        }
    return found


def read_models(out: Path) -> list[dict[str, Any]]:
    """What each model of a finished run or experiment reached, as its report has it: "name", "cohort", "auc", ...

    Raises:
        DataError: if the run is not finished.
    """
    if (out / EXPERIMENT).is_file():
        content = _read_json(out / EXPERIMENT)
        return [
            {"name": row["name"], "cohort": cohort, **found}
            for row in content["rows"]
            for cohort, found in row["cohorts"].items()
        ]
    for name in (SUMMARY, "evaluation.json"):
        if (out / name).is_file():
            cohorts = _read_json(out / name)["cohorts"]
            return [{**model, "cohort": cohort["name"]} for cohort in cohorts for model in cohort["models"]]
    raise DataError(f"{out}: holds no results yet; wait until the run has finished, or resume it")


def _read_json(path: Path) -> Mapping[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise DataError(f"{path}: cannot be read; resume the run, which writes it again") from None


def _count_folds(out: Path) -> int:
    """How many folds a run has; 0 before they are drawn."""
    try:
        with (out / SPLITS).open(newline="", encoding="utf-8") as file:
            return len({row["fold"] for row in csv.DictReader(file)} - {""})
    except FileNotFoundError:
        return 0


def _all_rows(out: Path) -> dict[tuple[str, str], list[dict[str, float | None]]]:
    """History by step and fold."""
    return {
        (path.parent.name, path.parents[1].name): read_history(path) for path in sorted(out.glob(f"fold_*/*/{HISTORY}"))
    }


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
