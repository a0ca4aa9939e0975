"""A hospital's side: it reads its own patients, trains on them, and answers in weights, counts and metrics."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from PCRPredictorLib import __version__
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.errors import DataError, trace_of
from PCRPredictorLib.network import PCRNet
from PCRPredictorLib.reading.cohort import find_patients
from PCRPredictorLib.writing import write_whole_text
from torch import Tensor

from ..cohort.build import open_or_build
from ..cohort.cache import GridCache, read_cache
from ..cohort.sites import LEAST
from ..cohort.splits import NEVER, assign_folds
from ..config import SplitConfig, TrainingConfig, config_to_json, parse_config
from ..progress import Progress
from ..training.folds import Prepared
from ..training.inference import random_share, score
from ..training.loop import network_arguments
from .agreement import missing_variables, shared_schema, sums_of
from .local_bundle import LEAST_TO_CALIBRATE, write_global_bundle, write_local_bundle
from .local_training import epochs_of_round, start_weights, train_round
from .messages import Answer, Arrays, Task
from .privacy import release, update_norm
from .settings import SiteSettings

_USUAL_SHARE = 0.2  # of a site's patients, held out for its calibration


class _Refusal(Exception):
    """End a task with one of `messages.PROBLEMS`."""

    def __init__(self, problem: str, about: tuple[str, ...] = ()) -> None:
        super().__init__(problem)
        self.problem, self.about = problem, about


class Site:
    """One hospital: `answer` does what the server asks."""

    def __init__(self, settings: SiteSettings, progress: Progress | None = None) -> None:
        self.settings = settings
        self.progress = progress or Progress()
        self._config: TrainingConfig | None = None

    def answer(self, task: Task, weights: Arrays) -> Answer:
        """Return the answer to a task. An error becomes one of `PROBLEMS`; its text is shown at the site alone."""
        try:
            self._config = self._agree(task)
            return {"describe": self._describe, "start": self._start, "train": self._train, "finish": self._finish}[
                task.kind
            ](task, weights)
        except _Refusal as refusal:
            self.progress.say(f"{self.settings.name}: left out ({refusal.problem}) {', '.join(refusal.about)}".rstrip())
            return Answer(task.position, refusal.problem, refusal.about)
        except DataError as error:
            self.progress.say(f"{self.settings.name}: {error}")
            return Answer(task.position, "data")
        except Exception as error:  # whatever it is, it must not take the other sites down
            self.progress.say(f"{self.settings.name}: {trace_of(error)}")
            diverged = "non-finite" in str(error)
            return Answer(task.position, "diverged" if diverged else "failed")

    @property
    def folder(self) -> Path:
        """Return where the site keeps its files."""
        return Path(self.settings.folder)

    @property
    def config(self) -> TrainingConfig:
        """Return the configuration of the federation, as of the last task."""
        assert self._config is not None
        return self._config

    def _agree(self, task: Task) -> TrainingConfig:
        if task.version != __version__:
            raise _Refusal("version")
        if self.settings.agreed is not None and _plain(self.settings.agreed) != _plain(task.agreed):
            raise _Refusal("configuration")
        config = parse_config(json.dumps(task.config), "the federation's configuration")
        if self._config is not None and config_to_json(config) != config_to_json(self._config):
            raise _Refusal("configuration")
        return config

    @cached_property
    def cache(self) -> GridCache:
        """Return the site's patients on the model grid."""
        settings = self.settings
        if settings.cache:
            return read_cache(Path(settings.cache), settings.cohort_name)
        cohort = Path(settings.cohort)
        self.progress.start(f"Reading {settings.name}", len(find_patients(cohort)))
        schema = shared_schema(self.config)
        return open_or_build(
            cohort, self.folder / "cache", self.config.grid, schema, self.progress, settings.cohort_name
        )

    @cached_property
    def folds(self) -> np.ndarray:
        """Return (N,): 0 for the patients that are held out for the site's own calibration, never trained on.

        If these would be too few to calibrate on, nobody is held out.
        """
        share = self.config.split.share if self.config.split.kind == "holdout" else _USUAL_SHARE
        labels = self.cache.labels
        if min(labels.sum(), (1 - labels).sum()) < LEAST:
            raise _Refusal("few")
        try:
            folds = assign_folds(
                SplitConfig("holdout", share=share), self.cache.ids, labels, np.full(len(labels), ""), self.config.seed
            )
        except DataError:
            folds = np.full(len(labels), NEVER)
        held_out = labels[folds == 0]
        fewest = int(min(held_out.sum(), (1 - held_out).sum()))
        if fewest >= LEAST_TO_CALIBRATE:
            return folds
        self.progress.say(
            f"{self.settings.name}: {LEAST_TO_CALIBRATE} patients of each class must be held out to calibrate, got "
            f"{fewest} of {100 * share:.0f} %; all are trained on, and its bundle is not calibrated. A larger "
            "split.share helps"
        )
        return np.full(len(labels), NEVER)

    def data(self, task: Task) -> Prepared:
        """Return the site's patients, with the agreed scaling."""
        return Prepared(self.cache, ClinicalSchema.from_json(task.schema), self.folds)

    def _counts(self) -> dict[str, int]:
        labels, trained = self.cache.labels, self.folds != 0
        return {
            "patients": len(labels),
            "positives": int(labels.sum()),
            "trained": int(trained.sum()),
            "trained_positives": int(labels[trained].sum()),
            "left_out": len(self.cache.quarantine),
        }

    def _describe(self, task: Task, _weights: Arrays) -> Answer:
        if absent := missing_variables(self.config, [record.row for record in self.cache.records]):
            raise _Refusal("variables", absent)
        agreed = task.schema is not None  # sums of a later day would tell of the patients who came between
        sums = {} if agreed else sums_of(shared_schema(self.config), self.cache)
        return Answer(task.position, counts=self._counts(), sums=sums)

    def _start(self, task: Task, weights: Arrays) -> Answer:
        fold = self.data(task).fold(0, self.config)
        step = next(step for step in self.config.steps if step.name == task.step)
        sent = start_weights(step, self.config, fold, to_tensors(weights))
        return Answer(task.position, counts=self._counts(), weights=to_arrays(sent))

    def _train(self, task: Task, weights: Arrays) -> Answer:
        started, config = time.perf_counter(), self.config
        step = next(step for step in config.steps if step.name == task.step)
        epochs = epochs_of_round(config.epochs_of(step), task.rounds, task.round)
        fold, before = self.data(task).fold(0, config), to_tensors(weights)
        kept = self.folder / "state" / f"{step.name}-{task.fingerprint}.pt"
        kept.parent.mkdir(parents=True, exist_ok=True)
        device = self.settings.device
        after, row = train_round(step, config, fold, before, epochs, kept, device, task.proximal)
        metrics: dict[str, float] = {"loss": row["loss"], "attention_in_tumour": row["attention_in_tumour"]}
        metrics |= {"update_norm": update_norm(before, after), "seconds": time.perf_counter() - started}
        if task.clip is not None:
            after = release(before, after, task.clip, task.noise)
        if not all(torch.isfinite(tensor).all() for tensor in after.values()):
            raise _Refusal("diverged")
        finite = {name: value for name, value in metrics.items() if math.isfinite(value)}
        return Answer(task.position, counts=self._counts(), metrics=finite, weights=to_arrays(after))

    def _finish(self, task: Task, weights: Arrays) -> Answer:
        config, data, tensors = self.config, self.data(task), to_tensors(weights)
        if not len(data.held_out):
            name = f"federation, as at {self.settings.name}"
            write_global_bundle(self.folder / "bundle", name, config, data.schema, tensors, task.facts)
            self._report("")
            return Answer(task.position, counts=self._counts())
        network = PCRNet(**network_arguments(config.steps[-1], config, data.schema))
        network.load_state_dict(tensors)
        network, device = network.channels_last().eval().to(self.settings.device), self.settings.device
        clinical = self.cache.encode(data.schema)
        found = score(network, self.cache, clinical, data.held_out, config.flips, device)
        random = random_share(network, self.cache, clinical, data.held_out, device)
        model = self.settings.name, config, data, tensors, found, task.facts
        refused, measured = write_local_bundle(self.folder, *model, random, self.settings.keep_anyway)
        self._report(refused)
        metrics = {f"held_out_{name}": value for name, value in measured.items()}
        return Answer(task.position, counts=self._counts(), metrics=metrics)

    def _report(self, refused: str) -> None:
        """Say why no bundle was made, and keep it for the command; the reason of an earlier federation goes."""
        file = self.settings.no_bundle
        if refused:
            self.progress.say(refused)
            write_whole_text(refused, file)
        else:
            file.unlink(missing_ok=True)


def _plain(content: object) -> object:
    return json.loads(json.dumps(content))


def to_tensors(weights: Arrays) -> dict[str, Tensor]:
    """Return arrays as tensors."""
    return {name: torch.from_numpy(np.array(array)) for name, array in weights.items()}


def to_arrays(weights: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    """Return tensors as arrays of the same shapes."""
    return {name: tensor.numpy() for name, tensor in weights.items()}
