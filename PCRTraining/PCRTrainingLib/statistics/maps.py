"""How well a map finds the tumour: attention, Grad-CAM, and the plain early-enhancement map that stands beside them.

Tensors are maps and images (B, 1 or C, slices, rows, columns), not negative, and masks of the window, a fraction in
[0, 1]. Mass depends on how sharp a map is; Dice at equal volume on its order alone. A coarse map is given more by the
pointing game, as its voxels are larger: maps of different resolution are compared at a common one.

The enhancement map is early - pre, as a radiologist sees it in the subtraction image, at 0 where that is negative.
Divided by each voxel's own pre-contrast signal it would be a weak comparator: noise in air and fat would lead it (Dice
0.47 instead of 0.85 in I-SPY2).

Source: ours; pointing game after Zhang et al., ECCV 2016.
"""

from dataclasses import dataclass

import numpy as np
import torch
from PCRPredictorLib.network import STEM_STRIDE
from torch import Tensor
from torch.nn import functional

ENHANCEMENT = "early enhancement"
COMMON_STRIDE = (2, 4, 4)  # of the trunk's features, on which Grad-CAM is


@dataclass(frozen=True, eq=False)
class MapScores:
    """What N maps show.

    Args:
        in_tumour: (N,), share of the map inside the tumour, in [0, 1]; 0 for an empty map.
        dice: (N,), overlap of the mask with as many voxels, those of the map's highest values, in [0, 1].
        peak_in_tumour: (N,), 1 if the voxel of the peak holds tumour (pointing game), else 0.
    """

    in_tumour: np.ndarray
    dice: np.ndarray
    peak_in_tumour: np.ndarray


def at_resolution(mask: Tensor, like: Tensor) -> Tensor:
    """Return the mask averaged to the resolution of a map, both (B, 1, slices, rows, columns)."""
    return functional.adaptive_avg_pool3d(mask, like.shape[2:])  # type: ignore[arg-type]


def enhancement_map(image: Tensor) -> Tensor:
    """Return early - pre on the grid of the attention, a distribution: (B, 1, slices, rows / 2, columns / 2).

    Args:
        image: (B, C, slices, rows, columns) in the channels of `normalisation`.
    """
    rise = _averaged(image[:, 1:2].clamp_min(0), image.shape[2:], STEM_STRIDE)
    return rise / rise.sum((1, 2, 3, 4), keepdim=True).clamp_min(1e-12)


def at_common_resolution(found: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return a map averaged to half the slices and a quarter of rows and columns of a window of this shape.

    Args:
        found: (B, 1, slices, rows, columns).
        shape: of the window, (..., slices, rows, columns), in voxels.

    Returns:
        (B, 1, slices, rows, columns).
    """
    return _averaged(found, shape, COMMON_STRIDE)


def score_map(found: Tensor, mask: Tensor) -> MapScores:
    """Compare maps with masks at the resolution of the maps.

    A voxel belongs to the mask if half of it does; if there is none, the voxel with most of it.

    Args:
        found: (B, 1, slices, rows, columns), not negative.
        mask: (B, 1, slices, rows, columns), a fraction in [0, 1].
    """
    tumour, total = at_resolution(mask, found), found.sum((1, 2, 3, 4))
    inside = torch.where(total > 0, (found * tumour).sum((1, 2, 3, 4)) / total.clamp_min(1e-12), 0)
    flat, share = found.flatten(1), tumour.flatten(1)
    pointed = (share.gather(1, flat.argmax(1, keepdim=True))[:, 0] > 0) & (total > 0)
    drawn = share >= share.amax(1, keepdim=True).clamp_max(0.5)
    place = flat.argsort(dim=1, descending=True, stable=True).argsort(1)
    overlap = (drawn & (place < drawn.sum(1, keepdim=True))).sum(1) / drawn.sum(1)
    dice = torch.where(total > 0, overlap, 0)
    return MapScores(*(each.double().cpu().numpy() for each in (inside, dice, pointed)))


def _averaged(found: Tensor, shape: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
    size = tuple(-(-n // step) for n, step in zip(shape[-3:], stride, strict=True))
    return functional.adaptive_avg_pool3d(found, size)  # type: ignore[arg-type]
