"""The folder of a federation, or a kit, that is damaged or names something outside of it."""

import json

import pytest
from PCRPredictorLib.errors import DataError
from PCRTrainingLib.federation.folder import FederationFolder
from PCRTrainingLib.federation.join import read_kit

DAMAGED = ["", "[]", "5", "null", "[" * 200_000, '{"a": 1}', '{"done": "x"}', '{"rows": [1]}']


@pytest.mark.parametrize("content", DAMAGED, ids=range(len(DAMAGED)))
def test_damaged_folder_is_refused_in_a_sentence(content, tmp_path):
    folder = FederationFolder(tmp_path)
    folder.state.write_text(content)
    folder.plan.write_text(content)
    for read in (folder.read_state, folder.read_plan):
        with pytest.raises(DataError, match=str(tmp_path)):
            read()


@pytest.mark.parametrize("weights", ["../../precious", "/etc/passwd", "state.json", 5])
def test_weights_outside_of_the_folder_are_refused(weights, tmp_path):
    folder = FederationFolder(tmp_path)
    folder.state.write_text(json.dumps({"done": 1, "weights": weights}))
    with pytest.raises(DataError, match=r"state\.json: is damaged"):
        folder.read_state()


def test_damaged_weights_are_refused_in_a_sentence(tmp_path):
    folder = FederationFolder(tmp_path)
    folder.state.write_text('{"done": 1, "weights": "weights-1.safetensors"}')
    (tmp_path / "weights-1.safetensors").write_bytes(b"not weights at all")
    with pytest.raises(DataError, match=r"weights-1\.safetensors: is damaged"):
        folder.read_weights(folder.read_state())


@pytest.mark.parametrize(
    "content", [*DAMAGED, '{"site": "../../x", "agreed": {}}', '{"site": 5, "agreed": {}}'], ids=range(len(DAMAGED) + 2)
)
def test_kit_that_is_none_is_refused(content, tmp_path):
    (tmp_path / "breastpcr.json").write_text(content)
    (tmp_path / "startup").mkdir()
    (tmp_path / "startup" / "client.key").touch()
    with pytest.raises(DataError, match="must be the startup kit of a site"):
        read_kit(tmp_path, tmp_path, None, "cpu")
