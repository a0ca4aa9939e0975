import pytest
import torch
from conftest import SCHEMA
from PCRTrainingLib.augmentation import drop_variables, random_contrast, random_flips, swap_background

MASKS = torch.zeros(6, 1, 4, 16, 16)
MASKS[:, :, 1:3, 4:10, 5:11] = 1
IMAGES = torch.randn(6, 3, 4, 16, 16, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


def test_swap_keeps_the_tumour_and_changes_the_background(generator):
    swapped = swap_background(IMAGES, MASKS, generator)
    inside = MASKS.expand_as(IMAGES) > 0
    assert torch.equal(swapped[inside], IMAGES[inside])
    assert not torch.equal(swapped[~inside], IMAGES[~inside])


def test_flips_move_image_and_mask_together(generator):
    for _ in range(5):
        image, mask = random_flips(MASKS, MASKS, generator)
        assert torch.equal(image, mask)


def test_contrast_scales_channels_and_keeps_zeros(generator):
    image = torch.ones(2, 3, 1, 2, 2)
    image[..., 0] = 0
    scaled = random_contrast(image, generator)
    assert scaled[..., 0].abs().max() == 0
    assert len(scaled[..., 1].unique()) == 6


def test_dropping_takes_whole_variables(generator):
    dropped = drop_variables(torch.ones(200, SCHEMA.width), SCHEMA, 0.5, generator)
    age = dropped[:, :2]
    assert ((age == 0).all(1) | (age == 1).all(1)).all()
    assert 0.3 < (age == 0).float().mean() < 0.7
