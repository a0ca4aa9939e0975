"""Losses of the curriculum: classification, and guidance of the attention by the tumour mask."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def classification_loss(logit: Tensor, label: Tensor, positive_weight: Tensor) -> Tensor:
    """Class-balanced binary cross-entropy.

    Args:
        logit: (B,).
        label: (B,), 0 or 1.
        positive_weight: negatives per positive among the training patients.
    """
    return functional.binary_cross_entropy_with_logits(logit.float(), label, pos_weight=positive_weight)


def mask_cross_entropy(log_attention: Tensor, mask: Tensor) -> Tensor:
    """Cross-entropy between the tumour and the attention, -sum(M log A).

    Both are distributions over the voxels: A by its softmax, M the mask averaged to the attention's resolution and
    divided by its sum. A softmax has no background bias to unlearn, so it localises within a few epochs.

    Args:
        log_attention: (B, 1, slices, rows, columns), log of A.
        mask: (B, 1, slices, rows, columns) at any resolution, a fraction in [0, 1].
    """
    coarse = functional.adaptive_avg_pool3d(mask, log_attention.shape[2:])  # type: ignore[arg-type]
    target = coarse / coarse.sum((1, 2, 3, 4), keepdim=True).clamp_min(1e-6)
    return -(target * log_attention).sum((1, 2, 3, 4)).mean()
