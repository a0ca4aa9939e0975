import pytest
import torch
from conftest import SCHEMA
from PCRTrainingLib.augmentation import random_contrast, random_flips, swap_background
from PCRTrainingLib.curriculum import Step, drop_variables, stepwise, train_curriculum
from PCRTrainingLib.grids import Grids
from PCRTrainingLib.losses import classification_loss, mask_cross_entropy


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


def make_grids(count=12):
    """Patients whose tumour is brighter where the label is 1."""
    generator = torch.Generator().manual_seed(1)
    labels = torch.arange(count) % 2.0
    masks = torch.zeros(count, 1, 8, 64, 64)
    masks[:, :, 2:6, 16:40, 20:44] = 1
    images = 0.1 * torch.randn(count, 3, 8, 64, 64, generator=generator) + masks * (
        1 + labels[:, None, None, None, None]
    )
    return Grids(images, masks, torch.zeros(count, SCHEMA.width), labels, labels, tuple({} for _ in range(count)))


def test_guidance_is_least_when_the_attention_is_the_mask():
    mask = make_grids(2).masks
    exact = torch.log((mask / mask.sum((1, 2, 3, 4), keepdim=True)).clamp_min(1e-9))
    uniform = torch.full_like(mask, -torch.tensor(8.0 * 64 * 64).log())
    assert mask_cross_entropy(exact, mask) < mask_cross_entropy(uniform, mask)


def test_guidance_of_an_empty_mask_is_zero_and_finite():
    attention = torch.zeros(1, 1, 4, 8, 8)
    assert mask_cross_entropy(attention, torch.zeros(1, 1, 4, 16, 16)) == 0


def test_positive_weight_makes_up_for_imbalance():
    logit, label = torch.zeros(4), torch.tensor([1.0, 0, 0, 0])
    weighted = classification_loss(logit, label, torch.tensor(3.0))
    assert weighted > classification_loss(logit, label, torch.tensor(1.0))


def test_swap_keeps_the_tumour_and_changes_the_background(generator):
    grids = make_grids()
    swapped = swap_background(grids.images, grids.masks, generator)
    inside = grids.masks.expand_as(grids.images) > 0
    assert torch.equal(swapped[inside], grids.images[inside])
    assert not torch.equal(swapped[~inside], grids.images[~inside])


def test_flips_move_image_and_mask_together(generator):
    grids = make_grids()
    for _ in range(5):
        image, mask = random_flips(grids.masks, grids.masks, generator)
        assert torch.equal(image, mask)


def test_contrast_scales_channels_and_keeps_zeros(generator):
    image = torch.ones(2, 3, 1, 2, 2)
    image[..., 0] = 0
    scaled = random_contrast(image, generator)
    assert scaled[..., 0].abs().max() == 0
    assert len(scaled[..., 1].unique()) == 6


def test_dropping_takes_whole_variables(generator):
    clinical = torch.ones(200, SCHEMA.width)
    dropped = drop_variables(clinical, SCHEMA, 0.5, generator)
    age = dropped[:, :2]
    assert ((age == 0).all(1) | (age == 1).all(1)).all()
    assert 0.3 < (age == 0).float().mean() < 0.7


def test_curriculum_ends_with_the_full_network_and_is_repeatable():
    steps = stepwise(1)
    first, second = (train_curriculum(steps, make_grids(), SCHEMA, seed=3) for _ in range(2))
    assert first.attention is not None
    assert first.clinical is not None
    for name, weight in first.state_dict().items():
        torch.testing.assert_close(weight, second.state_dict()[name], atol=1e-4, rtol=1e-4)


@pytest.mark.slow
def test_training_learns_what_there_is_to_learn():
    grids = make_grids(32)
    network = train_curriculum((Step(15), Step(15, attention=True, guidance=0.3)), grids, SCHEMA, seed=0)
    with torch.inference_mode():
        output = network(grids.images)
    assert ((output.logit > 0) == (grids.labels > 0)).float().mean() > 0.9
    inside = (output.log_attention.exp() * torch.nn.functional.adaptive_avg_pool3d(grids.masks, (8, 32, 32))).sum(
        (1, 2, 3, 4)
    )
    assert inside.mean() > 4 * grids.masks.mean()  # at least four times what a uniform map has
