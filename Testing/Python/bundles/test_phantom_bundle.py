"""The bundle `phantom` as it ships."""

from dataclasses import replace

from PCRPredictorLib.bundles.folder import README, find_bundle
from PCRPredictorLib.model.bundle import load_bundle
from PCRTrainingLib.runs.phantom_bundle import model_card


def test_the_card_that_ships_is_that_of_its_recipe_and_its_base_rate_is_the_cards():
    bundle = load_bundle(find_bundle("phantom"))
    assert replace(bundle.card, timing="", failures=()) == model_card(bundle.card.metrics)
    assert f"simulated patients, {bundle.identity.base_rate * 600:.0f} with pCR" in bundle.card.training_data
    readme = (bundle.path / README).read_text(encoding="utf-8")
    assert f"# phantom {bundle.card.version}" in readme and bundle.card.training_data in readme
