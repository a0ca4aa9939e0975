"""What is erased is gone, what is pasted stays, and a patch is as large as the tumour."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PCRPredictorLib.effects.interventions import (
    equal_patches,
    erase,
    fill_values,
    intervene,
    mirrored_backgrounds,
    paste_tumour,
    surroundings,
    tissue,
    tumour_region,
)
from PCRPredictorLib.evidence import Interventions
from PCRPredictorLib.model.predictor import Predictor
from support.examples import tiny_exam, tiny_prediction, two_lesions

SHAPE = (8, 64, 64)


@pytest.fixture
def window():
    """A window of noise with air on one side, and a ball of a tumour that enhances: image and region."""
    generator = torch.Generator().manual_seed(0)
    image = torch.stack([level + 0.02 * torch.randn(SHAPE, generator=generator) for level in (0.4, 0.1, 0.0)])[None]
    image[..., :8] = 0.001
    k, j, i = torch.meshgrid(*(torch.arange(n) for n in SHAPE), indexing="ij")
    ball = ((k - 4) * 3) ** 2 + (j - 30) ** 2 + (i - 40) ** 2 < 10**2
    image[0, 1] += 0.8 * ball
    image[0, 2] -= 0.3 * ball
    return image, tumour_region(ball[None, None].float())


def test_an_erased_tumour_enhances_as_the_tissue_around_it_and_has_its_noise(window):
    image, tumour = window
    left = erase(image, tumour, tumour)[0, 1][tumour[0, 0]]
    assert left.mean() == pytest.approx(0.1, abs=0.01)
    assert left.max() < 0.2 < image[0, 1][tumour[0, 0]].median()
    assert left.std() == pytest.approx(0.02, rel=0.3)


def test_nothing_else_changes_when_the_tumour_is_erased(window):
    image, tumour = window
    outside = ~tumour.expand_as(image)
    assert torch.equal(erase(image, tumour, tumour)[outside], image[outside])


def test_the_fill_comes_from_tissue_near_by_and_never_from_tumour_or_air(window):
    image, tumour = window
    around = surroundings(image, tumour, tumour)
    assert around.any()
    assert not (around & tumour).any()
    assert not (around & ~tissue(image)).any()
    bright = image.clone()
    bright[0, 1, :, :10] = 5.0  # a vessel far away
    assert torch.equal(
        erase(bright, tumour, tumour)[0, 1][tumour[0, 0]], erase(image, tumour, tumour)[0, 1][tumour[0, 0]]
    )


def test_a_tumour_that_fills_the_window_stays_as_it_is(window):
    image, _ = window
    everything = torch.ones(1, 1, *SHAPE, dtype=torch.bool)
    assert torch.equal(erase(image, everything, everything), image)
    assert torch.equal(fill_values(image, ~everything), image)
    assert len(equal_patches(image, everything, 3)) == 0


def test_patches_are_as_large_as_the_tumour_in_each_slice_and_lie_in_tissue_beside_it(window):
    image, tumour = window
    patches = equal_patches(image, tumour, 5)
    assert len(patches) == 5
    assert (patches.sum((3, 4)) == tumour.sum((3, 4))).all()
    assert not (patches & (tumour | ~tissue(image))).any()
    assert len({tuple(patch.flatten().nonzero()[0].tolist()) for patch in patches}) > 1


def test_a_patch_with_room_has_the_shape_of_the_tumour(window):
    image, _ = window
    small = torch.zeros(1, 1, *SHAPE, dtype=torch.bool)
    small[0, 0, 3:5, 30:34, 20:23] = True
    small[0, 0, 3, 33, 22] = False
    shapes = [patch[0].nonzero() - patch[0].nonzero().min(0).values for patch in equal_patches(image, small, 6)]
    at = small[0, 0].nonzero()
    assert any(torch.equal(shape[:, 1:], (at - at.min(0).values)[:, 1:]) for shape in shapes)


def test_a_pasted_tumour_is_whole_and_the_background_is_the_others(window):
    image, tumour = window
    other, none = image.roll(20, 3) + 1, torch.zeros_like(tumour)
    found = paste_tumour(image, tumour, other, none)
    inside = tumour.expand_as(image)
    assert torch.equal(found[inside], image[inside])
    assert torch.equal(found[~inside], other[~inside])
    assert mirrored_backgrounds(image, tumour).shape == (3, 3, *SHAPE)


@pytest.fixture(scope="module")
def predictor(bundle):
    return Predictor(bundle)


def test_interventions_belong_to_the_shown_probability(predictor):
    exam = tiny_exam()
    exam = replace(exam, clinical={"age": 52})
    prediction = intervene(predictor, exam, predictor.predict(exam))
    found = prediction.interventions.in_points(prediction)
    assert found.erased != 0
    assert found.patch.lowest <= found.patch.mean <= found.patch.highest
    assert len(prediction.interventions.backgrounds) >= 3
    again = intervene(predictor, exam, predictor.predict(exam)).interventions
    assert again == prediction.interventions


def test_change_of_the_log_odds_is_read_at_the_shown_probability():
    prediction = replace(tiny_prediction(tiny_exam()), probability=0.5, fold_probabilities=(0.5, 0.5))
    done = Interventions((1.0, 1.0), (), ((0.0, 0.0),), "own")
    assert done.in_points(prediction).erased == pytest.approx(100 * (1 / (1 + np.exp(-1)) - 0.5))
    assert done.in_points(prediction).patch is None
    assert done.in_points(prediction).background.mean == 0
    likely = replace(prediction, probability=0.9, fold_probabilities=(0.9, 0.9))
    assert done.in_points(likely).erased < done.in_points(prediction).erased
    for averaging in ("logit", "probability"):  # the same if the folds agree
        assert replace(done, averaging=averaging).in_points(likely).erased == pytest.approx(
            done.in_points(likely).erased
        )


def test_each_lesion_has_its_own_interventions(predictor):
    exam = two_lesions()
    prediction = intervene(predictor, exam, predictor.predict(exam))
    one, two = (lesion.prediction.interventions for lesion in prediction.lesions)
    assert prediction.interventions == one != two
