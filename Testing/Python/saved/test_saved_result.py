"""A result as text: it comes back with its maps, and what is not one is refused in one sentence."""

import base64
import json
import tracemalloc
import zlib
from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.files.digest import digest
from PCRPredictorLib.prediction import LesionPrediction
from PCRPredictorLib.saved.maps import pack, unpack
from PCRPredictorLib.saved.result import SavedResult, pack_result, read_result, write_result
from support.examples import tiny_exam, tiny_prediction


@pytest.fixture(scope="module")
def exam():
    return tiny_exam()


@pytest.fixture(scope="module")
def text(exam):
    one = tiny_prediction(exam)
    second = LesionPrediction("second", replace(one, probability=0.25), 2)
    prediction = replace(one, lesions=(LesionPrediction("first", one, 1), second))
    saved = SavedResult(prediction, {"age": 52.0}, {"age": 52.0, "hr": None}, "", "tumour", 1)
    return write_result(saved, pack_result(exam, prediction), exam)


def test_result_comes_back_as_it_was(exam, text):
    found, wanted = read_result(text, exam.geometry.shape), tiny_prediction(exam)
    assert found.prediction.to_json()["evidence"] == wanted.to_json()["evidence"]
    assert found.prediction.notices == wanted.notices
    assert found.prediction.model == wanted.model
    assert found.prediction.operating_point == wanted.operating_point
    np.testing.assert_array_equal(found.prediction.attention, wanted.attention)
    assert [lesion.name for lesion in found.prediction.lesions] == ["first", "second"]
    assert found.prediction.lesions[1].prediction.probability == 0.25
    assert found.meaning == {"age": 52.0, "hr": None}
    assert (found.shown, found.tumour, found.phases) == (1, "tumour", digest(exam.phases))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 7}, "its format must be 1, got 7"),
        ({"kind": "something"}, "must be a BreastPCR result"),
        ({"maps": []}, "maps for each lesion"),
        ({"prediction": {"probability": "high"}}, "prediction.probability must be float"),
        ({"made_from": {}}, "is missing"),
        ({"shown": float("nan")}, "must be finite"),
    ],
)
def test_result_of_a_different_version_is_refused_in_one_sentence(exam, text, change, message):
    with pytest.raises(DataError, match=message) as refused:
        read_result(json.dumps(json.loads(text) | change), exam.geometry.shape)
    assert "predict again" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("damaged", ["", "{", "[]", "null", '"text"', "[" * 100000])
def test_text_that_is_none_is_refused(exam, damaged):
    with pytest.raises(DataError, match="cannot be read"):
        read_result(damaged, exam.geometry.shape)


def test_result_of_an_exam_of_a_different_size_is_refused(text):
    with pytest.raises(DataError, match=r"must have \[1, 2, 3\] voxels as the exam"):
        read_result(text, (1, 2, 3))


def test_probability_beyond_one_is_refused(exam, text):
    content = json.loads(text)
    content["lesions"][1]["prediction"]["interval"] = [0.2, 70]
    with pytest.raises(DataError, match="between 0 and 1, got 70"):
        read_result(json.dumps(content), exam.geometry.shape)


SHAPE = (4, 5, 6)
PACKED = pack(np.ones(SHAPE, np.float32))


def zeros(megabytes):
    packer = zlib.compressobj()
    return base64.b64encode(packer.compress(bytes(megabytes << 20)) + packer.flush()).decode()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"voxels": zeros(64)}, "must hold 480 bytes, got more"),
        ({"voxels": zeros(0)}, "must hold 480 bytes, got 0"),
        ({"voxels": PACKED["voxels"][:20]}, "ends early"),
        ({"voxels": 5}, "cannot be read"),
        ({"voxels": "é"}, "cannot be read"),
        ({"shape": [10**6] * 3}, r"must have \[4, 5, 6\] voxels"),
        ({"box": [[0, 10**9]] * 3}, "box must lie in the exam"),
        ({"box": [[-4, 4], [0, 5], [0, 6]]}, "box must lie in the exam"),
        ({"box": [[0.0, 4.0], [0, 5], [0, 6]]}, "box must lie in the exam"),
        ({"box": [[0, 4]]}, "box must lie in the exam"),
        ({"box": None}, "cannot be read"),
    ],
)
def test_map_that_promises_too_much_is_refused_before_it_takes_memory(change, message):
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=message):
            unpack(PACKED | change, SHAPE)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_map_takes_no_more_room_than_what_is_not_zero():
    values = np.zeros((40, 50, 60), np.float32)
    values[3:5, 6, 7:9] = 0.3
    packed = pack(values)
    assert len(packed["voxels"]) < 200
    np.testing.assert_array_equal(unpack(packed, values.shape), values)
    np.testing.assert_array_equal(unpack(pack(0 * values), values.shape), 0 * values)
