import pytest
import torch
from PCRPredictorLib.network import Output, PCRNet
from PCRTrainingLib.training.losses import GUIDANCE, classification_loss, grad_cam, mask_cross_entropy

MASK = torch.zeros(2, 1, 4, 16, 16)
MASK[:, :, 1:3, 4:10, 4:10] = 1


def output_of(log_attention):
    return Output(torch.zeros(2), torch.zeros(2), log_attention, torch.zeros(2, 4, 2, 4, 4))


def as_attention(map_):
    return (map_ / map_.sum((1, 2, 3, 4), keepdim=True)).clamp_min(1e-9).log()


def test_guidance_is_least_when_the_attention_is_the_mask():
    uniform = as_attention(torch.ones_like(MASK))
    assert mask_cross_entropy(as_attention(MASK), MASK) < mask_cross_entropy(uniform, MASK)


def test_guidance_of_an_empty_mask_is_zero_and_finite():
    assert mask_cross_entropy(torch.zeros(1, 1, 4, 8, 8), torch.zeros(1, 1, 4, 16, 16)) == 0


def test_positive_weight_makes_up_for_imbalance():
    logit, label = torch.zeros(4), torch.tensor([1.0, 0, 0, 0])
    weighted = classification_loss(logit, label, torch.tensor(3.0))
    assert weighted > classification_loss(logit, label, torch.tensor(1.0))


@pytest.mark.parametrize("name", ["mask cross-entropy", "gradia", "haics", "dice"])
def test_losses_on_the_gate_prefer_the_tumour_to_the_background(name):
    on_tumour, beside = as_attention(MASK + 1e-6), as_attention(MASK.roll(6, -1) + 1e-6)
    loss = GUIDANCE[name].loss
    assert loss(output_of(on_tumour), None, MASK) < loss(output_of(beside), None, MASK)


@pytest.mark.parametrize("name", sorted(GUIDANCE))
def test_every_guidance_trains_a_network(name):
    torch.manual_seed(0)
    network, image = PCRNet(widths=(4, 6, 8), attention=True), torch.randn(2, 3, 8, 32, 32)
    torch.nn.init.normal_(network.attention[-1].weight)
    mask = torch.zeros(2, 1, 8, 32, 32)
    mask[:, :, 2:6, 8:20, 8:20] = 1
    image.requires_grad_(GUIDANCE[name].image_gradient)
    loss = GUIDANCE[name].loss(network(image), image, mask)
    loss.backward()
    gradient = network.stem.conv.weight.grad
    assert torch.isfinite(loss)
    assert torch.isfinite(gradient).all()
    assert gradient.abs().sum() > 0


def test_grad_cam_finds_the_only_place_that_matters():
    features = torch.zeros(1, 2, 2, 4, 4)
    features[0, 0, 1, 2, 3] = 5
    features.requires_grad_()
    logit = features[:, 0].mean((1, 2, 3)) + 0.1
    cam = grad_cam(Output(logit, logit, None, features))
    assert cam.flatten().argmax() == torch.tensor([1 * 16 + 2 * 4 + 3])
    assert (cam >= 0).all()
