"""Train all steps on all folds of a prepared cohort, and predict the patients that each fold holds out."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.network import PCRNet
from PCRPredictorLib.reading.identifiers import number_key
from PCRPredictorLib.writing import whole_folder, write_whole_csv
from torch import Tensor

from ..cohort.cache import GridCache, index_records
from ..cohort.sites import Sites
from ..cohort.splits import EXCLUDED, NEVER, inner_validation
from ..config import Step, TrainingConfig
from ..progress import Progress
from ..run_folder import RunFolder, StepFolder
from ..run_state import epochs_done
from ..statistics.operating import Outcome, Scores, cross_fitted, fit_points
from .inference import Ensemble, map_name, score
from .kept import SCORES, load_weights, read_scores, read_weights
from .loop import Fold, Weights, network_arguments, train_step
from .pretraining import choose_windows, pretrained


class ClinicalRow(NamedTuple):
    """A labelled patient of a table, with or without images.

    Args:
        vector: (schema width,).
        label: 1 for pCR.
        patient_id: as its table writes it.
        cohort: that the table belongs to, "" if to none.
        site: see `Sites.of_row`.
        cells: its row of the table, for baselines, which read other variables.
    """

    vector: np.ndarray
    label: int
    patient_id: str
    cohort: str = ""
    site: str = ""
    cells: Mapping[str, str] = {}


@dataclass(frozen=True, eq=False)
class Prepared:
    """One cohort or several, ready to be trained on.

    Args:
        cache: their patients.
        schema: clinical variables.
        folds: (N,) the fold that holds out each patient.
        rows: clinical rows.
        sites: of the patients; None if they are all of one.
        unlabelled: more patients with images, for self-supervised training alone.
    """

    cache: GridCache
    schema: ClinicalSchema
    folds: np.ndarray
    rows: Sequence[ClinicalRow] = ()
    sites: Sites | None = None
    unlabelled: Sequence[GridCache] = ()

    @property
    def fold_numbers(self) -> list[int]:
        """The folds."""
        return sorted(set(self.folds.tolist()) - {NEVER, EXCLUDED})

    @property
    def held_out(self) -> np.ndarray:
        """Positions, (n,), of the patients that a fold holds out."""
        return np.flatnonzero(self.folds >= 0)

    @property
    def site(self) -> np.ndarray:
        """(N,) names of the patients' sites, all the same if there is one."""
        return np.full(len(self.cache), "") if self.sites is None else self.sites.names

    @property
    def leaves_sites_out(self) -> bool:
        """True if each fold is one site, or several that no other fold has."""
        site, folds = self.site[self.held_out], self.folds[self.held_out]
        return len(set(site.tolist())) > 1 and all(len(set(folds[site == name].tolist())) == 1 for name in set(site))

    @cached_property
    def image_free_rows(self) -> list[ClinicalRow]:
        """The clinical rows whose patients are not in the cache."""
        cached = index_records(self.cache.records)
        return [row for row in self.rows if (row.cohort, number_key(row.patient_id)) not in cached]

    def rows_for(self, number: int) -> list[ClinicalRow]:
        """Return the clinical rows without images that a fold is fitted on: none of a site that it leaves out whole."""
        trained = set(self.site[(self.folds != number) & (self.folds != EXCLUDED)].tolist())
        left_out = set(self.site.tolist()) - trained
        return [row for row in self.image_free_rows if row.site not in left_out]

    def sides(self, number: int, config: TrainingConfig) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the positions that a fold trains on, (a,), validates on, (b,), and holds out, (c,).

        Raises:
            DataError: if early stopping has too few patients to validate on.
        """
        held_out, rest = self.folds == number, (self.folds != number) & (self.folds != EXCLUDED)
        seed = config.seed + number
        train, validation = inner_validation(np.flatnonzero(rest), self.cache.labels, config.validation, seed)
        return train, validation, np.flatnonzero(held_out)

    def check(self, config: TrainingConfig) -> None:
        """Check that every fold can be trained.

        Raises:
            DataError: see `sides`.
        """
        for number in self.fold_numbers:
            self.sides(number, config)

    def fold(self, number: int, config: TrainingConfig) -> Fold:
        """Return the data of one fold.

        Raises:
            DataError: see `sides`.
        """
        clinical, labels = self.cache.encode(self.schema, lesions=True), self.cache.labels
        train, validation, held_out = self.sides(number, config)
        more, width = self.rows_for(number), self.schema.width
        vectors = torch.cat([clinical[torch.from_numpy(train)], _stack([row.vector for row in more], width)])
        known = torch.tensor([*labels[train], *(row.label for row in more)], dtype=torch.float32)
        site, row_site = self.site, np.array([row.site for row in more], str)
        if config.balance == "none":
            site, row_site = np.full(len(site), ""), np.full(len(row_site), "")
        _, codes = np.unique(np.concatenate([site, row_site]), return_inverse=True)
        rows = vectors, known, np.concatenate([codes[train], codes[len(site) :]])
        used = self.cache.with_lesions(train)
        return Fold(number, self.cache, clinical, self.schema, used, validation, held_out, rows, codes[: len(site)])


@dataclass(frozen=True, eq=False)
class Run:
    """A configuration on a prepared cohort, in the folder that it fills."""

    folder: RunFolder
    data: Prepared
    config: TrainingConfig

    def tasks(self) -> list[FoldTask]:
        """Return the task of every fold."""
        return [FoldTask(number, [self]) for number in self.data.fold_numbers]

    @property
    def epochs(self) -> int:
        """Epochs of one fold."""
        return self.config.pretraining + sum(map(self.config.epochs_of, self.config.steps))

    def epochs_done(self, number: int) -> int:
        """Return the epochs of a fold that were trained before."""
        return epochs_done(self.folder, self.config, number)

    def train_fold(self, number: int, device: str, progress: Progress) -> None:
        """Train every step on one fold; what is finished is left alone.

        Raises:
            DataError: if a file cannot be written.
        """
        fold = self.data.fold(number, self.config)
        first = self._first(number)
        if self.config.pretraining:
            windows = choose_windows(fold.cache, fold.train, self.data.unlabelled, self.data.sites)
            more = pretrained(self.config, windows, number, first, self.folder.fold(number), device, progress)
            first = {**first, **more}
        for step in self.config.steps:
            self._train_step(step, fold, first, device, progress)

    def _train_step(self, step: Step, fold: Fold, first: Weights, device: str, progress: Progress) -> None:
        """Leave weights, history, and predictions of the held-out patients.

        Args:
            first: weights that a step without an earlier one starts from; empty for random ones.
        """
        folder = self.folder.step(fold.number, step.name)
        done, epochs = 0, self.config.epochs_of(step)
        if folder.predictions.is_file():
            progress.advance(units=epochs)
            return

        def report(epoch: int, row: Mapping[str, float]) -> None:
            nonlocal done
            progress.advance(f"fold {fold.number}, {step.name}, loss {row['loss']:.3f}", epoch + 1 - done)
            done = epoch + 1

        start = read_weights(self.folder.step(fold.number, step.after).weights) if step.after else first
        train_step(step, self.config, fold, start, folder, device, report)
        progress.advance(units=epochs - done)
        network = load_network(step, self.config, fold.schema, folder).to(device)
        found = score(network, fold.cache, fold.clinical, fold.held_out, self.config.flips, device)
        _write_scores(folder.predictions, fold, found)

    def _first(self, number: int) -> dict[str, Tensor]:
        """Return the weights of the bundle that the run starts from, of a fold in turn; empty without one."""
        files = sorted(self.folder.base.glob("models/*.safetensors"))
        return read_weights(files[number % len(files)]) if files else {}

    def network(self, step: Step, number: int) -> PCRNet:
        """Return the network of a step that one fold trained."""
        return load_network(step, self.config, self.data.schema, self.folder.step(number, step.name))

    def out_of_fold(self, step: Step) -> Scores:
        """Return the scores of a step for the patients `data.held_out`, each by the network that did not see it."""
        found = np.empty((len(self.data.folds), len(SCORES)))
        for k in self.data.fold_numbers:
            own = np.flatnonzero(self.data.folds == k)
            found[own] = read_scores(self.folder.step(k, step.name).predictions, [self.data.cache.ids[i] for i in own])
        return Scores(*found[self.data.held_out].T)

    def outcome(self, step: Step) -> Outcome:
        """Return the out-of-fold outcome of a trained step."""
        data, scores = self.data, self.out_of_fold(step)
        outcome = cross_fitted(step.name, scores.logit, data.cache.labels[data.held_out], data.folds[data.held_out])
        return replace(outcome, scores=scores, map_name=map_name(step.attention))

    def outcomes(self, step: Step, externals: Sequence[GridCache], device: str) -> list[Outcome]:
        """Return the outcome of a step out of fold, then that of its fold ensemble on each external cohort."""
        inside, data = self.outcome(step), self.data
        calibration, (balanced, *_) = fit_points(inside.logit, data.cache.labels[data.held_out])
        networks = [self.network(step, k) for k in data.fold_numbers]
        ensemble = Ensemble(step.name, networks, self.config.flips, calibration, balanced)
        return [inside, *(ensemble.outcome(cache, cache.encode(data.schema), device) for cache in externals)]


@dataclass(frozen=True, eq=False)
class FoldTask:
    """One fold of several runs, one after the other: what a worker trains."""

    number: int
    runs: Sequence[Run]

    @property
    def epochs(self) -> int:
        """Epochs of all runs."""
        return sum(run.epochs for run in self.runs)

    def epochs_done(self) -> int:
        """Return the epochs of all runs that were trained before."""
        return sum(run.epochs_done(self.number) for run in self.runs)

    @property
    def lock(self) -> Path:
        """File that the worker which trains the fold holds; its folder is there."""
        lock = self.runs[0].folder.fold(self.number).lock
        lock.parent.mkdir(parents=True, exist_ok=True)
        return lock

    def train(self, device: str, progress: Progress) -> None:
        """Train the fold of every run; steps that a run shares with an earlier one are copied.

        Raises:
            DataError: if a file cannot be written.
        """
        for i, run in enumerate(self.runs):
            for earlier in self.runs[:i]:
                _copy_shared_steps(earlier, run, self.number)
            run.train_fold(self.number, device, progress)


def _copy_shared_steps(earlier: Run, run: Run, number: int) -> None:
    """Copy the first steps that both configurations share.

    Training them again would give the same weights; or, if configurations differ in the clinical variables alone, of
    which these steps read none, the weights of other random draws.
    """
    for step, other in zip(run.config.steps, earlier.config.steps, strict=False):
        if step != other or _alike(run.config, earlier.config, step) != earlier.config:
            return
        source, target = (each.folder.step(number, step.name).path for each in (earlier, run))
        if not target.is_dir():
            with whole_folder(target) as folder:
                shutil.copytree(source, folder, dirs_exist_ok=True)


def _alike(config: TrainingConfig, other: TrainingConfig, step: Step) -> TrainingConfig:
    """Return a configuration with everything that a step does not depend on as in the other."""
    config = replace(config, steps=other.steps)
    if step.clinical:
        return config
    width, penalty = other.clinical_width, other.clinical_penalty
    return replace(config, clinical=other.clinical, clinical_width=width, clinical_penalty=penalty)


def load_network(step: Step, config: TrainingConfig, schema: ClinicalSchema, folder: StepFolder) -> PCRNet:
    """Return the network of a trained step, ready to predict."""
    network = PCRNet(**network_arguments(step, config, schema))
    load_weights(network, folder.weights)
    return network.channels_last().eval()


def _write_scores(path: Path, fold: Fold, found: Scores) -> None:
    """Write one row per held-out patient: patient_id, label and scores."""
    columns = zip(*(getattr(found, name) for name in SCORES), strict=True)
    rows = (
        [fold.cache.ids[position], fold.cache.labels[position], *(repr(float(value)) for value in values)]
        for position, values in zip(fold.held_out, columns, strict=True)
    )
    write_whole_csv(["patient_id", "label", *SCORES], rows, path)


def _stack(vectors: Sequence[np.ndarray], width: int) -> Tensor:
    return torch.from_numpy(np.stack(vectors)) if vectors else torch.zeros(0, width)
