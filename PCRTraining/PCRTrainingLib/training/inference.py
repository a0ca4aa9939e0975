"""What a trained network says of cached patients: logits, and how much of its attention is inside the tumour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from PCRPredictorLib.network import Output, PCRNet
from torch import Tensor, nn

from ..cohort.cache import GridCache
from ..statistics.operating import calibrate
from .losses import at_resolution, grad_cam

_BATCH = 32
Flips = Sequence[tuple[int, ...]]


@dataclass(frozen=True, eq=False)
class Scores:
    """Of N patients.

    Args:
        logit: (N,), mean over the flips, not calibrated.
        image_logit: (N,), the part of it that comes from the image.
        in_tumour: (N,), share of the map (attention, or Grad-CAM where the network has none) inside the tumour.
        peak_in_tumour: (N,), whether the map's peak is there (pointing game), 0 or 1.
    """

    logit: np.ndarray
    image_logit: np.ndarray
    in_tumour: np.ndarray
    peak_in_tumour: np.ndarray


def score(
    network: PCRNet, cache: GridCache, clinical: Tensor, index: np.ndarray, flips: Flips, device: str = "cpu"
) -> Scores:
    """Run a network on patients of a cache, with the flips that the predictor uses.

    Args:
        clinical: (N of the cache, schema width).
        index: (n,), positions of the patients.
        flips: beside the plain image, axes of (slices, rows, columns).
    """
    network.eval()
    parts = [
        _score_batch(network, *cache.image_and_mask(chosen), clinical[torch.as_tensor(chosen)], flips, device)
        for chosen in np.array_split(index, max(-(-len(index) // _BATCH), 1))
    ]
    return Scores(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Scores)))


def _score_batch(network: PCRNet, image: Tensor, mask: Tensor, clinical: Tensor, flips: Flips, device: str) -> Scores:
    logits, image_logits, maps = [], [], []
    for axes in ((), *flips):
        dims = [axis + 2 for axis in axes]
        flipped = image.flip(dims).to(device).contiguous(memory_format=torch.channels_last_3d)
        with torch.set_grad_enabled(network.attention is None):  # Grad-CAM needs gradients
            output = network(flipped, clinical.to(device))
            explanation = explain(output)
        logits.append(output.logit.detach())
        image_logits.append(output.image_logit.detach())
        maps.append(explanation.detach().flip(dims))
    explanation = torch.stack(maps).mean(0)
    tumour = at_resolution(mask.to(device), explanation)
    total = explanation.sum((1, 2, 3, 4))
    inside = torch.where(total > 0, (explanation * tumour).sum((1, 2, 3, 4)) / total.clamp_min(1e-12), 0)
    peak = explanation.flatten(1).argmax(1, keepdim=True)
    pointed = (tumour.flatten(1).gather(1, peak)[:, 0] > 0) & (total > 0)
    columns = (torch.stack(logits).mean(0), torch.stack(image_logits).mean(0), inside, pointed.float())
    return Scores(*(column.double().cpu().numpy() for column in columns))


def explain(output: Output) -> Tensor:
    """The attention, or Grad-CAM of a network that has none: not negative, (B, 1, slices, rows, columns)."""
    return grad_cam(output) if output.log_attention is None else output.log_attention.exp()


def randomised(network: PCRNet, seed: int = 0) -> PCRNet:
    """A copy with random weights: its map must know nothing of the tumour.

    Source: Adebayo et al., Sanity checks for saliency maps, NeurIPS 2018.
    """
    torch.manual_seed(seed)
    copy = PCRNet(**network.arguments)
    for module in copy.modules():
        if isinstance(module, (nn.Conv3d, nn.Linear)):
            nn.init.normal_(module.weight, std=(2 / module.weight[0].numel()) ** 0.5)
    return copy.eval()


def score_ensemble(
    networks: Sequence[PCRNet],
    cache: GridCache,
    clinical: Tensor,
    calibration: tuple[float, float],
    flips: Flips,
    device: str = "cpu",
) -> tuple[np.ndarray, Scores]:
    """A fold ensemble on every patient of a cache.

    Args:
        clinical: (N, schema width).
        calibration: slope and offset, see `operating.calibrate`.
        flips: beside the plain image, axes of (slices, rows, columns).

    Returns:
        Mean over the networks of the calibrated probability, (N,), as the predictor gives it; mean scores.
    """
    index = np.arange(len(cache))
    found = [score(network.to(device), cache, clinical, index, flips, device) for network in networks]
    probability = np.mean([calibrate(scores.logit, calibration) for scores in found], 0)
    return probability, Scores(*(np.mean([getattr(s, f.name) for s in found], 0) for f in fields(Scores)))
