"""The explanation of a network that guidance losses act on: Grad-CAM, and the attention inside the tumour.

`share_in_tumour` and `explain` are ours.
"""

from functools import partial

import torch
from PCRPredictorLib.network import Output
from torch import Tensor
from torch.nn import functional

from ..guidance import Explanation
from ..statistics.maps import at_resolution


def grad_cam(output: Output, *, differentiable: bool = False) -> Tensor:
    """Return Grad-CAM of the predicted class on the trunk's features, not negative, (B, 1, slices, rows, columns).

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


def share_in_tumour(log_attention: Tensor, mask: Tensor) -> Tensor:
    """Return the share of the attention's mass inside the mask, (B,); both are (B, 1, slices, rows, columns)."""
    return (log_attention.exp() * at_resolution(mask, log_attention)).sum((1, 2, 3, 4))


def explain(output: Output, image: Tensor, mask: Tensor) -> Explanation:
    """Return the input of the guidance losses.

    Args:
        output: of a forward pass with gradients.
        image: (B, C, slices, rows, columns), with a gradient if the loss needs it.
        mask: (B, 1, slices, rows, columns), a fraction in [0, 1].
    """

    def image_gradient() -> Tensor:
        (gradient,) = torch.autograd.grad(output.image_logit.sum(), image, create_graph=True)
        return gradient

    return Explanation(
        mask, output.log_attention, image_gradient, partial(grad_cam, output, differentiable=True), at_resolution
    )
