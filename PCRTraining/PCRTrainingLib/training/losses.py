"""Losses of the curriculum: classification, and guidance of the explanation by the tumour mask.

A guidance loss takes the network's output, the image and the mask, and is small and interchangeable: to add one, write
the function and enter it in `GUIDANCE` and in `config.GuidanceName`. Losses are scalar tensors, means over the batch.
`mask_cross_entropy`, `at_resolution` and `share_in_tumour` are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from PCRPredictorLib.network import Output
from torch import Tensor
from torch.nn import functional

_TINY = 1e-6


def classification_loss(logit: Tensor, label: Tensor, positive_weight: Tensor) -> Tensor:
    """Class-balanced binary cross-entropy.

    Args:
        logit: (B,).
        label: (B,), 0 or 1.
        positive_weight: scalar, negatives per positive among the training patients.

    Returns:
        A scalar.

    Source: weighting by class after King and Zeng, Political Analysis 2001.
    """
    return functional.binary_cross_entropy_with_logits(logit.float(), label, pos_weight=positive_weight)


def mask_cross_entropy(log_attention: Tensor, mask: Tensor) -> Tensor:
    """Cross-entropy between the tumour and the attention, -sum(M log A).

    Both are distributions over the voxels: A by its softmax, M the mask averaged to the attention's resolution and
    divided by its sum. A softmax has no background bias to unlearn, so it localises within a few epochs.

    Args:
        log_attention: (B, 1, slices, rows, columns), log of A.
        mask: (B, 1, slices, rows, columns) at any resolution, a fraction in [0, 1].

    Returns:
        A scalar.
    """
    coarse = at_resolution(mask, log_attention)
    target = coarse / coarse.sum((1, 2, 3, 4), keepdim=True).clamp_min(_TINY)
    return -(target * log_attention).sum((1, 2, 3, 4)).mean()


def grad_cam(output: Output, *, differentiable: bool = False) -> Tensor:
    """Grad-CAM of the predicted class on the trunk's features, not negative, (B, 1, slices, rows, columns).

    Args:
        output: of a forward pass with gradients.
        differentiable: keep the graph, so that a loss can be put on the map.

    Source: Selvaraju et al., ICCV 2017.
    """
    logit = output.image_logit
    towards_predicted = (logit * torch.where(logit > 0, 1.0, -1.0)).sum()
    (gradient,) = torch.autograd.grad(towards_predicted, output.features, create_graph=differentiable)
    weights = gradient.float().mean((2, 3, 4), keepdim=True)
    return functional.relu((weights * output.features.float()).sum(1, keepdim=True))


def at_resolution(mask: Tensor, like: Tensor) -> Tensor:
    """The mask averaged to the resolution of a map, both (B, 1, slices, rows, columns)."""
    return functional.adaptive_avg_pool3d(mask, like.shape[2:])  # type: ignore[arg-type]


def share_in_tumour(log_attention: Tensor, mask: Tensor) -> Tensor:
    """Share of the attention's mass inside the mask, (B,); both are (B, 1, slices, rows, columns)."""
    return (log_attention.exp() * at_resolution(mask, log_attention)).sum((1, 2, 3, 4))


def _gate(output: Output) -> Tensor:
    """A / max(A): the map that is shown, in [0, 1]."""
    assert output.log_attention is not None  # the configuration sees to it
    return (output.log_attention - output.log_attention.amax((2, 3, 4), keepdim=True)).exp()


def _mask_cross_entropy(output: Output, image: Tensor, mask: Tensor) -> Tensor:
    assert output.log_attention is not None
    return mask_cross_entropy(output.log_attention, mask)


def _gradia(output: Output, image: Tensor, mask: Tensor) -> Tensor:
    """mean |A - M|. Source: Gao et al., GRADIA, CSCW 2022."""
    gate = _gate(output)
    return (gate - at_resolution(mask, gate)).abs().mean()


def _haics(output: Output, image: Tensor, mask: Tensor) -> Tensor:
    """Binary cross-entropy inside the mask only. Source: Shen et al., HAICS, 2021."""
    gate = _gate(output)
    coarse = at_resolution(mask, gate)
    return -(coarse * gate.clamp_min(_TINY).log()).sum() / coarse.sum().clamp_min(_TINY)


def _dice(output: Output, image: Tensor, mask: Tensor) -> Tensor:
    """1 - Dice of the shown map and the mask. Source: Milletari et al., V-Net, 3DV 2016."""
    gate = _gate(output)
    coarse = at_resolution(mask, gate)
    overlap = 2 * (gate * coarse).sum((1, 2, 3, 4))
    return (1 - overlap / (gate.sum((1, 2, 3, 4)) + coarse.sum((1, 2, 3, 4))).clamp_min(_TINY)).mean()


def _right_for_the_right_reasons(output: Output, image: Tensor, mask: Tensor) -> Tensor:
    """Squared input gradients outside the mask, summed a patient. Source: Ross et al., IJCAI 2017."""
    (gradient,) = torch.autograd.grad(output.image_logit.sum(), image, create_graph=True)
    return ((gradient * (1 - mask)) ** 2).sum((1, 2, 3, 4)).mean()


def _grad_cam_alignment(output: Output, image: Tensor, mask: Tensor) -> Tensor:
    """Cross-entropy between mask and Grad-CAM, as the predecessors of the curriculum align it (arXiv 2502.17503)."""
    cam = grad_cam(output, differentiable=True) + _TINY
    return mask_cross_entropy((cam / cam.sum((1, 2, 3, 4), keepdim=True)).log(), mask)


@dataclass(frozen=True)
class Guidance:
    """A guidance loss: `loss(output, image, mask)`, and whether it needs the gradient with respect to the image."""

    loss: Callable[[Output, Tensor, Tensor], Tensor]
    image_gradient: bool = False


GUIDANCE: Mapping[str, Guidance] = {
    "mask cross-entropy": Guidance(_mask_cross_entropy),
    "gradia": Guidance(_gradia),
    "haics": Guidance(_haics),
    "dice": Guidance(_dice),
    "rrr": Guidance(_right_for_the_right_reasons, image_gradient=True),
    "grad-cam": Guidance(_grad_cam_alignment),
}
