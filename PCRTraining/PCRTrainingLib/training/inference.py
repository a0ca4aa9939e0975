"""Run trained networks on cached patients: logits, and the share of the map inside the tumour."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from PCRPredictorLib.model.calibration import Averaging, Calibration
from PCRPredictorLib.network import Output, PCRNet
from PCRPredictorLib.prediction import OperatingPoint
from torch import Tensor, nn

from ..cohort.cache import GridCache
from ..statistics.maps import at_common_resolution, score_map
from ..statistics.operating import Outcome, Scores, at_point
from .explanation import grad_cam

_BATCH = 32
Flips = Sequence[tuple[int, ...]]


@dataclass(frozen=True)
class Ensemble:
    """A fold ensemble and how it decides.

    Args:
        flips: beside the plain image, axes of (slices, rows, columns).
        calibration: slope and offset.
        point: operating point.
        averaging: of the folds, see `calibration.average`.
    """

    name: str
    networks: Sequence[PCRNet]
    flips: Flips
    calibration: Calibration
    point: OperatingPoint
    averaging: Averaging = "logit"

    def outcome(self, cache: GridCache, clinical: Tensor, device: str = "cpu") -> Outcome:
        """Return its outcome on every patient of a cache, as the predictor computes it.

        Args:
            clinical: (N, schema width).
        """
        index = np.arange(len(cache))
        found = [score(network.to(device), cache, clinical, index, self.flips, device) for network in self.networks]
        scores = Scores(*(np.mean([getattr(each, f.name) for each in found], 0) for f in fields(Scores)))
        outcome = at_point(self.name, [each.logit for each in found], self.calibration, self.point, self.averaging)
        return replace(outcome, scores=scores, map_name=map_name(self.networks[0].attention is not None))


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
    maps_of = explanation, at_common_resolution(explanation, image.shape)
    own, common = (score_map(each, mask.to(device)) for each in maps_of)
    mean_logit, mean_image_logit = (torch.stack(each).mean(0).double().cpu().numpy() for each in (logits, image_logits))
    return Scores(
        logit=mean_logit,
        image_logit=mean_image_logit,
        in_tumour=own.in_tumour,
        peak_in_tumour=own.peak_in_tumour,
        dice=own.dice,
        common_in_tumour=common.in_tumour,
        common_peak_in_tumour=common.peak_in_tumour,
        common_dice=common.dice,
    )


def explain(output: Output) -> Tensor:
    """Return the attention, or Grad-CAM of a network without: not negative, (B, 1, slices, rows, columns)."""
    return grad_cam(output) if output.log_attention is None else output.log_attention.exp()


def map_name(has_attention: bool) -> str:
    """Return the name of the map that `explain` returns for a network."""
    return "attention" if has_attention else "Grad-CAM"


def randomised(network: PCRNet, seed: int = 0) -> PCRNet:
    """Return a copy with random weights: its map must know nothing of the tumour.

    Source: Adebayo et al., Sanity checks for saliency maps, NeurIPS 2018.
    """
    torch.manual_seed(seed)
    copy = PCRNet(**network.arguments)
    for module in copy.modules():
        if isinstance(module, (nn.Conv3d, nn.Linear)):
            nn.init.normal_(module.weight, std=(2 / module.weight[0].numel()) ** 0.5)
    return copy.eval()


def random_share(
    network: PCRNet, cache: GridCache, clinical: Tensor, index: np.ndarray | None = None, device: str = "cpu"
) -> float:
    """Return the share of the map inside the tumour of `random_map`.

    Args:
        clinical: (N of the cache, schema width).
        index: (n,), positions of the patients; None for all.

    Source: as `randomised`.
    """
    return random_map(network, cache, clinical, index, device)["in_tumour"]


def random_map(
    network: PCRNet, cache: GridCache, clinical: Tensor, index: np.ndarray | None = None, device: str = "cpu"
) -> dict[str, float]:
    """Return how the map finds the tumour with random weights: mean over all patients, or 100 to 200 of many.

    Args:
        clinical: (N of the cache, schema width).
        index: (n,), positions of the patients; None for all.

    Returns:
        in_tumour, dice and pointing_game, see `operating.Scores`.

    Source: as `randomised`.
    """
    index = np.arange(len(cache)) if index is None else index
    some = index[:: max(len(index) // 100, 1)]
    found = score(randomised(network).to(device), cache, clinical, some, (), device)
    values = {"in_tumour": found.in_tumour, "dice": found.dice, "pointing_game": found.peak_in_tumour}
    return {name: float(each.mean()) for name, each in values.items()}
