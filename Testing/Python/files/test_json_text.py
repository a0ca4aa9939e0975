"""JSON from outside is bounded in length, depth and numbers, and refused in one sentence."""

import pytest
from PCRPredictorLib.files import json_text
from PCRPredictorLib.files.json_text import parse_json, read_json, repeated

HOSTILE = {
    "nested 200,000 times": "[" * 200_000,
    "nested 70 times": "[" * 70 + "]" * 70,
    "objects nested 1,000 times": '{"a":' * 1000 + "1" + "}" * 1000,
    "not a number": '{"a": NaN}',
    "infinity": "[-Infinity]",
    "a float beyond all floats": "[1e999]",
    "a million digits": "1" * 1_000_000,
    "a million decimals": "0." + "1" * 1_000_000,
    "a text of a megabyte": '["' + "a" * 1_000_000 + '"]',
    "a name of a megabyte": '{"' + "a" * 1_000_000 + '": 1}',
    "a lone surrogate byte": b'["\xed\xa0\x80"]',
    "no JSON": "{'a': 1}",
    "nothing": "",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_json_is_one_short_sentence(text):
    with pytest.raises(ValueError) as caught:
        parse_json(text)
    assert len(str(caught.value)) < 200 and "\n" not in str(caught.value)


def test_a_long_file_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(json_text, "JSON", 1000)
    (tmp_path / "a.json").write_text("[" + " " * 2000 + "]")
    with pytest.raises(ValueError, match="at most"):
        read_json(tmp_path / "a.json")


def test_ordinary_json_is_read_with_and_without_a_byte_order_mark(tmp_path):
    (tmp_path / "a.json").write_bytes(b'\xef\xbb\xbf{"a": [1, -2.5e3, "\\u00fc", {}]}')
    assert read_json(tmp_path / "a.json") == {"a": [1, -2500.0, "ü", {}]}
    assert parse_json("[" * 60 + "]" * 60)


def test_names_of_an_object_with_a_hundred_thousand_are_compared_at_once():
    assert repeated([*map(str, range(100_000)), "7"]) == ["7"]
