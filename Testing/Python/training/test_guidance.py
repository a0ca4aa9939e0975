"""Guidance losses: the configuration, the panel and the documentation list them; each must train a network."""

import pytest
import torch
from PCRPredictorLib.network import Output, PCRNet
from PCRTrainingLib.guidance import GUIDANCE
from PCRTrainingLib.settings import describe_setting
from PCRTrainingLib.training.explanation import explain
from support.documentation import ROOT

MASK = torch.zeros(2, 1, 4, 16, 16)
MASK[:, :, 1:3, 4:10, 4:10] = 1
OF_THE_GATE = [name for name, guidance in GUIDANCE.items() if guidance.needs_gate]


def loss_of(name, attention, mask=MASK):
    """The loss of attention that is this map."""
    log_attention = (attention / attention.sum((1, 2, 3, 4), keepdim=True)).clamp_min(1e-9).log()
    output = Output(torch.zeros(2), torch.zeros(2), log_attention, torch.zeros(2, 4, 2, 4, 4))
    return GUIDANCE[name].loss(explain(output, torch.zeros(2, 3, 4, 16, 16), mask))


def test_mask_cross_entropy_is_lower_inside_the_tumour_than_everywhere():
    assert loss_of("mask cross-entropy", MASK) < loss_of("mask cross-entropy", torch.ones_like(MASK))


def test_mask_cross_entropy_of_an_empty_mask_is_zero():
    assert loss_of("mask cross-entropy", torch.ones_like(MASK), torch.zeros_like(MASK)) == 0


@pytest.mark.parametrize("name", OF_THE_GATE)
def test_losses_of_the_gate_prefer_the_tumour_to_the_background(name):
    assert loss_of(name, MASK + 1e-6) < loss_of(name, MASK.roll(6, -1) + 1e-6)


@pytest.mark.parametrize("name", GUIDANCE)
def test_every_guidance_trains_a_network(name):
    torch.manual_seed(0)
    network, image = PCRNet(widths=(4, 6, 8), attention=True), torch.randn(2, 3, 8, 32, 32)
    torch.nn.init.normal_(network.attention[-1].weight)
    mask = torch.zeros(2, 1, 8, 32, 32)
    mask[:, :, 2:6, 8:20, 8:20] = 1
    image.requires_grad_(GUIDANCE[name].needs_image_gradient)
    loss = GUIDANCE[name].loss(explain(network(image), image, mask))
    loss.backward()
    gradient = network.stem.conv.weight.grad
    assert torch.isfinite(loss)
    assert torch.isfinite(gradient).all()
    assert gradient.abs().sum() > 0


def test_every_guidance_is_offered_and_documented():
    assert describe_setting("*.guidance")["choices"] == ["", *GUIDANCE]
    text = (ROOT / "Resources" / "Docs" / "training.md").read_text(encoding="utf-8")
    assert [name for name in GUIDANCE if f"| `{name}` |" not in text] == []
