"""The network, in its three forms: global, with attention on the stem, with clinical variables fused.

One class is composed of branches; the branches that it has make its form. Stem and trunk are the same in all forms; the
trunk, which reads the stem's features behind the gate, may be one of MONAI's networks (`backbones.trunks`).
Each form therefore starts from the weights of the one before (`warm_start`) and, until it is trained, gives its logits.

Source: ours; the order of the forms is after Caragliano et al., arXiv 2605.07561.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor, channels_last_3d, nn
from torch.nn import functional

from .backbones.names import OWN
from .backbones.trunks import Convolution, build_trunk

STEM_STRIDE = (1, 2, 2)
LEAST_WEIGHT = 1e-3  # added to the sum of weights of the pooled features


class Output(NamedTuple):
    """Output of the network for a batch of B.

    Args:
        logit: (B,), of pCR.
        image_logit: (B,), the part of it that comes from the image; the rest comes from the clinical variables.
        log_attention: (B, 1, slices, rows / 2, columns / 2), log of a distribution over the voxels, or None.
        features: (B, widths[2], slices / 2, rows / 4, columns / 4), the last of the trunk; for Grad-CAM. The trunks of
            `backbones` may have a different number of channels, and "swin" half as many voxels along each axis.
    """

    logit: Tensor
    image_logit: Tensor
    log_attention: Tensor | None
    features: Tensor


class PCRNet(nn.Module):
    """Convolutional network for a tumour window.

    Args:
        in_channels: channels of the image.
        widths: channels of the stem and of the two stages of the trunk.
        attention: whether a gate multiplies the stem's features. Deep layers then never see the background
            unattended; gating only the pooled features leaks it (see the method page).
        clinical_inputs: length of the clinical vector, 0 if there is none. Its logit is added to the image's.
        clinical_width: hidden units of the clinical branch; 0 makes it a logistic regression.
        dropout: share of the pooled features that training drops.
        backbone: of `backbones.names`, the trunk.
    """

    def __init__(
        self,
        in_channels: int = 3,
        widths: Sequence[int] = (16, 32, 64),
        *,
        attention: bool = False,
        clinical_inputs: int = 0,
        clinical_width: int = 16,
        dropout: float = 0.0,
        backbone: str = OWN,
    ) -> None:
        super().__init__()
        self.arguments: dict[str, Any] = {
            "in_channels": in_channels,
            "widths": list(widths),
            "attention": attention,
            "clinical_inputs": clinical_inputs,
            "clinical_width": clinical_width,
            **({} if backbone == OWN else {"backbone": backbone}),
        }
        stem = widths[0]
        self.stem = Convolution(in_channels, stem, STEM_STRIDE)
        self.attention = _attention_branch(stem) if attention else None
        self.trunk, deep = build_trunk(backbone, widths)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(deep, 1)
        self.clinical_inputs = clinical_inputs
        self.clinical = _clinical_branch(clinical_inputs, clinical_width) if clinical_inputs else None

    def forward(self, image: Tensor, clinical: Tensor | None = None) -> Output:
        """Return logits and attention.

        Args:
            image: (B, channels, slices, rows, columns), see `normalisation`.
            clinical: (B, clinical_inputs), see `clinical`; None counts every variable as missing.
        """
        features = self.stem(image)
        log_attention = None
        if self.attention is None:
            features = self.trunk(features)
            pooled = features.mean((2, 3, 4))
        else:
            log_attention = _log_softmax_over_voxels(self.attention(features))
            gate = (log_attention - log_attention.amax((2, 3, 4), keepdim=True)).exp()
            features = self.trunk(features * gate)
            pooled = _weighted_mean(features, gate)
        image_logit = self.head(self.dropout(pooled))[:, 0]
        logit = image_logit + self.clinical_logit(clinical, image_logit)
        return Output(logit, image_logit, log_attention, features)

    def clinical_logit(self, clinical: Tensor | None, image_logit: Tensor) -> Tensor:
        """Return the clinical part of the logit, (B,); `None` counts every variable as missing."""
        if self.clinical is None:
            return image_logit.new_zeros(len(image_logit))
        if clinical is None:
            clinical = image_logit.new_zeros(len(image_logit), self.clinical_inputs)
        return self.clinical(clinical)[:, 0]

    def clinical_layers(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return the layers of the clinical branch, [] without it; a ReLU stands between them.

        Returns:
            Weight (N, M) and bias (N,) of each layer, for M inputs and N outputs.
        """
        layers = [module for module in self.clinical or () if isinstance(module, nn.Linear)]
        each = [(layer.weight.detach().cpu(), layer.bias.detach().cpu()) for layer in layers]
        return [(weight.double().numpy(), bias.double().numpy()) for weight, bias in each]

    def channels_last(self) -> PCRNet:
        """Store the weights in the order that is fastest for convolutions on a CPU, in place."""
        self.to(memory_format=channels_last_3d)  # type: ignore[call-overload]
        return self

    def for_inference(self) -> PCRNet:
        """Fold the batch norms into the convolutions, in place: the same outputs, faster; training is over then."""
        self.eval()
        for block in [module for module in self.modules() if isinstance(module, Convolution)]:
            block.fold_norm()
        return self.channels_last()

    def warm_start(self, weights: Mapping[str, Tensor]) -> None:
        """Copy the weights of an earlier form; branches that it does not have keep their own.

        Raises:
            ValueError: if there are weights that this network does not have.
        """
        foreign = self.load_state_dict(dict(weights), strict=False).unexpected_keys
        if foreign:
            raise ValueError(f"weights must be of an earlier form of this network, got also {foreign}")


def _attention_branch(channels: int) -> nn.Sequential:
    """Make the branch from the stem's features to attention logits; it starts uniform, with the gate open."""
    last = nn.Conv3d(channels, 1, 1)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)  # type: ignore[arg-type]
    return nn.Sequential(Convolution(channels, channels), Convolution(channels, channels), last)


def _clinical_branch(inputs: int, width: int) -> nn.Sequential:
    """Make the branch of the clinical variables; its logit starts at 0, which leaves the image's logit unchanged."""
    last = nn.Linear(width or inputs, 1)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), last) if width else nn.Sequential(last)


def _log_softmax_over_voxels(logits: Tensor) -> Tensor:
    return functional.log_softmax(logits.flatten(1).float(), 1).view_as(logits)


def _weighted_mean(features: Tensor, gate: Tensor) -> Tensor:
    """Return the mean of the features over the voxels, weighted by the gate at their resolution: (B, channels)."""
    weights = functional.adaptive_avg_pool3d(gate, features.shape[2:])  # type: ignore[arg-type]
    return (features * weights).sum((2, 3, 4)) / (weights.sum((2, 3, 4)) + LEAST_WEIGHT)
