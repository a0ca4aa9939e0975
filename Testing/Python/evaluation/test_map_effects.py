"""What a map does is measured: a network that sees only the tumour reacts to the tumour alone."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PCRPredictorLib.network import Output, PCRNet
from PCRTrainingLib.evaluation.map_effects import describe_effects, randomise_layers, rank_correlation
from PCRTrainingLib.evaluation.map_report import effect_sections

SHAPE = (8, 32, 32)


class Patients:
    """Windows of noise whose tumours enhance, each differently: as a `GridCache` gives them."""

    def __init__(self, count=6):
        generator = torch.Generator().manual_seed(0)
        self.labels = np.arange(count) % 2
        self.image = 0.02 * torch.randn(count, 3, *SHAPE, generator=generator) + torch.tensor([0.4, 0.1, 0.0]).view(
            1, 3, 1, 1, 1
        )
        self.mask = torch.zeros(count, 1, *SHAPE)
        self.mask[:, :, 2:6, 12:18, 12:18] = 1
        self.image[:, 1:2] += self.mask * torch.linspace(0.5, 1.5, count).view(-1, 1, 1, 1, 1)

    def image_and_mask(self, index):
        return self.image[torch.as_tensor(index)], self.mask[torch.as_tensor(index)]


class Bright(torch.nn.Module):
    """Its logit is the enhancement above 0.3, its attention the tumour's place."""

    attention = True

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))

    def forward(self, image):
        rise = (image[:, 1:2] - 0.3).clamp_min(0) * self.weight
        logit = rise.sum((1, 2, 3, 4))
        found = torch.nn.functional.adaptive_avg_pool3d(rise, (8, 16, 16)) + 1e-6
        return Output(logit, logit, (found / found.sum((1, 2, 3, 4), keepdim=True)).log(), rise)


@pytest.fixture(scope="module")
def effects():
    calls = []
    patients = Patients()
    found = describe_effects([([Bright()], np.arange(6))], patients, lambda: calls.append(1))
    assert len(calls) == 1
    return found


def test_erasing_the_tumour_counts_and_nothing_else_does(effects):
    assert effects["erased_absolute"]["value"] > 1
    assert effects["erased"]["value"] < -1
    assert effects["patch_absolute"]["value"] < 0.05
    assert effects["swap_absolute"]["value"] < 0.05
    assert effects["swap_correlation"]["value"] > 0.99
    assert effects["patch_patients"] == 6


def test_voxels_go_in_the_order_of_the_map(effects):
    own, random = effects["curves"]["attention"], effects["curves"]["random order"]
    assert own["deletion"][0] == 0
    assert own["deletion_area"]["value"] > 2 * random["deletion_area"]["value"]
    assert own["insertion_area"]["value"] < random["insertion_area"]["value"]
    assert own["insertion"][0] == pytest.approx(own["deletion"][-1], rel=0.05)
    assert effects["curves"]["early enhancement"].keys() == own.keys()


def test_they_are_shown_with_a_plot(effects):
    (section,) = effect_sections([{"name": "ours", "effects": effects}, {"name": "other"}])
    assert [table.title for table in section.tables] == ["Interventions", "Deletion and insertion", "Random weights"]
    assert [row[1] for row in section.tables[1].rows] == ["attention", "early enhancement", "random order"]
    assert "<svg" in section.figures[0].svg
    assert effect_sections([{"name": "other"}]) == []


def test_attention_does_not_know_the_head_and_loses_its_own_layers():
    torch.manual_seed(0)
    network = PCRNet(widths=(4, 6, 8), attention=True).eval()
    torch.nn.init.normal_(network.attention[-1].weight)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    found = list(randomise_layers(network, SimpleNamespace(image_and_mask=Patients().image_and_mask), np.arange(6)))
    layers = {each["layer"]: each["rank_correlation"] for each in found}
    assert list(layers)[:2] == ["none", "head"]
    assert list(layers)[-1] == "stem"
    assert layers["trunk.0"] == pytest.approx(1)
    assert abs(layers["stem"]) < 0.9
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_rank_correlation_of_a_constant_map_is_unknown():
    one = torch.arange(8.0).view(1, 1, 2, 2, 2)
    assert rank_correlation(one, one**3) == pytest.approx(1)
    assert np.isnan(rank_correlation(one, torch.zeros_like(one)))
