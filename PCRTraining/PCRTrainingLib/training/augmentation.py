"""Augmentation of model grids in training. Each function draws from a generator and returns new tensors.

Tensors keep their shapes, (B, C, slices, rows, columns) of images and (B, width) of clinical vectors. The channels are
those of `normalisation`, P/s, 2(E-P)/s and 2(L-E)/s. `random_flips`, `random_contrast`, `random_timing`,
`random_orientation`, `vary_acquisition` and `swap_background` are ours. `random_gamma`, `random_noise` and
`random_resolution` are after nnU-Net (Isensee et al., Nature Methods 2021). A strength of 0 draws nothing: a run
without an augmentation is as it was before there was one.
"""

import torch
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.model.normalisation import SCALE_PERCENTILE
from torch import Tensor
from torch.nn import functional

from ..config import TrainingConfig

_LEAST_SCALE = 0.1  # of the scale before, so that noise is not blown up


def random_flips(image: Tensor, mask: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Mirror slices, rows and columns, each with probability 1/2, in the same way for the whole batch.

    Args:
        image: (B, C, slices, rows, columns).
        mask: (B, 1, slices, rows, columns).
    """
    axes = [axis for axis in (2, 3, 4) if torch.rand((), generator=generator) < 0.5]
    return image.flip(axes), mask.flip(axes)


def random_contrast(image: Tensor, generator: torch.Generator, strength: float = 0.1) -> Tensor:
    """Scale each channel of each patient by a factor of 1 +- `strength` (one standard deviation)."""
    factor = 1 + strength * torch.randn((*image.shape[:2], 1, 1, 1), generator=generator)
    return image * factor.to(image)


def vary_acquisition(
    image: Tensor, mask: Tensor, config: TrainingConfig, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return image and mask as a different scanner or protocol might have shown them; settings of 0 are off.

    Args:
        image: (B, C, slices, rows, columns).
        mask: (B, 1, slices, rows, columns).
        config: with `timing`, `gamma`, `noise`, `resolution` and `orientation`.
    """
    if config.timing:
        image = random_timing(image, generator, config.timing)
    if config.gamma:
        image = random_gamma(image, generator, config.gamma)
    if config.resolution:
        image = random_resolution(image, generator, config.resolution)
    if config.noise:
        image = random_noise(image, generator, config.noise)
    if config.orientation:
        image, mask = random_orientation(image, mask, generator, config.orientation)
    return image, mask


def random_timing(image: Tensor, generator: torch.Generator, strength: float) -> Tensor:
    """Move the early phase towards the one before or after it, and the late phase back or on, per patient.

    Each is moved by up to `strength` of the way between the phases, as if the signal changed evenly over time: the
    early phase towards late (acquired later) or pre (earlier), the late phase towards early or as far beyond. The
    exam's scale is that of the new early phase.
    """
    shift = strength * (2 * torch.rand((len(image), 2, 1, 1, 1), generator=generator).to(image) - 1)
    pre, rise, change = image.unbind(1)
    early, late = shift.unbind(1)
    moved = torch.where(early > 0, early * change, early * rise)
    changed = torch.stack([pre, rise + moved, (change - moved) * (1 + late)], 1)
    scales = torch.quantile((pre + (rise + moved) / 2).flatten(1), SCALE_PERCENTILE / 100, 1)
    return changed / scales.clamp_min(_LEAST_SCALE).view(-1, 1, 1, 1, 1)


def random_gamma(image: Tensor, generator: torch.Generator, strength: float) -> Tensor:
    """Raise the phases of each patient to a power whose logarithm has `strength` as standard deviation."""
    power = torch.exp(strength * torch.randn((len(image), 1, 1, 1, 1), generator=generator)).to(image)
    return _to_channels(_to_phases(image).clamp_min(0) ** power)


def random_noise(image: Tensor, generator: torch.Generator, strength: float) -> Tensor:
    """Add noise to each phase, with a standard deviation of up to `strength` of the exam's scale, drawn per patient."""
    level = strength * torch.rand((len(image), 1, 1, 1, 1), generator=generator)
    noise = level * torch.randn(image.shape, generator=generator)
    return _to_channels(_to_phases(image) + noise.to(image))


def random_resolution(image: Tensor, generator: torch.Generator, strength: float) -> Tensor:
    """Sample each patient's slices on coarser pixels and back: up to `strength` of the resolution is lost."""
    shares = 1 - strength * torch.rand(len(image), generator=generator)
    rows, columns = image.shape[-2:]
    changed = []
    for each, share in zip(image, shares.tolist(), strict=True):
        small = max(round(rows * share), 1), max(round(columns * share), 1)
        coarse = functional.interpolate(each, small, mode="bilinear", align_corners=False, antialias=True)
        changed.append(functional.interpolate(coarse, (rows, columns), mode="bilinear", align_corners=False))
    return torch.stack(changed)


def random_orientation(
    image: Tensor, mask: Tensor, generator: torch.Generator, probability: float
) -> tuple[Tensor, Tensor]:
    """Exchange rows and columns of the whole batch with a probability.

    With the flips, all eight ways to lay the slices follow. Slices stay slices: an acquisition has its own.
    """
    if torch.rand((), generator=generator) >= probability:
        return image, mask
    return image.transpose(3, 4), mask.transpose(3, 4)


def _to_phases(image: Tensor) -> Tensor:
    """Return pre, early and late over the exam's scale, (B, 3, ...), of the channels."""
    pre, rise, change = image.unbind(1)
    return torch.stack([pre, pre + rise / 2, pre + (rise + change) / 2], 1)


def _to_channels(phases: Tensor) -> Tensor:
    pre, early, late = phases.unbind(1)
    return torch.stack([pre, 2 * (early - pre), 2 * (late - early)], 1)


def swap_background(image: Tensor, mask: Tensor, generator: torch.Generator) -> Tensor:
    """Paste each tumour, with a margin of a voxel, into a different patient's background; the label stays the tumour's.

    The background then says nothing about the label. The place of the other patient's tumour keeps the patient's own
    background.

    Args:
        image: (B, C, slices, rows, columns).
        mask: (B, 1, slices, rows, columns), a fraction in [0, 1].
    """
    other = torch.randperm(len(image), generator=generator)
    tumour = functional.max_pool3d(mask, 3, 1, 1) > 0
    return torch.where(tumour | tumour[other], image, image[other])


def drop_variables(clinical: Tensor, schema: ClinicalSchema, probability: float, generator: torch.Generator) -> Tensor:
    """Make each variable of each patient missing with a probability: all its numbers become 0.

    Args:
        clinical: (B, schema width).

    Source: after ModDrop, Neverova et al., IEEE TPAMI 2016.
    """
    widths = torch.tensor(schema.widths, dtype=torch.long)
    kept = torch.rand((len(clinical), len(widths)), generator=generator) >= probability
    return clinical * kept.repeat_interleave(widths, 1)
