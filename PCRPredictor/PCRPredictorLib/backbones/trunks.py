"""The part of a network behind the gate: from the stem's gated features to those that the head reads.

Every one reads the features that the gate has multiplied, never the image: none of its layers, and no attention inside
it, sees the background unattended. The one of our own needs torch alone; MONAI, which takes seconds to load, is loaded
for its networks only (`monai_trunks`).
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from torch import nn
from torch.nn.utils import fuse_conv_bn_eval

from .names import OWN, check_backbone

_STRIDE = (2, 2, 2)
Trunk = tuple[nn.Module, int]  # and its number of output channels


class Convolution(nn.Sequential):
    """3 x 3 x 3 convolution with batch norm and ReLU; its weights have the names of MONAI's block of this name."""

    def __init__(self, inputs: int, outputs: int, stride: Sequence[int] | int = 1) -> None:
        conv = nn.Conv3d(inputs, outputs, 3, stride, padding=1, bias=False)  # type: ignore[arg-type]
        after = nn.Sequential(OrderedDict(N=nn.BatchNorm3d(outputs), A=nn.ReLU()))
        super().__init__(OrderedDict(conv=conv, adn=after))

    def fold_norm(self) -> None:
        """Fold the batch norm into the convolution, in place; training is over then."""
        block: Any = self
        block.conv = fuse_conv_bn_eval(block.conv, block.adn.N)
        block.adn.N = nn.Identity()


def build_trunk(name: str, widths: Sequence[int]) -> Trunk:
    """Return the network behind the gate, with random weights.

    Args:
        name: one of `NAMES`.
        widths: channels of the stem, of its first stage and of its last one; MONAI's networks take the nearest that
            they can have.

    Raises:
        DataError: if the name is not known, or a package is missing.
    """
    check_backbone(name, "PCRNet")
    if name == OWN:
        stem, middle, deep = widths
        layers = Convolution(stem, middle), Convolution(middle, deep, _STRIDE), Convolution(deep, deep)
        return nn.Sequential(*layers), deep
    from .monai_trunks import BUILDERS  # loads MONAI

    return BUILDERS[name](*widths)
