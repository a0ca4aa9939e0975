"""A result as text: it comes back with its maps, and what is not one is refused in one sentence."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.prediction import LesionPrediction
from PCRPredictorLib.saved.maps import pack, unpack
from PCRPredictorLib.saved.result import SavedResult, digest, pack_result, read_result, write_result
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
    with pytest.raises(DataError, match="size of the exam"):
        read_result(text, (1, 2, 3))


def test_map_takes_no_more_room_than_what_is_not_zero():
    values = np.zeros((40, 50, 60), np.float32)
    values[3:5, 6, 7:9] = 0.3
    packed = pack(values)
    assert len(packed["voxels"]) < 200
    np.testing.assert_array_equal(unpack(packed), values)
    np.testing.assert_array_equal(unpack(pack(0 * values)), 0 * values)


def test_digest_differs_with_a_voxel_a_type_and_a_shape():
    values = np.zeros((2, 3), np.int16)
    other = values.copy()
    other[0, 0] = 1
    found = {digest([x]) for x in (values, other, values.astype(np.int32), values.T, "text")}
    assert len(found) == 5
