"""The first stages of MONAI's networks as the part of a network behind the gate, see `trunks`.

The gated features have only 8 x 32 x 32 voxels: (slices / 2, rows / 4, columns / 4) of the window are left, so that the
evidence keeps its place; half as many along each axis by `swin`.

Sources: He et al., CVPR 2016; Huang et al., CVPR 2017; Tan and Le, ICML 2019; Hatamizadeh et al., 2022 (Swin UNETR).
"""

from collections.abc import Callable
from importlib.util import find_spec

from monai.networks.nets.densenet import DenseNet
from monai.networks.nets.efficientnet import EfficientNet
from monai.networks.nets.resnet import ResNet
from monai.networks.nets.swin_unetr import SwinTransformer
from torch import Tensor, nn

from ..errors import DataError
from ..extras.install import install_line
from .names import NAMES, OWN

_STRIDE = (2, 2, 2)
Trunk = tuple[nn.Module, int]  # and its number of output channels


def _resnet(stem: int, middle: int, deep: int) -> Trunk:
    """Return first convolution and two stages of two residual blocks."""
    whole = ResNet(
        "basic",
        [2, 2, 1, 1],
        [middle, deep, deep, deep],
        n_input_channels=stem,
        conv1_t_size=3,
        no_max_pool=True,
        feed_forward=False,
    )
    return nn.Sequential(whole.conv1, whole.bn1, whole.act, whole.layer1, whole.layer2), deep


def _densenet(stem: int, middle: int, deep: int) -> Trunk:
    """Return first convolution, with stride 2, and one dense block of four layers, without max pooling."""
    growth = max(deep // 4, 1)
    whole = DenseNet(3, stem, 1, init_features=middle, growth_rate=growth, block_config=(4,))
    whole.features.pool0 = nn.Identity()
    return nn.Sequential(whole.features, nn.ReLU()), middle + 4 * growth


def _efficientnet(stem: int, middle: int, deep: int) -> Trunk:
    """Return first convolution, with stride 2, and three inverted residual blocks with squeeze and excitation."""
    middle, deep = (max(8 * round(width / 8), 8) for width in (middle, deep))  # it takes multiples of 8
    blocks = [f"r1_k3_s11_e1_i32_o{middle}_se0.25", f"r2_k3_s11_e4_i{middle}_o{deep}_se0.25"]
    whole = EfficientNet(blocks, 3, stem, 1, drop_connect_rate=0, depth_divisor=8)
    first = nn.Sequential(whole._conv_stem_padding, whole._conv_stem, whole._bn0, whole._swish)
    return nn.Sequential(first, whole._blocks), deep


class _Swin(nn.Module):
    """The first two stages of Swin UNETR's encoder, in patches of 2 x 2 x 2 and windows of 4 x 4 x 4.

    Raises:
        DataError: if the package is missing that MONAI needs for it.
    """

    def __init__(self, stem: int, embedding: int) -> None:
        super().__init__()
        if find_spec("einops") is None:
            raise DataError(f"the network 'swin' needs the package einops; install it with: {install_line('swin')}")
        whole = SwinTransformer(
            stem,
            embedding,
            window_size=(4, 4, 4),
            patch_size=_STRIDE,
            depths=(2, 2),
            num_heads=(max(embedding // 8, 1), max(embedding // 4, 1)),
        )
        whole.layers2[0].downsample = nn.Identity()
        self.patches, self.first, self.second = whole.patch_embed, whole.layers1[0], whole.layers2[0]
        self.normalise = whole.proj_out

    def forward(self, features: Tensor) -> Tensor:
        return self.normalise(self.second(self.first(self.patches(features)).contiguous()), True)


def _swin(stem: int, _middle: int, deep: int) -> Trunk:
    embedding = max(8 * round(deep / 16), 8)  # heads of 8 channels
    return _Swin(stem, embedding), 2 * embedding


BUILDERS: dict[str, Callable[[int, int, int], Trunk]] = {
    "resnet": _resnet,
    "densenet": _densenet,
    "efficientnet": _efficientnet,
    "swin": _swin,
}
assert (OWN, *BUILDERS) == NAMES
