from dataclasses import replace
from itertools import combinations

import pytest
import torch
from PCRTrainingLib.config import PRESETS
from PCRTrainingLib.training.augmentation import (
    drop_variables,
    random_contrast,
    random_flips,
    random_gamma,
    random_noise,
    random_orientation,
    random_resolution,
    random_timing,
    swap_background,
    vary_acquisition,
)
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


PRE, EARLY, LATE = torch.rand(3, 4, 4, 16, 16, generator=torch.Generator().manual_seed(1)).cumsum(0)
EXAM = torch.stack([PRE, 2 * (EARLY - PRE), 2 * (LATE - EARLY)], 1)  # the signal rises in every voxel
MASK = torch.zeros(4, 1, 4, 16, 16)


@pytest.mark.parametrize("name", ["timing", "gamma", "noise", "resolution", "orientation"])
def test_each_augmentation_changes_the_image_and_is_off_at_0(generator, name):
    off = replace(PRESETS["full"], **{name: 0.0})
    before = generator.get_state()
    assert vary_acquisition(EXAM, MASK, off, generator)[0] is EXAM
    assert torch.equal(generator.get_state(), before)  # nothing is drawn: a run is as it was
    on = replace(PRESETS["full"], **{name: 0.75})
    images = [vary_acquisition(EXAM, MASK, on, generator)[0] for _ in range(4)]
    assert all(image.shape == EXAM.shape and torch.isfinite(image).all() for image in images)
    assert any(not torch.equal(image, EXAM) for image in images)


def test_timing_keeps_early_between_the_phases_and_the_exam_scaled(generator):
    changed = random_timing(EXAM, generator, 0.5)
    assert ((changed[:, 1] >= 0) & (changed[:, 2] >= 0)).all()
    early = (changed[:, 0] + changed[:, 1] / 2).flatten(1)
    torch.testing.assert_close(early.quantile(0.99, 1), torch.ones(4))
    ratio = changed[:, 1] / changed[:, 0] / (EXAM[:, 1] / EXAM[:, 0])  # wash-in rises or falls, patient by patient
    assert ((ratio > 1).all((1, 2, 3)) | (ratio < 1).all((1, 2, 3))).all()


def test_gamma_keeps_the_order_of_the_phases(generator):
    changed = random_gamma(EXAM, generator, 0.3)
    assert (changed[:, 1:] >= -1e-6).all()
    assert not torch.allclose(changed[:, 0], EXAM[:, 0])


def test_noise_is_of_the_phases(generator):
    noise = random_noise(EXAM, generator, 0.2) - EXAM
    pre, rise = noise[:, 0].flatten(), noise[:, 1].flatten()
    assert torch.corrcoef(torch.stack([pre, rise]))[0, 1] < -0.5  # noise before contrast is in the wash-in, too


def test_coarser_pixels_lose_detail_and_keep_the_mean(generator):
    changed = random_resolution(EXAM, generator, 0.75)
    assert changed.std() < EXAM.std()
    torch.testing.assert_close(changed.mean((2, 3, 4)), EXAM.mean((2, 3, 4)), atol=0.05, rtol=0.05)


def test_orientation_exchanges_rows_and_columns_of_image_and_mask_alike(generator):
    mask = MASK.clone()
    mask[:, :, 1, 2:5, 7] = 1
    image, turned = random_orientation(mask.expand(-1, 3, -1, -1, -1), mask, generator, 1.0)
    assert torch.equal(image[:, :1], turned)
    assert turned[:, :, 1, 7, 2:5].all()
