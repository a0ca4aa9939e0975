from itertools import combinations

import pytest
import torch
from PCRTrainingLib.training.augmentation import drop_variables, random_contrast, random_flips, swap_background
from support.card_and_schema import SCHEMA

PATIENTS = 6
MASKS = torch.zeros(PATIENTS, 1, 4, 24, 24)
for k in range(PATIENTS):  # each has its own place and size
    MASKS[k, :, 1 : 2 + k % 3, 2 + 3 * k : 5 + 3 * k, 20 - 3 * k : 22 - 2 * k] = 1
# Hundreds: the patient of the voxel; tens: tumour or not; units: the channel.
IMAGES = 100.0 * torch.arange(1, PATIENTS + 1).view(-1, 1, 1, 1, 1) + 10 * MASKS + torch.arange(3).view(1, 3, 1, 1, 1)


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


def test_swap_keeps_the_tumour_with_its_margin_and_replaces_the_background(generator):
    swapped = swap_background(IMAGES, MASKS, generator)
    near = torch.nn.functional.max_pool3d(MASKS, 3, 1, 1).expand_as(IMAGES) > 0
    assert torch.equal(swapped[near], IMAGES[near])
    changed = [k for k in range(PATIENTS) if not torch.equal(swapped[k], IMAGES[k])]
    assert len(changed) >= PATIENTS - 2
    for k in changed:
        others = set((swapped[k] // 100).unique().tolist()) - {k + 1}
        assert len(others) == 1


def test_swap_never_pastes_the_tumour_of_a_different_patient(generator):
    for _ in range(5):
        swapped = swap_background(IMAGES, MASKS, generator)
        of_another = swapped // 100 != IMAGES // 100
        tumour = swapped % 100 >= 10
        assert of_another.any()
        assert not (of_another & tumour).any()


def test_flips_move_image_and_mask_together_and_reach_every_axis(generator):
    seen, flips = set(), [axes for count in range(4) for axes in combinations((2, 3, 4), count)]
    for _ in range(30):
        image, mask = random_flips(IMAGES, MASKS, generator)
        assert torch.equal(image % 100 >= 10, mask.expand_as(image) > 0)
        seen |= {axes for axes in flips if torch.equal(image, IMAGES.flip(axes))}
    assert seen == set(flips)


def test_contrast_scales_channels_and_keeps_zeros(generator):
    image = torch.ones(2, 3, 1, 2, 2)
    image[..., 0] = 0
    scaled = random_contrast(image, generator)
    assert scaled[..., 0].abs().max() == 0
    assert len(scaled[..., 1].unique()) == 6


def test_variables_are_dropped_whole(generator):
    dropped = drop_variables(torch.ones(200, SCHEMA.width), SCHEMA, 0.5, generator)
    age = dropped[:, :2]
    assert ((age == 0).all(1) | (age == 1).all(1)).all()
    assert 0.3 < (age == 0).float().mean() < 0.7
