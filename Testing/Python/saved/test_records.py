"""Dataclasses as plain values and back; what is of a different type is refused by its name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pytest
from PCRPredictorLib.saved.records import from_plain, to_plain


@dataclass(frozen=True)
class Part:
    size: float
    side: Literal["left", "right"] | None = None


@dataclass(frozen=True)
class Whole:
    name: str
    count: int
    pair: tuple[float, float]
    parts: tuple[Part, ...] = ()
    notes: Mapping[str, object] | None = None


WHOLE = Whole("a", 2, (0.1, 2.0), (Part(1.5, "left"), Part(2.0)), {"b": [1, None]})


def test_record_comes_back_as_it_was():
    assert from_plain(Whole, to_plain(WHOLE)) == WHOLE


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": 3}, "name must be str, got '3'"),
        ({"count": 2.5}, "count must be int"),
        ({"count": True}, "count must be int"),
        ({"pair": [1.0]}, "pair must be 2 values"),
        ({"pair": 1.0}, "pair must be a list"),
        ({"parts": [{"size": "big"}]}, "parts.size must be float"),
        ({"parts": [{"size": 1.0, "side": "up"}]}, "side must be one of left, right"),
        ({"parts": [3]}, "parts must be an object"),
        ({"more": 1}, "must not hold more"),
        ({"notes": "x"}, "notes must be an object"),
    ],
)
def test_anything_else_is_refused_by_name(change, message):
    with pytest.raises(ValueError, match=message):
        from_plain(Whole, to_plain(WHOLE) | change)


def test_missing_field_is_named():
    content = to_plain(WHOLE)
    del content["count"]
    with pytest.raises(ValueError, match="count"):
        from_plain(Whole, content)
