"""What maps do: the image's logit when voxels are removed or added in the order of a map, and other interventions.

Voxels that are removed are replaced as an erased tumour is (`effects.interventions`): the median of the tissue around
the tumour, with its grain. Changes are in standard deviations of the image's logit over the patients. Curves go from 0
to twice the tumour's volume, so that patients with large and small tumours count alike; flips are left out.

Sources: deletion and insertion, Petsiuk et al., BMVC 2018; weights randomised layer by layer, Adebayo et al., NeurIPS
2018. The rest is ours.
"""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from PCRPredictorLib.effects.interventions import (
    equal_patches,
    erase,
    fill_values,
    paste_tumour,
    surroundings,
    tumour_region,
)
from PCRPredictorLib.network import PCRNet
from scipy.integrate import trapezoid
from scipy.stats import rankdata
from torch import Tensor, nn
from torch.nn import functional

from ..cohort.cache import GridCache
from ..statistics.maps import ENHANCEMENT, at_resolution, enhancement_map, score_map
from ..statistics.metrics import bootstrap
from ..training.inference import explain, map_name

VOLUMES = (0.0, 0.25, 0.5, 1.0, 2.0)  # of the tumour, removed or added
RANDOM = "random order"
_BATCH = 16
_PATCHES, _BACKGROUNDS = 3, 3
_RANDOMISED = 100  # patients, at most, whose map is compared after each layer
Members = Sequence[tuple[Sequence[PCRNet], np.ndarray]]


@dataclass(frozen=True, eq=False)
class Effects:
    """Image logits of N patients, not calibrated, mean over the networks that read a patient.

    Args:
        before: (N,) of the image itself.
        erased: (N,) without the tumour.
        patches: (N, P) at P places, without an equal patch elsewhere; nan without room for one.
        swapped: (N, M) in the backgrounds of other patients.
        deleted, inserted: by the name of the map, (N, V), with a part of the voxels removed from the image, or added to
            a window of background, in the order of the map; the parts are `VOLUMES` of the tumour.
        agreement: (N,) rank correlation of the map with the enhancement map.
    """

    before: np.ndarray
    erased: np.ndarray
    patches: np.ndarray
    swapped: np.ndarray
    deleted: dict[str, np.ndarray]
    inserted: dict[str, np.ndarray]
    agreement: np.ndarray


def describe_effects(members: Members, cache: GridCache, advance: Callable[[], object]) -> dict[str, object]:
    """Return what the maps of a model do, as plain values with intervals over patients.

    Args:
        members: networks, and the positions of the patients in the cache that they read; each patient once.
        advance: called after each batch.
    """
    index = np.concatenate([positions for _, positions in members])
    found = measure_effects(members, cache, advance)
    label, spread = cache.labels[index], float(found.before.std()) or 1.0
    shift = (found.erased - found.before) / spread
    patch = np.abs(found.patches - found.before[:, None]).mean(1) / spread
    swap = np.abs(found.swapped - found.before[:, None]).mean(1) / spread
    room = np.isfinite(patch)

    def mean(values: np.ndarray, of: np.ndarray | slice = slice(None)) -> dict[str, float | None]:
        return bootstrap(lambda i: float(values[of][i].mean()), label[of], resamples=500).to_json()

    def correlation(i: np.ndarray) -> float:
        each = [np.corrcoef(found.before[i], column[i])[0, 1] for column in found.swapped.T]
        return float(np.mean(each))

    curves = {}
    for name in found.deleted:
        away, back = (np.abs(part[name] - found.before[:, None]) / spread for part in (found.deleted, found.inserted))
        curves[name] = {
            "deletion": away.mean(0).tolist(),
            "deletion_area": mean(_area(away)),
            "insertion": back.mean(0).tolist(),
            "insertion_area": mean(_area(back)),
        }
    return {
        "unit": "standard deviations of the image's logit",
        "logit_deviation": spread,
        "erased": mean(shift),
        "erased_absolute": mean(np.abs(shift)),
        "patch_absolute": mean(patch, room) if room.any() else None,
        "patch_patients": int(room.sum()),
        "swap_correlation": bootstrap(correlation, label, resamples=500).to_json(),
        "swap_absolute": mean(swap),
        "volumes": list(VOLUMES),
        "curves": curves,
        "agreement_with_enhancement": mean(found.agreement),
        "randomised": list(randomise_layers(members[0][0][0], cache, members[0][1])),
    }


def _area(curve: np.ndarray) -> np.ndarray:
    """Return the mean height of curves, (N, V), over the volumes: (N,)."""
    return trapezoid(curve, VOLUMES, axis=1) / VOLUMES[-1]


def measure_effects(members: Members, cache: GridCache, advance: Callable[[], object]) -> Effects:
    """Read every patient with its interventions; the backgrounds are those of other patients of the cache."""
    index = np.concatenate([positions for _, positions in members])
    others = _other_patients(index)
    parts, done = [], 0
    for networks, positions in members:
        for chosen in np.array_split(positions, max(-(-len(positions) // _BATCH), 1)):
            parts.append(_measure_batch(networks, cache, chosen, others[done : done + len(chosen)]))
            done += len(chosen)
            advance()
    joined = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    names = [key.removeprefix("deleted ") for key in joined if key.startswith("deleted ")]
    deleted, inserted = ({name: joined[f"{kind} {name}"] for name in names} for kind in ("deleted", "inserted"))
    single = {key: joined[key] for key in ("before", "erased", "patches", "swapped", "agreement")}
    return Effects(**single, deleted=deleted, inserted=inserted)


def count_batches(members: Members) -> int:
    """Return how often `measure_effects` advances."""
    return sum(max(-(-len(positions) // _BATCH), 1) for _, positions in members)


def _other_patients(index: np.ndarray) -> np.ndarray:
    """Return for each patient up to three others, (N, backgrounds), each drawn as often as any."""
    order = np.random.default_rng(0).permutation(len(index))
    shifts = range(1, min(_BACKGROUNDS, len(index) - 1) + 1)
    others = np.zeros((len(index), len(shifts)), int)
    for column, shift in enumerate(shifts):
        others[order, column] = index[np.roll(order, shift)]
    return others


def _measure_batch(
    networks: Sequence[PCRNet], cache: GridCache, chosen: np.ndarray, others: np.ndarray
) -> dict[str, np.ndarray]:
    image, mask = cache.image_and_mask(chosen)
    tumour = tumour_region(mask)
    logits = _Reader(networks)
    shown, rise = average_map(networks, image), enhancement_map(image)
    found = {"before": logits(image), "erased": logits(erase(image, tumour, tumour))}
    found["patches"] = _without_patches(logits, image, tumour)
    swapped = [_in_background(image, tumour, cache, column) for column in others.T]
    found["swapped"] = np.stack([logits(each) for each in swapped], 1) if swapped else np.zeros((len(chosen), 0))
    background = fill_values(image, surroundings(image, tumour, tumour))
    noise = torch.rand(rise.shape, generator=torch.Generator().manual_seed(int(chosen[0])))
    counts = at_resolution(mask, rise).sum((1, 2, 3, 4)).round().clamp_min(1)
    name = map_name(networks[0].attention is not None)
    same = functional.interpolate(shown, rise.shape[2:], mode="trilinear") if shown.shape != rise.shape else shown
    start = found["before"], logits(background)
    for key, each in {name: same, ENHANCEMENT: rise, RANDOM: noise}.items():
        first = [_first_voxels(each, counts * volume, image) for volume in VOLUMES[1:]]
        found[f"deleted {key}"] = np.stack([start[0], *(logits(torch.where(f, background, image)) for f in first)], 1)
        found[f"inserted {key}"] = np.stack([start[1], *(logits(torch.where(f, image, background)) for f in first)], 1)
    return found | {"agreement": rank_correlation(same, rise)}


class _Reader:
    """Return image logits of windows, (N,), mean over networks."""

    def __init__(self, networks: Sequence[PCRNet]) -> None:
        self.networks = networks

    def __call__(self, image: Tensor) -> np.ndarray:
        batch = _on_device(self.networks[0], image)
        with torch.inference_mode():
            return torch.stack([each(batch).image_logit.double().cpu() for each in self.networks]).mean(0).numpy()


def average_map(networks: Sequence[PCRNet], image: Tensor) -> Tensor:
    """Return the mean map of networks, attention or Grad-CAM, each a distribution.

    Args:
        image: (B, C, slices, rows, columns).

    Returns:
        (B, 1, slices, rows, columns) at the resolution of the map.
    """
    maps = []
    for network in networks:
        with torch.set_grad_enabled(network.attention is None):
            found = explain(network(_on_device(network, image))).detach().cpu()
        maps.append(found / found.sum((1, 2, 3, 4), keepdim=True).clamp_min(1e-12))
    return torch.stack(maps).mean(0)


def _on_device(network: PCRNet, image: Tensor) -> Tensor:
    return image.to(next(network.parameters()).device).contiguous(memory_format=torch.channels_last_3d)


def _without_patches(logits: _Reader, image: Tensor, tumour: Tensor) -> np.ndarray:
    found = np.full((len(image), _PATCHES), np.nan)
    for k in range(len(image)):
        one, mine = image[k : k + 1], tumour[k : k + 1]
        patches = equal_patches(one, mine, _PATCHES, seed=k)
        if len(patches):
            each = torch.cat([erase(one, patch[None], mine) for patch in patches])
            found[k] = np.resize(logits(each), _PATCHES)
    return found


def _in_background(image: Tensor, tumour: Tensor, cache: GridCache, others: np.ndarray) -> Tensor:
    background, mask = cache.image_and_mask(others)
    return paste_tumour(image, tumour, background, tumour_region(mask))


def _first_voxels(found: Tensor, counts: Tensor, image: Tensor) -> Tensor:
    """Return where a map is highest, so many of its voxels per patient, on the voxels of the image, bool."""
    place = found.flatten(1).argsort(dim=1, descending=True, stable=True).argsort(1)
    first = (place < counts.round()[:, None]).view_as(found).float()
    return functional.interpolate(first, image.shape[2:], mode="nearest") > 0


def rank_correlation(one: Tensor, other: Tensor) -> np.ndarray:
    """Return Spearman's correlation of two maps over the voxels, (B,); nan if one is constant."""
    ranks = [rankdata(each.flatten(1).numpy(), axis=1) for each in (one, other)]
    centred = [rank - rank.mean(1, keepdims=True) for rank in ranks]
    scale = np.sqrt((centred[0] ** 2).sum(1) * (centred[1] ** 2).sum(1))
    with np.errstate(invalid="ignore"):
        return (centred[0] * centred[1]).sum(1) / np.where(scale > 0, scale, np.nan)


def randomise_layers(network: PCRNet, cache: GridCache, positions: np.ndarray) -> Iterator[dict[str, object]]:
    """Yield the map's rank correlation with the trained one, and its share in the tumour, after each layer.

    Layers lose their weights one after the other, from the head down to the stem, and stay random.

    Args:
        positions: (n,), indices of the patients in the cache.
    """
    some = positions[:: max(len(positions) // _RANDOMISED, 1)]
    image, mask = cache.image_and_mask(some)
    trained = average_map([network], image)
    yield {"layer": "none", "rank_correlation": 1.0, "in_tumour": float(score_map(trained, mask).in_tumour.mean())}
    copy = deepcopy(network).eval()
    torch.manual_seed(0)
    for name, layer in _layers_from_head(copy):
        _randomise(layer)
        found = average_map([copy], image)
        correlation = np.nan_to_num(rank_correlation(found, trained))
        inside = float(score_map(found, mask).in_tumour.mean())
        yield {"layer": name, "rank_correlation": float(correlation.mean()), "in_tumour": inside}


def _layers_from_head(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Yield the parts of the image branch that have weights, from the head down; the clinical branch is left out."""
    for name, child in reversed(list(network.named_children())):
        if name == "clinical":
            continue
        blocks = list(child.named_children()) if type(child) is nn.Sequential else []  # not a block
        for own, block in reversed(blocks) if blocks else [("", child)]:
            if any(True for _ in block.parameters()):
                yield (f"{name}.{own}" if blocks else name), block


def _randomise(layer: nn.Module) -> None:
    for module in layer.modules():
        if isinstance(module, (nn.Conv3d, nn.Linear)):
            nn.init.normal_(module.weight, std=(2 / module.weight[0].numel()) ** 0.5)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm3d):
            module.reset_parameters()
