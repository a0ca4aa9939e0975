"""Maps of a prediction as text: the voxels in the box around all that is not 0, compressed without loss."""

from __future__ import annotations

import base64
import zlib
from typing import Any

import numpy as np

from ..exam import bounding_box

_QUICK = 1  # of zlib's levels


def pack(values: np.ndarray) -> dict[str, object]:
    """Return a map as plain values.

    Args:
        values: (k, j, i) float32.
    """
    box = bounding_box(values != 0) if np.any(values) else (slice(0, 0),) * 3
    part = np.ascontiguousarray(values[box], "<f4")
    text = base64.b64encode(zlib.compress(part.tobytes(), _QUICK)).decode("ascii")
    return {"shape": list(values.shape), "box": [[span.start, span.stop] for span in box], "voxels": text}


def unpack(content: Any, shape: tuple[int, ...]) -> np.ndarray:  # noqa: ANN401  checked here
    """Return the map (k, j, i) that `pack` packed; no more is inflated than its box holds.

    Args:
        shape: of the exam (k, j, i), which the map must have.

    Raises:
        ValueError: if the content is anything else.
    """
    try:
        if content["shape"] != list(shape):
            raise ValueError(f"it must have {list(shape)} voxels as the exam, got {str(content['shape'])[:40]}")
        box = _box(content["box"], shape)
        values = np.zeros(shape, np.float32)
        part = values[box]
        part[...] = np.frombuffer(_inflate(content["voxels"], part.size * 4), "<f4").reshape(part.shape)
    except (KeyError, TypeError, ValueError, zlib.error) as error:
        raise ValueError(f"a map of it cannot be read ({error})") from None
    return values


def _box(spans: Any, shape: tuple[int, ...]) -> tuple[slice, ...]:  # noqa: ANN401  checked here
    """Return the box of a map, which lies in the exam."""
    pairs = [(low, high) for low, high in spans]
    if len(pairs) != len(shape) or not all(
        type(low) is type(high) is int and 0 <= low <= high <= size
        for (low, high), size in zip(pairs, shape, strict=True)
    ):
        raise ValueError(f"its box must lie in the exam, got {str(spans)[:40]}")
    return tuple(slice(*pair) for pair in pairs)


def _inflate(text: str, size: int) -> bytes:
    """Return the bytes that a text holds, which are so many."""
    packed = zlib.decompressobj()
    found = packed.decompress(base64.b64decode(text, validate=True), size + 1)
    if len(found) != size:
        raise ValueError(f"it must hold {size} bytes, got {'more' if len(found) > size else len(found)}")
    if not packed.eof:
        raise ValueError("it ends early")
    return found
