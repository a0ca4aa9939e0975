"""Which formula is used, and their JSON form."""

import json
from dataclasses import replace

import pytest
from PCRPredictorLib.response.settings import settings_from_json, settings_to_json
from support.follow_up.response_model import SCHEMA, tiny_settings

SETTINGS = tiny_settings()


@pytest.mark.parametrize(
    ("seen", "used"),
    [
        ((), ()),
        (("T0", "T2"), ("T0", "T2")),
        (("T1",), ("T1",)),
        (("T2",), ("T0", "T2")),
        (("T1", "T3"), ("T0", "T1", "T3")),
    ],
)
def test_the_formula_of_the_visits_is_used_or_that_of_the_fewest_earlier_ones_more(seen, used):
    assert SETTINGS.formula(seen).visits == used


def test_without_a_wider_formula_the_most_and_latest_visits_decide():
    kept = tuple(each for each in SETTINGS.formulas if each.visits in {(), ("T0",), ("T1",), ("T0", "T1", "T2")})
    settings = replace(SETTINGS, formulas=kept)
    assert settings.formula(("T0", "T3")).visits == ("T0", "T1", "T2")[:1]
    assert replace(SETTINGS, formulas=kept[:1]).formula(("T0", "T3")).visits == kept[0].visits == ()


def test_settings_read_back_from_json():
    assert settings_from_json(json.loads(json.dumps(settings_to_json(SETTINGS))), SCHEMA) == SETTINGS


def test_a_level_that_may_be_zero_needs_a_floor_of_its_logarithm():
    content = settings_to_json(SETTINGS)
    content["scales"][0]["floor"] = 0.0
    with pytest.raises(ValueError, match="functional_volume_ml_T0: low must be above 0, or its scale have a floor"):
        settings_from_json(content, SCHEMA)
