"""JSON from outside: as long and as deep as it may be, with finite numbers, and refused in one sentence."""

import json
import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from .limits import DEPTH, JSON, NUMBER, TEXT
from .opening import read_content

Pairs = Callable[[list[tuple[str, object]]], object]
_DEEP = f"it has more than {DEPTH} levels of lists and objects"


def read_json(path: Path, pairs: Pairs | None = None) -> object:
    """Return the content of a file, see `parse_json`.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it is no such JSON; the message fits into a sentence.
    """
    return parse_json(read_content(path, JSON), pairs)


def parse_json(text: str | bytes, pairs: Pairs | None = None, *, most: int = JSON, longest: int = TEXT) -> object:
    """Return the content of a text in JSON.

    Args:
        text: bytes are UTF-8, also with a byte order mark.
        pairs: called with the pairs of each object, to make the object of them.
        most: bytes that are read.
        longest: characters of a text in it.

    Raises:
        ValueError: if it is not JSON, too long, too deep, or holds a number that is not finite.
    """
    if len(text) > most:
        raise ValueError(f"it has {len(text) >> 20} MB, at most {most // 10**6} MB are read")
    if isinstance(text, bytes):
        text = text.decode("utf-8-sig")
    try:
        found = json.loads(
            text, object_pairs_hook=pairs, parse_constant=_finite, parse_float=_finite, parse_int=_integer
        )
    except RecursionError:
        raise ValueError(_DEEP) from None
    _check(found, longest)
    return found


def repeated(names: list[str]) -> list[str]:
    """Return the names that occur more than once."""
    return [name for name, number in Counter(names).items() if number > 1]


def _check(content: object, longest: int) -> None:
    """Refuse content that is too deep, or a text that is too long; level by level, without recursion."""
    level: list[object] = [content]
    for _ in range(DEPTH + 1):
        inner: list[object] = []
        for item in level:
            if isinstance(item, dict):
                inner += item
                inner += item.values()
            elif isinstance(item, list):
                inner += item
            elif isinstance(item, str) and len(item) > longest:
                raise ValueError(f"a text of it has {len(item)} characters, at most {longest} are read")
        if not (level := inner):
            return
    raise ValueError(_DEEP)


def _finite(text: str) -> float:
    if len(text) > NUMBER or not math.isfinite(value := float(text)):
        raise ValueError(f"numbers must be finite, got {text[:20]}")
    return value


def _integer(text: str) -> int:
    if len(text) > NUMBER:
        raise ValueError(f"numbers must have at most {NUMBER} digits, got {len(text)}")
    return int(text)
