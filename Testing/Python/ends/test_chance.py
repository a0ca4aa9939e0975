"""No bundle is made of a model whose attention is at chance."""

import pytest
from PCRTrainingLib.chance import find_chance, refusal


def model(share, random=0.05, plain=0.26, kind="attention"):
    found = {"map": kind, "in_tumour": {"value": share}, "randomised_in_tumour": random}
    return {"attention": {**found, "enhancement": {"in_tumour": {"value": plain}}}}


@pytest.mark.parametrize("share", [0.05, 0.17, 0.26, None])
def test_attention_no_better_than_a_map_without_a_model_is_at_chance(share):
    said = refusal(model(share), "run: no bundle is made of this run")
    assert "no bundle is made of this run: its attention is at chance" in said
    assert "--keep-anyway" in said


@pytest.mark.parametrize("found", [model(0.5), model(0.05, kind="Grad-CAM"), {"attention": None}, {}])
def test_other_models_are_not_refused(found):
    assert refusal(found, "run") == ""


def test_twice_the_share_of_random_weights_is_the_bar_without_an_enhancement_map():
    assert find_chance(model(0.09, plain=None))
    assert not find_chance(model(0.11, plain=None))
