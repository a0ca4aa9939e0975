"""All steps over all folds of a prepared cohort, and what they say of the patients they did not see."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.network import PCRNet
from PCRPredictorLib.writing import whole_file
from torch import Tensor

from ..cohort.cache import GridCache
from ..cohort.splits import EXCLUDED, NEVER, inner_validation
from ..config import Step, TrainingConfig
from ..progress import Progress
from .inference import Scores, score
from .loop import Fold, load_weights, network_arguments, train_step

PREDICTIONS = "predictions.csv"


@dataclass(frozen=True, eq=False)
class Prepared:
    """A cohort ready to be trained on.

    Args:
        cache: its patients.
        schema: clinical variables.
        folds: (N,) the fold in which each is held out.
        rows: more rows of clinical variables and labels, of patients without images: identifier to
            vector, (schema width,), and label.
    """

    cache: GridCache
    schema: ClinicalSchema
    folds: np.ndarray
    rows: Mapping[str, tuple[np.ndarray, int]]

    @property
    def numbers(self) -> list[int]:
        """The folds."""
        return sorted(set(self.folds.tolist()) - {NEVER, EXCLUDED})

    def _others(self, number: int) -> np.ndarray:
        return (self.folds != number) & (self.folds != EXCLUDED)

    @cached_property
    def more(self) -> list[tuple[np.ndarray, int]]:
        """Vector, (schema width,), and label of the rows of patients who are not in the cache."""
        cached = {name.lower() for name in self.cache.ids}
        return [row for name, row in self.rows.items() if name not in cached]

    def sides(self, number: int, config: TrainingConfig) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Positions that a fold trains on, watches, (a,) and (b,), and holds out, (c,).

        Raises:
            DataError: if early stopping has too few patients to watch.
        """
        held_out, rest = (np.flatnonzero(part) for part in (self.folds == number, self._others(number)))
        train, watched = inner_validation(rest, self.cache.labels, config.validation, config.seed + number)
        return train, watched, held_out

    def check(self, config: TrainingConfig) -> None:
        """Find out before anything is trained whether every fold can be.

        Raises:
            DataError: if one cannot, see `sides`.
        """
        for number in self.numbers:
            self.sides(number, config)

    def fold(self, number: int, config: TrainingConfig) -> Fold:
        """What that fold trains on.

        Raises:
            DataError: see `sides`.
        """
        clinical, labels = self.cache.encode(self.schema), self.cache.labels
        train, watched, held_out = self.sides(number, config)
        vectors = torch.cat([clinical[torch.from_numpy(train)], _stack([v for v, _ in self.more], self.schema.width)])
        known = torch.tensor([*labels[train], *(label for _, label in self.more)], dtype=torch.float32)
        return Fold(number, self.cache, clinical, self.schema, train, watched, held_out, (vectors, known))


def train_fold(
    number: int, device: str, progress: Progress, *, data: Prepared, config: TrainingConfig, out: Path
) -> None:
    """Train every step on one fold, into `out/fold_k/<step>`; what is finished there is left alone.

    Raises:
        DataError: if a file cannot be written.
    """
    fold = data.fold(number, config)
    for step in config.steps:
        train_and_score(step, config, fold, out / f"fold_{number}", device, progress)


def train_and_score(
    step: Step, config: TrainingConfig, fold: Fold, folder: Path, device: str, progress: Progress
) -> None:
    """One step of one fold: weights, history, and predictions of the held-out patients."""
    if (folder / step.name / PREDICTIONS).is_file():
        progress.advance(units=step.epochs)
        return
    done = 0

    def report(epoch: int, row: Mapping[str, float]) -> None:
        nonlocal done
        progress.advance(f"fold {fold.number}, {step.name}, loss {row['loss']:.3f}", epoch + 1 - done)
        done = epoch + 1

    start = load_weights(folder / step.after) if step.after else {}
    train_step(step, config, fold, start, folder / step.name, device, report)
    progress.advance(units=step.epochs - done)
    network = load_network(step, config, fold.schema, folder / step.name).to(device)
    found = score(network, fold.cache, fold.clinical, fold.held_out, config.flips, device)
    write_scores(folder / step.name / PREDICTIONS, fold.cache, fold.held_out, found)


def load_network(step: Step, config: TrainingConfig, schema: ClinicalSchema, folder: Path) -> PCRNet:
    """A trained step's network, ready to predict."""
    network = PCRNet(**network_arguments(step, config, schema))
    network.load_state_dict(load_weights(folder))
    return network.channels_last().eval()


def load_ensemble(step: Step, config: TrainingConfig, data: Prepared, out: Path) -> list[PCRNet]:
    """A step's network of every fold."""
    return [load_network(step, config, data.schema, out / f"fold_{k}" / step.name) for k in data.numbers]


def write_scores(path: Path, cache: GridCache, index: np.ndarray, found: Scores) -> None:
    """One row a patient: patient_id, label and what the network said.

    Args:
        index: (n,), positions of the patients in the cache.
        found: of these patients.
    """
    with whole_file(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        names = [f.name for f in fields(Scores)]
        writer.writerow(["patient_id", "label", *names])
        for position, values in zip(index, zip(*(getattr(found, name) for name in names), strict=True), strict=True):
            writer.writerow([cache.ids[position], cache.labels[position], *(repr(float(value)) for value in values)])


def prediction_files(data: Prepared, config: TrainingConfig, out: Path) -> list[Path]:
    """What is there when every step of every fold is trained."""
    return [out / f"fold_{k}" / step.name / PREDICTIONS for k in data.numbers for step in config.steps]


def out_of_fold(data: Prepared, step: Step, out: Path) -> tuple[np.ndarray, Scores]:
    """What a step said of each patient when it was held out.

    Returns:
        Positions of the patients (n,), all but those that are always trained on, and their scores.
    """
    rows: dict[str, dict[str, str]] = {}
    for k in data.numbers:
        with (out / f"fold_{k}" / step.name / PREDICTIONS).open(newline="", encoding="utf-8") as file:
            rows.update({row["patient_id"]: row for row in csv.DictReader(file)})
    index = np.flatnonzero(data.folds >= 0)
    names = [data.cache.ids[i] for i in index]
    return index, Scores(*(np.array([float(rows[name][f.name]) for name in names]) for f in fields(Scores)))


def _stack(vectors: Sequence[np.ndarray], width: int) -> Tensor:
    return torch.from_numpy(np.stack(vectors)) if vectors else torch.zeros(0, width)
