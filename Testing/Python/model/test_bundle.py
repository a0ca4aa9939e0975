import json
import shutil
import zipfile
from dataclasses import replace

import pytest
import torch
from monai.bundle import ConfigParser
from PCRPredictorLib.bundles.export import export_bundle
from PCRPredictorLib.bundles.folder import CHECKSUMS, INFERENCE, METADATA, checksums, verify_bundle
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.bundle import TRAINING_IMAGES, find_bundle, load_bundle
from PCRPredictorLib.model.card import Typical, settings_from_json, settings_to_json
from PCRPredictorLib.network import PCRNet
from PCRPredictorLib.report.wording import describe_card


@pytest.fixture
def copy(bundle, tmp_path):
    """A copy of the bundle to spoil."""
    return shutil.copytree(bundle.path, tmp_path / "copy")


def test_written_bundle_reads_back_unchanged(bundle):
    assert bundle.card.name == "tiny"
    assert bundle.schema.parse({"hr": "1"})["hr"] == "positive"
    assert bundle.settings.grid.shape == (8, 64, 64)
    assert bundle.operating_point().name == "balanced"
    assert bundle.settings.times[0].quartiles == (106, 128, 162)
    assert len(bundle.load_networks()) == 2


def test_settings_of_an_earlier_version_average_probabilities_and_know_no_typical_patient(bundle):
    content = settings_to_json(bundle.settings)
    del content["averaging"], content["typical"]
    found = settings_from_json(content)
    assert (found.averaging, found.typical) == ("probability", None)


def test_a_bundle_of_an_earlier_version_says_what_it_lacks_where_its_card_is_shown(bundle, copy):
    content = json.loads((copy / INFERENCE).read_text(encoding="utf-8"))
    content = {key: content[key] for key in content.keys() - {"averaging", "typical", "times", "base_rate"}}
    (copy / INFERENCE).write_text(json.dumps(content))
    (copy / TRAINING_IMAGES).unlink(missing_ok=True)
    (copy / CHECKSUMS).write_text(json.dumps(checksums(copy)))
    old = load_bundle(copy)
    assert [sentence.removeprefix("It does not hold ").partition(":")[0] for sentence in old.lacking] == [
        "the share of its training patients with pCR",
        "its typical patient",
        "the times of its patients' phases",
        "what its patients were like",
        "who its patients were",
    ]
    assert "Of an earlier version:</b> It does not hold the share" in describe_card(old)
    assert load_bundle(find_bundle("ispy2")).lacking == ()


def test_typical_patient_reads_back_and_an_unknown_averaging_is_refused(bundle):
    settings = replace(bundle.settings, averaging="logit", typical=Typical(0.2, {"age": -0.1}))
    content = json.loads(json.dumps(settings_to_json(settings)))
    assert settings_from_json(content) == settings
    with pytest.raises(ValueError, match=r"must be one of logit, probability, got 'median'"):
        settings_from_json({**content, "averaging": "median"})


def test_unknown_operating_point_lists_the_known_ones(bundle):
    with pytest.raises(DataError, match="use balanced, high sensitivity"):
        bundle.operating_point("best")


@pytest.mark.parametrize("name", [METADATA, INFERENCE, "models/fold_1.safetensors", "docs/README.md"])
def test_changed_byte_is_found(copy, name):
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(DataError, match=f"{name} was changed; the bundle is damaged"):
        load_bundle(copy)


def test_missing_and_foreign_files_are_found(copy):
    (copy / "models" / "extra.pt").write_bytes(b"x")
    with pytest.raises(DataError, match=r"extra.pt does not belong to it"):
        verify_bundle(copy)
    (copy / "models" / "extra.pt").unlink()
    (copy / "models" / "fold_0.safetensors").unlink()
    with pytest.raises(DataError, match="is missing"):
        verify_bundle(copy)


def test_broken_list_of_checksums_is_refused(copy):
    (copy / "checksums.json").write_text("{")
    with pytest.raises(DataError, match="cannot be read as JSON"):
        load_bundle(copy)


def test_folder_that_is_no_bundle_is_refused(tmp_path):
    with pytest.raises(DataError, match="not a model bundle"):
        load_bundle(tmp_path)


def test_unknown_model_lists_the_bundled_ones():
    with pytest.raises(DataError, match="nowhere: no such model; give a bundle folder or one of"):
        find_bundle("nowhere")


def test_configuration_is_never_executed(bundle, copy, monkeypatch):
    """A `_target_` or an expression of somebody else's is refused as text, even with checksums that fit."""
    inference = json.loads((copy / INFERENCE).read_text())
    inference["network"]["_target_"] = "os.system"
    (copy / INFERENCE).write_text(json.dumps(inference))
    (copy / "checksums.json").write_text(json.dumps(checksums(copy)))
    with pytest.raises(DataError, match="its network must be"):
        load_bundle(copy)


def test_network_that_is_not_on_the_list_is_refused_before_it_is_built(copy):
    inference = json.loads((copy / INFERENCE).read_text())
    inference["network"]["backbone"] = "torch.hub.load"
    (copy / INFERENCE).write_text(json.dumps(inference))
    (copy / "checksums.json").write_text(json.dumps(checksums(copy)))
    with pytest.raises(DataError, match=r"network must be one of own, .* got 'torch.hub.load'; update BreastPCR"):
        load_bundle(copy)


def test_weights_of_a_different_network_are_refused(copy):
    from safetensors.torch import save_file

    save_file({"stem": torch.zeros(3)}, copy / "models" / "fold_0.safetensors")
    (copy / "checksums.json").write_text(json.dumps(checksums(copy)))
    with pytest.raises(DataError, match="does not fit the network of this bundle"):
        load_bundle(copy).load_networks()


def test_monai_reads_the_same_network_from_the_bundle(bundle):
    parser = ConfigParser()
    parser.read_config(str(bundle.path / INFERENCE))
    assert isinstance(parser.get_parsed_content("network"), PCRNet)


def test_exported_bundle_is_intact_when_unpacked(bundle, tmp_path):
    export_bundle(bundle.path, tmp_path / "model.zip")
    zipfile.ZipFile(tmp_path / "model.zip").extractall(tmp_path)
    assert verify_bundle(tmp_path / "model") == bundle.checksum
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model", "model.zip"]


def test_export_into_a_missing_folder_is_refused(bundle, tmp_path):
    with pytest.raises(DataError, match="choose a folder that you may write to"):
        export_bundle(bundle.path, tmp_path / "nowhere" / "model.zip")
