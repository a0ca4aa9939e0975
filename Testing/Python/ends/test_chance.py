"""No bundle is made of a model whose attention is at chance."""

import pytest
from PCRTrainingLib.chance import find_chance, refusal


def model(share, random=0.05, plain=0.26, kind="attention"):
    found = {"map": kind, "in_tumour": {"value": share}, "randomised_in_tumour": random}
    return {"attention": {**found, "enhancement": {"in_tumour": {"value": plain}}}}


@pytest.mark.parametrize(
    ("share", "reason"),
    [
        (0.05, "its attention is at chance: 0.05 of it is inside the tumour out of fold, 0.05 with random weights"),
        (0.17, "no better than plain early enhancement: 0.17 of it is inside the tumour out of fold, 0.26 of the enh"),
        (0.26, "is no better than plain early enhancement"),
        (None, "could not be measured"),
    ],
)
def test_attention_no_better_than_a_map_without_a_model_is_refused_with_the_bar_that_it_misses(share, reason):
    said = refusal(model(share), "run: no bundle is made of this run")
    assert "no bundle is made of this run: its attention" in said and reason in said
    assert "--keep-anyway" in said


@pytest.mark.parametrize("found", [model(0.5), model(0.05, kind="Grad-CAM"), {"attention": None}, {}])
def test_other_models_are_not_refused(found):
    assert refusal(found, "run") == ""


def test_twice_the_share_of_random_weights_is_the_bar_without_an_enhancement_map():
    assert find_chance(model(0.09, plain=None))
    assert not find_chance(model(0.11, plain=None))
