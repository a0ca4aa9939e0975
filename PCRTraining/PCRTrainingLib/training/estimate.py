"""Time and memory that a run will need: two batches of each step are trained on noise and timed."""

import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PCRPredictorLib.child import emit
from torch import Tensor

from ..config import Step, TrainingConfig
from ..run_plan import Estimate
from ..schema import build_schema
from .foresight import foresee
from .loop import Fold, build_network, train_epoch
from .updates import batches_of, lengthen_for

_BATCHES = 2


class _Noise:
    """The part of a `GridCache` that an epoch uses."""

    def __init__(self, config: TrainingConfig, patients: int) -> None:
        self.labels: np.ndarray = np.arange(patients) % 2
        self.owners = np.arange(patients)
        shape = (config.grid.slices, config.grid.size, config.grid.size)
        self._image = torch.randn(patients, 3, *shape)
        self._mask = torch.zeros(patients, 1, *shape)
        self._mask[:, :, :, : shape[1] // 3, : shape[2] // 3] = 1

    def image_and_mask(self, chosen: np.ndarray) -> tuple[Tensor, Tensor]:
        return self._image[torch.from_numpy(chosen)], self._mask[torch.from_numpy(chosen)]


def estimate_run(config: TrainingConfig, patients: int, folds: int, processes: int) -> Estimate:
    """Return the estimate of training a cohort.

    Args:
        patients: number of patients that can be used.
        folds: number of folds to train.
        processes: number of folds trained at a time.
    """
    torch.set_num_threads(1)
    batches = batches_of(config, in_training(patients, folds))
    epochs = {step: config.epochs_of(step) for step in config.steps}
    seconds = sum(number * _time_batch(step, config) for step, number in epochs.items() if number) * batches
    at_once = min(processes, folds)
    return Estimate(seconds * -(-folds // at_once), _peak_megabytes() * (at_once + 1))


def in_training(patients: int, folds: int) -> int:
    """Return the patients that a fold trains on."""
    return patients * max(folds - 1, 1) // max(folds, 2)


def estimate_cohorts(cohorts: Mapping[str, Path], config: TrainingConfig, processes: int) -> Estimate:
    """Return `estimate_run` of the folds of cohorts, and emit it to a parent process.

    Args:
        cohorts: name to folder.

    Raises:
        DataError: if one is not a cohort, or they cannot be divided as the configuration says.
    """
    data = foresee(cohorts, config)
    patients, folds = len(data.cache), len(data.fold_numbers)
    config = lengthen_for(config, in_training(patients, folds))
    found = estimate_run(config, patients, folds, processes)
    epochs = min((n for step in config.steps if (n := config.epochs_of(step))), default=0)
    found = Estimate(
        round(found.seconds),
        round(found.megabytes),
        patients,
        int(data.cache.labels.sum()),
        folds,
        epochs * batches_of(config, in_training(patients, folds)),
        any(step.guidance for step in config.steps),
    )
    emit("estimate", **asdict(found))
    return found


def _time_batch(step: Step, config: TrainingConfig) -> float:
    """Return the time of one batch of a step, s."""
    count = config.batch_size * _BATCHES
    schema, _ = build_schema(config.clinical, [])
    clinical = torch.zeros(count, schema.width)
    nobody: np.ndarray = np.arange(0)
    noise: Any = _Noise(config, count)
    rows, site = (clinical, torch.arange(count) % 2, np.zeros(count, int)), np.zeros(count, int)
    fold = Fold(0, noise, clinical, schema, np.arange(count), nobody, nobody, rows, site)
    network = build_network(replace(step, clinical_fit=False), config, fold, {}).channels_last()
    optimizer = torch.optim.AdamW(network.parameters(), 1e-4)
    schedule = torch.optim.lr_scheduler.ConstantLR(optimizer, 1.0)
    generator = torch.Generator().manual_seed(0)
    for _ in range(2):  # the first round is slower
        start = time.perf_counter()
        train_epoch(network, optimizer, schedule, step, config, fold, generator, _BATCHES, "cpu")
    return (time.perf_counter() - start) / _BATCHES


def _peak_megabytes() -> float:
    """Return the peak memory of this process in megabytes; 0 if the system does not report it."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:  # not Linux
        return 0.0
    return float(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1024
