"""Guidance: losses that guide the explanation of a network to the tumour mask.

To add one, write a function here and name it in `GUIDANCE`; configuration, errors and the panel's settings follow. It
takes an `Explanation`, whose A is the attention and M the tumour mask, and returns a scalar, the mean over the batch.
Tensors are (B, 1, slices, rows, columns) otherwise. The panel reads the names without loading torch: a loss that needs
more than the methods of tensors imports torch inside of its function.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

TINY = 1e-6


@dataclass(frozen=True, eq=False)
class Explanation:
    """The input of a guidance loss, of one batch; `explanation.explain` makes it.

    Args:
        mask: M at the image's resolution, a fraction in [0, 1].
        log_attention: logarithm of the gate's softmax A at its own resolution; None without a gate.
        image_gradient: gives the gradient of the logits with respect to the image, (B, C, slices, rows, columns).
        grad_cam: gives Grad-CAM that a loss can be put on.
        at_resolution: averages a mask to the resolution of a map.
    """

    mask: Tensor
    log_attention: Tensor | None
    image_gradient: Callable[[], Tensor]
    grad_cam: Callable[[], Tensor]
    at_resolution: Callable[[Tensor, Tensor], Tensor]

    @property
    def gate(self) -> Tensor:
        """A / max A: the map that is shown, in [0, 1]."""
        assert self.log_attention is not None  # the configuration asks for a gate
        return (self.log_attention - self.log_attention.amax((2, 3, 4), keepdim=True)).exp()

    def mask_like(self, map_: Tensor) -> Tensor:
        """Return M at the resolution of a map."""
        return self.at_resolution(self.mask, map_)


@dataclass(frozen=True)
class Guidance:
    """A guidance loss.

    Args:
        loss: of an explanation.
        needs_gate: it guides the gate, which the step must have.
        needs_image_gradient: it needs the gradient with respect to the image.
    """

    loss: Callable[[Explanation], Tensor]
    needs_gate: bool = True
    needs_image_gradient: bool = False


def mask_cross_entropy(explanation: Explanation) -> Tensor:
    """Cross-entropy between the tumour and the attention, -sum(M log A).

    Both are distributions over the voxels: A by its softmax, M divided by its sum. A softmax has no background bias to
    unlearn, so the attention localises within a few epochs. Source: ours.
    """
    assert explanation.log_attention is not None
    return _cross_entropy(explanation.log_attention, explanation)


def gradia(explanation: Explanation) -> Tensor:
    """mean |A / max A - M|. Source: Gao et al., GRADIA, CSCW 2022."""
    gate = explanation.gate
    return (gate - explanation.mask_like(gate)).abs().mean()


def haics(explanation: Explanation) -> Tensor:
    """Binary cross-entropy of A / max A inside the mask only. Source: Shen et al., HAICS, 2021."""
    gate = explanation.gate
    mask = explanation.mask_like(gate)
    return -(mask * gate.clamp_min(TINY).log()).sum() / mask.sum().clamp_min(TINY)


def dice(explanation: Explanation) -> Tensor:
    """1 - Dice of A / max A and M. Source: Milletari et al., V-Net, 3DV 2016."""
    gate = explanation.gate
    mask = explanation.mask_like(gate)
    overlap = 2 * (gate * mask).sum((1, 2, 3, 4))
    return (1 - overlap / (gate.sum((1, 2, 3, 4)) + mask.sum((1, 2, 3, 4))).clamp_min(TINY)).mean()


def right_for_the_right_reasons(explanation: Explanation) -> Tensor:
    """Squared input gradients outside the mask, summed per patient. Source: Ross et al., IJCAI 2017."""
    return ((explanation.image_gradient() * (1 - explanation.mask)) ** 2).sum((1, 2, 3, 4)).mean()


def grad_cam_alignment(explanation: Explanation) -> Tensor:
    """Cross-entropy between mask and Grad-CAM. Source: predecessors of the curriculum, arXiv 2502.17503."""
    cam = explanation.grad_cam() + TINY
    return _cross_entropy((cam / cam.sum((1, 2, 3, 4), keepdim=True)).log(), explanation)


def _cross_entropy(log_map: Tensor, explanation: Explanation) -> Tensor:
    mask = explanation.mask_like(log_map)
    target = mask / mask.sum((1, 2, 3, 4), keepdim=True).clamp_min(TINY)
    return -(target * log_map).sum((1, 2, 3, 4)).mean()


GUIDANCE = {
    "mask cross-entropy": Guidance(mask_cross_entropy),
    "gradia": Guidance(gradia),
    "haics": Guidance(haics),
    "dice": Guidance(dice),
    "rrr": Guidance(right_for_the_right_reasons, needs_gate=False, needs_image_gradient=True),
    "grad-cam": Guidance(grad_cam_alignment, needs_gate=False),
}
