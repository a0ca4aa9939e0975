import json
import os

import pytest
from PCRPredictorLib.errors import DataError
from PCRTrainingLib.config import PRESETS, config_to_json, parse_config, read_config


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_configuration_survives_its_file(name):
    config = PRESETS[name]
    assert parse_config(json.dumps(config_to_json(config)), "x") == config


def test_file_may_hold_a_part_of_a_configuration(tmp_path):
    (tmp_path / "c.json").write_text('{"seed": 7, "split": {"folds": 3}}')
    config = read_config(tmp_path / "c.json")
    assert (config.seed, config.split.folds, config.steps) == (7, 3, PRESETS["full"].steps)


def test_clinical_variable_may_be_defined_in_the_file():
    ki67 = {"name": "ki67", "label": "Ki-67", "unit": "%", "minimum": 0, "maximum": 100, "mean": 30, "sd": 20}
    text = json.dumps({"clinical": ["age", ki67]})
    assert parse_config(text, "x").clinical[1].name == "ki67"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"sed": 1}', "sed is not a known setting; use one of balance, batch_size,"),
        ('{"split": {"fold": 1}}', "split.fold is not a known setting; use one of column, file, folds"),
        ('{"seed": -1}', "seed must be greater than or equal to 0, got -1"),
        ('{"dropout": 1.5}', "dropout must be less than 1, got 1.5"),
        ('{"split": {"folds": 1}}', "folds must be 2 or more"),
        ('{"grid": {"size": 0}}', "size must be"),
        ('{"steps": []}', "steps must not be empty"),
        ('{"steps": [{"name": "a", "epochs": 1, "after": "b"}]}', "must be an earlier step"),
        ('{"steps": [{"name": "a", "epochs": 1, "guidance": "dice"}]}', "attention must be true"),
        ('{"steps": [{"name": "a", "epochs": 1, "patience": 3}]}', "validation must be above 0"),
        ("[1]", "must be a JSON object"),
        ("{", "must be JSON"),
    ],
)
def test_invalid_configuration_is_refused_with_one_sentence(text, message):
    with pytest.raises(DataError, match=message) as error:
        parse_config(text, "my.json")
    assert str(error.value).startswith("my.json: ")
    assert "\n" not in str(error.value)


def test_byte_order_mark_is_read_and_a_different_encoding_is_refused(tmp_path):
    (tmp_path / "bom.json").write_text('{"seed": 7}', encoding="utf-8-sig")
    assert read_config(tmp_path / "bom.json").seed == 7
    (tmp_path / "latin.json").write_text('{"seed": "ü"}', encoding="latin-1")
    with pytest.raises(DataError, match=r"must be UTF-8 .*; save it as UTF-8 again"):
        read_config(tmp_path / "latin.json")


def test_missing_file_names_the_presets():
    with pytest.raises(DataError, match="one of quick, full"):
        read_config("nowhere.json")


@pytest.mark.parametrize(
    "grid", ['{"size": 513}', '{"slices": 129}', '{"size": 400, "slices": 20}', '{"size": 1000000000}']
)
def test_grid_that_no_bundle_may_have_is_refused_before_training(grid):
    with pytest.raises(DataError, match="size must be at most 512"):
        parse_config(f'{{"grid": {grid}}}', "config.json")


@pytest.mark.skipif(os.name == "nt", reason="has no pipes with names")
def test_pipe_in_place_of_a_configuration_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "config.json")
    with pytest.raises(DataError, match="no such configuration"):
        read_config(tmp_path / "config.json")
