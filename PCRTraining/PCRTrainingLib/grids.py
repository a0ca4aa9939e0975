"""A cohort's patients on the model grid, ready for training."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.exam import Exam
from PCRPredictorLib.grid import GridSpec, place_window, sample
from PCRPredictorLib.normalisation import to_channels
from PCRPredictorLib.tumour import measure, summarise_tumour
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Grids:
    """N patients.

    Args:
        images: (N, 3, slices, rows, columns) float32.
        masks: (N, 1, slices, rows, columns) float32, fraction of tumour.
        clinical: (N, schema width) float32.
        labels: (N,) float32, 1 for pCR.
        true_probability: (N,) float32 where the patients are simulated, else nan.
        measured: one dict of quantities a patient, see `tumour.measure`.
    """

    images: Tensor
    masks: Tensor
    clinical: Tensor
    labels: Tensor
    true_probability: Tensor
    measured: tuple[dict[str, float], ...]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, index: np.ndarray) -> Grids:
        """The patients at these positions."""
        chosen = torch.as_tensor(index)
        return Grids(
            self.images[chosen],
            self.masks[chosen],
            self.clinical[chosen],
            self.labels[chosen],
            self.true_probability[chosen],
            tuple(self.measured[i] for i in index),
        )


def sample_exam(exam: Exam, grid: GridSpec) -> tuple[np.ndarray, np.ndarray]:
    """Image (3, slices, rows, columns) and mask (1, slices, rows, columns) of one exam on the grid."""
    mask = np.asarray(exam.mask) != 0
    window = place_window(mask, exam.geometry, grid)
    image = to_channels(*(sample(phase, window) for phase in exam.phases))
    return image, sample(mask, window)[None]


def sample_cohort(patients: Iterable[tuple[Exam, int, float]], grid: GridSpec, schema: ClinicalSchema) -> Grids:
    """Sample exams one after the other; the exams themselves are not kept.

    Args:
        patients: exam, label and true probability (nan where unknown) of each.
    """
    images, masks, clinical, labels, probabilities, measured = [], [], [], [], [], []
    for exam, label, probability in patients:
        image, mask = sample_exam(exam, grid)
        images.append(image)
        masks.append(mask)
        clinical.append(schema.encode(schema.parse(exam.clinical)))
        labels.append(float(label))
        probabilities.append(probability)
        measured.append(measure(exam, summarise_tumour(exam)))
    return Grids(
        torch.from_numpy(np.stack(images)),
        torch.from_numpy(np.stack(masks)),
        torch.from_numpy(np.stack(clinical)),
        torch.tensor(labels),
        torch.tensor(probabilities),
        tuple(measured),
    )


def join(parts: Sequence[Grids]) -> Grids:
    """The patients of several grids, one after the other."""
    tensors = ("images", "masks", "clinical", "labels", "true_probability")
    return Grids(
        **{name: torch.cat([getattr(part, name) for part in parts]) for name in tensors},
        measured=tuple(m for part in parts for m in part.measured),
    )
