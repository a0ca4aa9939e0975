"""The settings of a form come from the configuration's own dataclasses."""

import pytest
from PCRTrainingLib.config import PRESETS, config_to_json
from PCRTrainingLib.settings import OFFERED, describe_setting, read_setting, write_setting


@pytest.fixture
def config():
    return config_to_json(PRESETS["full"])


@pytest.mark.parametrize("path", OFFERED)
def test_every_setting_has_a_sentence_as_its_tooltip(path):
    assert describe_setting(path)["description"].endswith(".")
    assert "\n" not in describe_setting(path)["description"]


def test_limits_and_types_are_those_of_the_annotations():
    found = describe_setting("dropout")
    assert (found["type"], found["minimum"], found["maximum"]) == ("number", 0, 1)
    assert describe_setting("*.swap")["type"] == "boolean"
    assert describe_setting("split.folds")["title"] == "Folds"


def test_setting_of_all_steps_is_written_into_every_step(config):
    write_setting(config, "*.epochs", 3)
    write_setting(config, "split.folds", 4)
    assert [step["epochs"] for step in config["steps"]] == [3, 3, 3]
    assert (read_setting(config, "*.epochs"), read_setting(config, "split.folds")) == (3, 4)


def test_guidance_is_written_into_the_steps_with_a_gate(config):
    write_setting(config, "*.guidance", "gradia")
    assert [step["guidance"] for step in config["steps"]] == [None, "gradia", "gradia"]
    assert read_setting({"steps": config["steps"][:1]}, "*.guidance") is None
