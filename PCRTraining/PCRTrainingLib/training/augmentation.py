"""Augmentation of model grids in training. Each function draws from a generator and returns new tensors.

Tensors keep their shapes, (B, C, slices, rows, columns) of images and (B, width) of clinical vectors. `random_flips`,
`random_contrast` and `swap_background` are ours.
"""

import torch
from PCRPredictorLib.clinical import ClinicalSchema
from torch import Tensor
from torch.nn import functional


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
    widths = torch.tensor([variable.width for variable in schema.variables], dtype=torch.long)
    kept = torch.rand((len(clinical), len(widths)), generator=generator) >= probability
    return clinical * kept.repeat_interleave(widths, 1)
