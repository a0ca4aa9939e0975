import shutil
import zipfile

import pytest
from PCRPredictorLib.bundles.export import export_bundle
from PCRPredictorLib.bundles.folder import bundled_models
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.store import add_model, list_models, remove_model
from PCRPredictorLib.response.bundle import KIND
from support.follow_up.response_model import write_tiny_response


@pytest.fixture
def own(tmp_path):
    return shutil.copytree(bundled_models()["phantom"], tmp_path / "from" / "mine")


def test_models_that_ship_are_always_in_the_list(tmp_path):
    assert [(m.name, m.own) for m in list_models(tmp_path / "none")] == [("ispy2", False), ("phantom", False)]


def test_folder_and_zip_are_added_and_removed_again(own, tmp_path):
    store = tmp_path / "store"
    export_bundle(own, tmp_path / "packed.zip")
    assert add_model(own, store).name == "mine"
    assert add_model(tmp_path / "packed.zip", store).name == "packed"
    assert [model.name for model in list_models(store)] == ["ispy2", "phantom", "mine", "packed"]
    remove_model(list_models(store)[2])
    assert [model.name for model in list_models(store)] == ["ispy2", "phantom", "packed"]
    assert own.is_dir()


def test_second_model_of_a_name_is_refused(own, tmp_path):
    add_model(own, tmp_path / "store")
    with pytest.raises(DataError, match="mine: there is a model of that name; remove it first"):
        add_model(own, tmp_path / "store")


def test_models_of_each_kind_are_listed_apart(own, tmp_path):
    store = tmp_path / "store"
    added = add_model(write_tiny_response(tmp_path / "course"), store)
    add_model(own, store)
    assert added.kind == "response"
    assert [model.name for model in list_models(store) if model.own] == ["mine"]
    assert [model.name for model in list_models(store, KIND) if model.own] == ["course"]
    remove_model(added)
    assert not [model for model in list_models(store, KIND) if model.own]


def test_damaged_bundle_is_refused_and_leaves_nothing(own, tmp_path):
    (own / "configs" / "inference.json").write_text("{}")
    with pytest.raises(DataError, match="was changed"):
        add_model(own, tmp_path / "store")
    assert list_models(tmp_path / "store") == list_models(tmp_path)


def test_file_that_is_no_bundle_or_leads_outside_is_refused(tmp_path):
    (tmp_path / "note.txt").write_text("x")
    with pytest.raises(DataError, match="must be a bundle folder or a zip file"):
        add_model(tmp_path / "note.txt", tmp_path / "store")
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as file:
        file.writestr("../../out.txt", "x")
    with pytest.raises(DataError, match="leads out of the bundle"):
        add_model(tmp_path / "evil.zip", tmp_path / "store")
    with zipfile.ZipFile(tmp_path / "empty.zip", "w") as file:
        file.writestr("a.txt", "x")
    with pytest.raises(DataError, match="must hold one bundle, got 0"):
        add_model(tmp_path / "empty.zip", tmp_path / "store")


def test_model_that_ships_cannot_be_removed(tmp_path):
    with pytest.raises(DataError, match="ships with the extension"):
        remove_model(list_models(tmp_path)[0])
