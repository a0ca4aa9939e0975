"""Changes of the window that the network reads: what a map or a region of it does to the answer.

Tensors are images (B, C, slices, rows, columns) in the channels of `normalisation` and masks (B, 1, slices, rows,
columns), a fraction in [0, 1]; regions are bool. What is erased is filled with the median of the tissue around it, per
channel, and the fine grain of voxels there (each less the mean of its 3 x 3 neighbours, all channels of one voxel
together). The fill then enhances as the surroundings do, and has their noise.

Source: ours; perturbation as a test of explanations is after Samek et al., IEEE TNNLS 2017.
"""

from dataclasses import replace

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

from ..evidence import Interventions
from ..exam import Exam
from ..model.card import InferenceSettings
from ..model.ensemble import Ensemble
from ..model.grid import Window, place_window, sample
from ..model.normalisation import to_channels
from ..model.predictor import Predictor
from ..prediction import Prediction

_GAP = 1  # voxels beside a region whose signal is partly its own
_REACH = 6  # voxels in plane, from which a region is filled
_AIR = 0.1  # times a high percentile of the pre-contrast signal: air and the outside of the field are below
_HIGH = 0.95
_LEAST_PATCH = 0.9  # of the tumour's voxels
_PATCHES = 8
_OWN, _OTHER_SIDE = "its own, mirrored in plane", "its own, mirrored in plane, and that of the other side"


def intervene(predictor: Predictor, exam: Exam, prediction: Prediction) -> Prediction:
    """Return the prediction with its `interventions`: what erasing the tumour and other changes do to it.

    Args:
        predictor: that made the prediction.
        exam: of the prediction; of several lesions, each gets its own.
    """
    each = tuple(
        replace(found, prediction=intervene(predictor, replace(exam, mask=lesion.mask, lesions=()), found.prediction))
        for lesion, found in zip(exam.lesions, prediction.lesions, strict=True)
    )
    if each:
        return replace(prediction, interventions=each[0].prediction.interventions, lesions=each)
    return replace(prediction, interventions=_intervene(exam, predictor.ensemble, predictor.bundle.settings))


def _intervene(exam: Exam, ensemble: Ensemble, settings: InferenceSettings) -> Interventions:
    """Erase the tumour, erase patches elsewhere, swap the background; return the changes of the log-odds.

    No other patient is at hand: the backgrounds are the window's own, mirrored in plane in three ways, and in a field
    wide enough that of the other side. To save time, flips are left out, as in `mask_range`.

    Args:
        exam: with a mask that is not empty.
        ensemble, settings: of the model.
    """
    mask = np.asarray(exam.mask) != 0
    window = place_window(mask, exam.geometry, settings.grid)
    image, tumour = (torch.from_numpy(each)[None] for each in (to_channels(exam, window), sample(mask, window)[None]))
    tumour = tumour_region(tumour)
    patches = equal_patches(image, tumour, _PATCHES)
    erased = erase(image, tumour, tumour)
    others = [erase(image, patch[None], tumour) for patch in patches]
    backgrounds, source = mirrored_backgrounds(image, tumour), _OWN
    if (beside := _other_side(window)) is not None:
        there, empty = torch.from_numpy(to_channels(exam, beside))[None].flip(4), torch.zeros_like(tumour)
        backgrounds, source = torch.cat([backgrounds, paste_tumour(image, tumour, there, empty)]), _OTHER_SIDE
    windows = torch.cat([image, erased, *others, backgrounds]).numpy()
    logits = settings.calibration[0] * ensemble.plain_logits(windows).T
    first, *rest = (tuple((changed - logits[0]).tolist()) for changed in logits[1:])
    return Interventions(first, tuple(rest[: len(patches)]), tuple(rest[len(patches) :]), source, settings.averaging)


def _other_side(window: Window) -> Window | None:
    """Return the window mirrored to the other side of the field; None if the two overlap."""
    low, high = window.columns
    last = window.shape[2] - 1
    mirrored = last - high, last - low
    apart = mirrored[0] >= high or mirrored[1] <= low
    return replace(window, columns=mirrored) if apart else None


def tumour_region(mask: Tensor) -> Tensor:
    """Return the tumour with a margin of a voxel, (B, 1, slices, rows, columns) bool: all voxels with a part of it."""
    return functional.max_pool3d(mask, 3, 1, 1) > 0


def tissue(image: Tensor) -> Tensor:
    """Return the voxels of the body, (B, 1, slices, rows, columns) bool, by their pre-contrast signal."""
    pre = image[:, :1]
    bright = torch.quantile(pre.flatten(1), _HIGH, 1).clamp_min(1e-6)
    return pre > _AIR * bright[:, None, None, None, None]


def surroundings(image: Tensor, region: Tensor, tumour: Tensor) -> Tensor:
    """Return the tissue around a region in its own slices, without the tumour; all other tissue if there is none.

    Args:
        region, tumour: (B, 1, slices, rows, columns) bool, the tumour from `tumour_region`.
    """
    allowed = tissue(image) & ~_dilate(region, _GAP) & ~tumour
    near = allowed & _dilate(region, _REACH)
    return torch.where(near.flatten(1).any(1)[:, None, None, None, None], near, allowed)


def fill_values(image: Tensor, around: Tensor, seed: int = 0) -> Tensor:
    """Return a window that is filled throughout as an erased region is, see the module.

    Args:
        around: (B, 1, slices, rows, columns) bool, the voxels whose signal it takes, from `surroundings`; where there
            is none, the window is left as it is.
        seed: of the grain.
    """
    generator = torch.Generator().manual_seed(seed)
    grain = image - functional.avg_pool3d(image, (1, 3, 3), 1, (0, 1, 1), count_include_pad=False)
    places = torch.rand(image[0, 0].shape, generator=generator)
    filled = []
    for window, fine, chosen in zip(image, grain, around[:, 0], strict=True):
        voxels = window[:, chosen]
        if not voxels.shape[1]:
            filled.append(window)
            continue
        drawn = (places * voxels.shape[1]).long().clamp_max(voxels.shape[1] - 1)
        filled.append(voxels.median(1).values[:, None, None, None] + fine[:, chosen][:, drawn])
    return torch.stack(filled)


def erase(image: Tensor, region: Tensor, tumour: Tensor, seed: int = 0) -> Tensor:
    """Return the image with a region replaced by tissue as it is around it, see the module.

    Args:
        region, tumour: (B, 1, slices, rows, columns) bool, the tumour from `tumour_region`.
        seed: of the grain.
    """
    return torch.where(region, fill_values(image, surroundings(image, region, tumour), seed), image)


def paste_tumour(image: Tensor, tumour: Tensor, background: Tensor, other_tumour: Tensor) -> Tensor:
    """Return the tumour in a different background; the place of the other tumour keeps the image's own tissue.

    Args:
        image, background: of the same shape.
        tumour, other_tumour: (B, 1, slices, rows, columns) bool, of image and background, from `tumour_region`.
    """
    return torch.where(tumour | other_tumour, image, background)


def mirrored_backgrounds(image: Tensor, tumour: Tensor) -> Tensor:
    """Return the tumour of one window in its own background, mirrored in plane in three ways: (3, C, ...).

    Args:
        image: (1, C, slices, rows, columns).
        tumour: (1, 1, slices, rows, columns) bool, from `tumour_region`.
    """
    ways = ((3,), (4,), (3, 4))
    return torch.cat([paste_tumour(image, tumour, image.flip(axes), tumour.flip(axes)) for axes in ways])


def equal_patches(image: Tensor, tumour: Tensor, count: int, seed: int = 0) -> Tensor:
    """Return regions as large as the tumour elsewhere in the body, (n, 1, slices, rows, columns) bool.

    The tumour's shape is moved in its slices to a random place in the tissue outside it. What would then lie on the
    tumour, in air or outside the window is added along the edge, so that a patch has as many voxels in each slice, and
    the same shape if there is room for it.

    Args:
        image: (1, C, slices, rows, columns).
        tumour: (1, 1, slices, rows, columns) bool, from `tumour_region`.
        count: patches wanted; there are none if the window has less tissue outside the tumour than it takes.
        seed: of the places.
    """
    shape = tumour[0, 0].cpu().numpy()
    free = (tissue(image) & ~tumour)[0, 0].cpu().numpy()
    wanted = shape.sum((1, 2))
    if np.minimum(free.sum((1, 2)), wanted).sum() < max(_LEAST_PATCH * wanted.sum(), 1):
        return torch.zeros(0, *tumour.shape[1:], dtype=torch.bool, device=tumour.device)
    random = np.random.default_rng(seed)
    middle = np.argwhere(shape.any(0)).mean(0)
    places = np.argwhere(free.any(0))
    shifts = np.rint(places[random.permutation(len(places))[:count]] - middle).astype(int)
    patches = np.stack([_move_within(shape, shift, free) for shift in shifts])
    return torch.from_numpy(patches)[:, None].to(tumour.device)


def _move_within(shape: np.ndarray, shift: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Return a shape, (slices, rows, columns), moved in plane into free voxels: of each slice those nearest to it."""
    _, rows, columns = shape.shape
    moved = np.zeros_like(free)
    for old, new, room in zip(shape, moved, free, strict=True):
        if not old.any():
            continue
        wide = np.zeros((3 * rows, 3 * columns), bool)
        top, left = rows + shift[0], columns + shift[1]
        wide[top : top + rows, left : left + columns] = old
        away = ndimage.distance_transform_edt(~wide)[rows : 2 * rows, columns : 2 * columns]
        distance = np.where(room, away, np.inf)
        nearest = np.argsort(distance, axis=None, kind="stable")[: min(int(old.sum()), int(room.sum()))]
        new.flat[nearest] = True
    return moved


def _dilate(region: Tensor, voxels: int) -> Tensor:
    """Return a region grown in plane."""
    size = 2 * voxels + 1
    return functional.max_pool3d(region.float(), (1, size, size), 1, (0, voxels, voxels)) > 0
