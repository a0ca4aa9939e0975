"""The fold ensemble: every network on one window, averaged over its flips, or on many windows at once.

`contributions` is ours.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..network import LEAST_WEIGHT, Output, PCRNet

Result = TypeVar("Result")


class Reading(NamedTuple):
    """What the ensemble says of a window.

    Args:
        logits, image_logits: (F,) for F folds, with all clinical values and with only those measured in the exam.
        plain_logits: (F,), as `network_logits` but of the window alone, without flips.
        attention: (slices, rows / 2, columns / 2), mean over the folds.
        network_logits: (F,), the part of `logits` that the image alone gives, without any variable.
        contributions: (slices, rows / 2, columns / 2), what each place adds to the mean of `network_logits`, which is
            their sum.
    """

    logits: np.ndarray
    image_logits: np.ndarray
    plain_logits: np.ndarray
    attention: np.ndarray
    network_logits: np.ndarray
    contributions: np.ndarray


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

        Raises:
            ValueError: if a network has no attention.
        """
        window = torch.from_numpy(image)
        batch = self._prepare(torch.stack([window.flip([axis + 1 for axis in axes]) for axes in self.flips]))
        values = torch.from_numpy(clinical).to(self.device)
        results = self._of_each(lambda network: self._read_by(network, batch, values))
        logits, image_logits, plain, maps, network_logits, parts = zip(*results, strict=True)
        return Reading(
            np.array(logits),
            np.array(image_logits),
            np.array(plain),
            np.mean(maps, 0),
            np.array(network_logits),
            np.mean(parts, 0),
        )

    def plain_logits(self, images: np.ndarray) -> np.ndarray:
        """Return the image logits, (F, N), of several windows without flips.

        Args:
            images: float32 (N, channels, slices, rows, columns).
        """
        batch = self._prepare(torch.from_numpy(images))
        return np.stack(self._of_each(lambda network: network(batch).image_logit.cpu().numpy()))

    def _of_each(self, read: Callable[[PCRNet], Result]) -> list[Result]:
        """Return what a function gives for each network, on a CPU for several at a time, with one thread each.

        Threads that share a convolution wait for each other actively: beside other programs that takes several times
        as long.
        """

        def without_gradients(network: PCRNet) -> Result:
            with torch.inference_mode():
                return read(network)

        together = min(len(self.networks), torch.get_num_threads()) if self.device == "cpu" else 1
        with ThreadPoolExecutor(together, initializer=torch.set_num_threads, initargs=(1,)) as threads:
            return list(threads.map(without_gradients, self.networks))

    def _prepare(self, batch: Tensor) -> Tensor:
        return batch.to(self.device).contiguous(memory_format=torch.channels_last_3d)

    def _read_by(
        self, network: PCRNet, batch: Tensor, clinical: Tensor
    ) -> tuple[float, float, float, np.ndarray, float, np.ndarray]:
        """Return the parts of `Reading` for one network, maps flipped back."""
        known, measured = (row.expand(len(batch), -1) for row in clinical)
        output = network(batch, known)
        image_only = output.image_logit + network.clinical_logit(measured, output.image_logit)
        return (
            float(output.logit.mean()),
            float(image_only.mean()),
            float(output.image_logit[0]),
            self._flip_back(output.log_attention.exp()),
            float(output.image_logit.mean()),
            self._flip_back(contributions(network, output)),
        )

    def _flip_back(self, maps: Tensor) -> np.ndarray:
        """Return the mean over the flips, (slices, rows, columns), of maps (B, 1, slices, rows, columns)."""
        each = [a[0].flip(list(axes)) for a, axes in zip(maps, self.flips, strict=True)]
        return torch.stack(each).mean(0).cpu().numpy()


def contributions(network: PCRNet, output: Output) -> Tensor:
    """Return what each place adds to the image logit, as large as the attention: (B, 1, slices, rows, columns).

    The image logit is linear in the features, and these are averaged with the gate as weight. It is therefore a sum
    over the gate's voxels: of the gate times the head's logit of the features there, over the sum of weights. The
    head's bias is divided among the voxels as the attention is. A place adds its share of the attention times its
    own logit: no extra pass of the network is needed.

    Args:
        network: with attention.
        output: of that network.

    Raises:
        ValueError: if the network has no attention.
    """
    log_attention, features = output.log_attention, output.features
    if log_attention is None:
        raise ValueError("the network must have attention, to divide its logit among the places")
    gate = (log_attention - log_attention.amax((2, 3, 4), keepdim=True)).exp()
    weights = functional.adaptive_avg_pool3d(gate, features.shape[2:])  # type: ignore[arg-type]
    local = torch.einsum("bcszx,c->bszx", features.float(), network.head.weight[0].float())
    local = local / (weights.sum((1, 2, 3, 4))[:, None, None, None] + LEAST_WEIGHT)
    pools = (_pooling(n, m) for n, m in zip(gate.shape[2:], local.shape[1:], strict=True))
    slices, rows, columns = (pool.to(local.device) for pool in pools)
    spread = torch.einsum("bszx,ks,jz,ix->bkji", local, slices, rows, columns)
    return gate * spread[:, None] + network.head.bias * log_attention.exp()


@cache
def _pooling(count: int, pooled: int) -> Tensor:
    """Return the weights, (count, pooled), of adaptive average pooling along an axis."""
    return functional.adaptive_avg_pool1d(torch.eye(count)[:, None], pooled)[:, 0]
