import subprocess
import sys

import pytest
import torch
from monai.networks.blocks import Convolution as MonaiConvolution
from PCRPredictorLib.backbones.names import NAMES
from PCRPredictorLib.backbones.trunks import Convolution
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.network import PCRNet, _weighted_mean


@pytest.fixture
def image():
    return torch.randn(2, 3, 8, 64, 64, generator=torch.Generator().manual_seed(0))


def test_attention_is_a_distribution_at_stem_resolution(image):
    attention = PCRNet(attention=True)(image).log_attention.exp()
    assert attention.shape == (2, 1, 8, 32, 32)
    torch.testing.assert_close(attention.sum((1, 2, 3, 4)), torch.ones(2))


def test_each_form_starts_with_the_logits_of_the_one_before(image):
    plain = PCRNet().eval()
    gated = PCRNet(attention=True).eval()
    gated.warm_start(plain.state_dict())
    fused = PCRNet(attention=True, clinical_inputs=5).eval()
    fused.warm_start(gated.state_dict())
    expected = plain(image).logit
    torch.testing.assert_close(gated(image).logit, expected, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(fused(image, torch.randn(2, 5)).logit, expected, atol=1e-3, rtol=1e-3)


def test_block_has_the_weights_and_the_values_of_monais():
    torch.manual_seed(0)
    theirs = MonaiConvolution(3, 2, 4, strides=(1, 2, 2), kernel_size=3, norm="BATCH", act="RELU", bias=False)
    torch.manual_seed(0)
    ours = Convolution(2, 4, (1, 2, 2))
    image = torch.randn(2, 2, 4, 8, 8)
    torch.testing.assert_close(dict(ours.state_dict()), dict(theirs.state_dict()), rtol=0, atol=0)
    torch.testing.assert_close(ours(image), theirs(image), rtol=0, atol=0)
    torch.testing.assert_close(ours.eval()(image), theirs.eval()(image), rtol=0, atol=0)


def test_network_of_our_own_is_built_without_monai():
    code = (
        "import sys; from PCRPredictorLib.network import PCRNet; PCRNet(attention=True); print('monai' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_warm_start_refuses_weights_of_a_later_form():
    with pytest.raises(ValueError, match="earlier form"):
        PCRNet().warm_start(PCRNet(attention=True).state_dict())


def test_trunk_does_not_see_features_behind_a_closed_gate(image):
    network = PCRNet(attention=True).eval()
    torch.nn.init.constant_(network.attention[-1].weight, 0)
    network.attention.forward = lambda f: torch.where(torch.arange(32) < 16, 0.0, -60.0).expand(len(f), 1, 8, 32, 32)
    changed = image.clone()
    changed[..., 36:] = 5.0  # beyond the stem's reach of the open half
    torch.testing.assert_close(network(image).logit, network(changed).logit)


def test_network_for_inference_gives_the_same(image):
    network = PCRNet(attention=True)
    network(image)  # batch norms learn from it
    expected = network.eval()(image)
    faster = network.for_inference()(image)
    torch.testing.assert_close(faster.logit, expected.logit)
    torch.testing.assert_close(faster.log_attention, expected.log_attention)
    assert not any(isinstance(module, torch.nn.BatchNorm3d) for module in network.modules())


def test_no_clinical_vector_counts_as_everything_missing(image):
    network = PCRNet(attention=True, clinical_inputs=5).eval()
    torch.nn.init.normal_(network.clinical[-1].weight)
    torch.testing.assert_close(network(image).logit, network(image, torch.zeros(2, 5)).logit)


def build(backbone, **options):
    if backbone == "swin":
        pytest.importorskip("einops")
    torch.manual_seed(0)
    network = PCRNet(widths=(4, 8, 16), backbone=backbone, **options)
    if network.attention is not None:
        torch.nn.init.normal_(network.attention[-1].weight)
    return network


@pytest.mark.parametrize("backbone", NAMES)
def test_every_network_starts_with_the_logits_of_the_form_before(image, backbone):
    plain, gated = build(backbone).eval(), PCRNet(widths=(4, 8, 16), attention=True, backbone=backbone).eval()
    gated.warm_start(plain.state_dict())
    torch.testing.assert_close(gated(image).logit, plain(image).logit, atol=2e-3, rtol=2e-3)
    assert PCRNet(**gated.arguments).state_dict().keys() == gated.state_dict().keys()


@pytest.mark.parametrize("backbone", NAMES)
def test_no_network_sees_what_is_behind_a_closed_gate(image, backbone):
    network = build(backbone, attention=True).eval()
    network.attention.forward = lambda f: torch.where(torch.arange(32) < 16, 0.0, -60.0).expand(len(f), 1, 8, 32, 32)
    changed = image.clone()
    changed[..., 36:] = 5.0  # beyond the stem's reach of the open half
    torch.testing.assert_close(network(image).logit, network(changed).logit)


@pytest.mark.parametrize("backbone", NAMES)
def test_the_logit_of_every_network_is_linear_in_its_features(image, backbone):
    network = build(backbone, attention=True).eval()
    output = network(image)
    gate = (output.log_attention - output.log_attention.amax((2, 3, 4), keepdim=True)).exp()
    torch.testing.assert_close(network.head(_weighted_mean(output.features, gate))[:, 0], output.image_logit)


@pytest.mark.parametrize("backbone", NAMES)
def test_every_network_for_inference_gives_the_same(image, backbone):
    network = build(backbone, attention=True)
    network(image)
    expected = network.eval()(image).logit
    torch.testing.assert_close(network.for_inference()(image).logit, expected, atol=1e-4, rtol=1e-4)


def test_network_that_is_not_on_the_list_is_refused():
    with pytest.raises(DataError, match=r"must be one of own, resnet, densenet, efficientnet, swin, got 'os.system'"):
        PCRNet(backbone="os.system")
