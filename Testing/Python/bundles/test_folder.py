"""Bundles of any kind: lists, names, kinds."""

import json
import shutil

import pytest
from PCRPredictorLib.bundles.folder import METADATA, bundled_models, find_bundle, kind_of
from PCRPredictorLib.errors import DataError
from support.follow_up.response_model import write_tiny_response


def test_models_are_listed_by_kind():
    assert {"ispy2", "phantom"} <= set(bundled_models("image")) <= set(bundled_models())
    assert not set(bundled_models("image")) & set(bundled_models("response"))


def test_kind_is_named_in_the_metadata_and_is_image_in_those_of_earlier_versions(tmp_path, bundle):
    assert kind_of(write_tiny_response(tmp_path / "tiny")) == "response"
    assert "kind" not in json.loads((bundled_models()["ispy2"] / METADATA).read_text())
    assert kind_of(bundle.path) == "image"


def test_kind_of_a_later_version_asks_for_an_update(tmp_path):
    path = write_tiny_response(tmp_path / "tiny")
    (path / METADATA).write_text('{"kind": "oracle"}')
    with pytest.raises(DataError, match="must be image or response, got 'oracle'; update BreastPCR"):
        kind_of(path)


def test_the_bundle_of_a_run_is_found_in_its_folder(tmp_path):
    write_tiny_response(tmp_path / "run" / "bundle")
    assert find_bundle(tmp_path / "run", "response") == tmp_path / "run" / "bundle"


def test_metadata_that_cannot_be_read_are_left_to_the_reader(tmp_path):
    path = shutil.copytree(write_tiny_response(tmp_path / "tiny"), tmp_path / "copy")
    (path / METADATA).write_text("{")
    assert find_bundle(path, "response") == path


def test_a_model_that_ships_is_called_by_its_name_and_one_that_is_not_there_lists_the_others():
    with pytest.raises(DataError, match=r"^ispy2 is a model of one exam before treatment"):
        find_bundle("ispy2", "response")
    with pytest.raises(DataError, match=r"^nowhere: no such model; give a bundle folder"):
        find_bundle("nowhere", "response")


def test_a_packed_model_is_told_from_one_that_is_not_there(tmp_path):
    (tmp_path / "mine.zip").write_bytes(b"PK")
    with pytest.raises(
        DataError, match=r"mine.zip: is packed; unpack it \(unzip mine.zip\) and give the folder in it, mine"
    ):
        find_bundle(tmp_path / "mine.zip")
