import numpy as np
import pytest
import torch
from PCRTrainingLib.statistics.maps import at_common_resolution, enhancement_map, score_map


@pytest.fixture
def mask():
    found = torch.zeros(1, 1, 8, 64, 64)
    found[..., 2:6, 16:32, 16:32] = 1
    return found


def grid(mask):
    return torch.nn.functional.adaptive_avg_pool3d(mask, (8, 32, 32))


def test_the_mask_itself_is_a_perfect_map(mask):
    found = score_map(grid(mask), mask)
    assert (found.in_tumour, found.dice, found.peak_in_tumour) == (1, 1, 1)


def test_dice_counts_the_order_and_mass_the_sharpness(mask):
    blunt = score_map(1 + 0.01 * grid(mask), mask)
    assert blunt.dice == 1
    assert blunt.in_tumour < 0.1
    elsewhere = score_map(1 - grid(mask), mask)
    assert (elsewhere.dice, elsewhere.in_tumour, elsewhere.peak_in_tumour) == (0, 0, 0)


def test_a_map_without_anything_finds_nothing(mask):
    found = score_map(torch.zeros(1, 1, 8, 32, 32), mask)
    assert (found.in_tumour, found.dice, found.peak_in_tumour) == (0, 0, 0)


def test_a_tumour_smaller_than_a_voxel_is_one_voxel():
    tiny = torch.zeros(1, 1, 8, 64, 64)
    tiny[0, 0, 3, 20, 20] = 1
    assert score_map(at_common_resolution(grid(tiny), (8, 64, 64)), tiny).dice == 1


def test_enhancement_is_a_distribution_without_what_darkens(mask):
    image = torch.cat([torch.ones_like(mask), 2 * mask - 0.5, mask], 1)
    found = enhancement_map(image)
    assert found.shape == (1, 1, 8, 32, 32)
    assert float(found.sum()) == pytest.approx(1)
    assert score_map(found, mask).in_tumour == pytest.approx(1)
    assert enhancement_map(-image.abs()).sum() == 0


def test_both_maps_are_compared_at_one_resolution(mask):
    noise = torch.rand(1, 1, 8, 32, 32, generator=torch.Generator().manual_seed(0))
    coarse = at_common_resolution(noise, (8, 64, 64))
    assert coarse.shape == (1, 1, 4, 16, 16)
    assert float(coarse.mean()) == pytest.approx(float(noise.mean()), rel=1e-5)
    assert np.array_equal(at_common_resolution(coarse, (8, 64, 64)), coarse)
