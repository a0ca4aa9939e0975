"""The fold ensemble: every network on one window, averaged over its flips, or on many windows at once."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..network import PCRNet


class Reading(NamedTuple):
    """What the ensemble says of a window.

    Args:
        logits, image_logits: (F,) for F folds, with all clinical values and with only those measured in the exam.
        plain_logits: (F,), as `logits` but of the window alone, without flips.
        attention: (slices, rows / 2, columns / 2), mean over the folds.
    """

    logits: np.ndarray
    image_logits: np.ndarray
    plain_logits: np.ndarray
    attention: np.ndarray


class Ensemble:
    """Run the networks of a model's folds.

    Args:
        networks: ready for inference, on the device.
        flips: axes of the window that are flipped beside it, see `InferenceSettings`.
        device: a torch device.
    """

    def __init__(self, networks: Sequence[PCRNet], flips: Sequence[tuple[int, ...]], device: str) -> None:
        self.networks, self.flips, self.device = networks, ((), *flips), device

    def read(self, image: np.ndarray, clinical: np.ndarray) -> Reading:
        """Return logits and attention of one window, as means over its flips.

        Args:
            image: float32 (channels, slices, rows, columns).
            clinical: float32 (2, width): with every value that is known, and with only those measured in the exam.
        """
        window = torch.from_numpy(image)
        batch = self._prepare(torch.stack([window.flip([axis + 1 for axis in axes]) for axes in self.flips]))
        values = torch.from_numpy(clinical).to(self.device)
        with torch.inference_mode():
            results = [self._read_by(network, batch, values) for network in self.networks]
        logits, image_logits, plain, maps = zip(*results, strict=True)
        return Reading(np.array(logits), np.array(image_logits), np.array(plain), np.mean(maps, 0))

    def plain_logits(self, images: np.ndarray, clinical: np.ndarray) -> np.ndarray:
        """Return the logits, (F, N), of several windows without flips.

        Args:
            images: float32 (N, channels, slices, rows, columns).
            clinical: float32 (N, width).
        """
        batch, values = self._prepare(torch.from_numpy(images)), torch.from_numpy(clinical).to(self.device)
        with torch.inference_mode():
            return np.stack([network(batch, values).logit.cpu().numpy() for network in self.networks])

    def _prepare(self, batch: Tensor) -> Tensor:
        return batch.to(self.device).contiguous(memory_format=torch.channels_last_3d)

    def _read_by(self, network: PCRNet, batch: Tensor, clinical: Tensor) -> tuple[float, float, float, np.ndarray]:
        """Return one network's logit, image-only logit, plain logit, and attention (flipped back)."""
        known, measured = (row.expand(len(batch), -1) for row in clinical)
        output = network(batch, known)
        image_only = output.image_logit + network.clinical_logit(measured, output.image_logit)
        maps = [a[0].flip(list(axes)) for a, axes in zip(output.log_attention.exp(), self.flips, strict=True)]
        attention = torch.stack(maps).mean(0).cpu().numpy()
        return float(output.logit.mean()), float(image_only.mean()), float(output.logit[0]), attention
