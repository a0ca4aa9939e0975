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


def unpack(content: Any) -> np.ndarray:  # noqa: ANN401  checked here
    """Return the map (k, j, i) that `pack` packed.

    Raises:
        ValueError: if the content is anything else.
    """
    try:
        shape = tuple(int(n) for n in content["shape"])
        box = tuple(slice(int(low), int(high)) for low, high in content["box"])
        voxels = np.frombuffer(zlib.decompress(base64.b64decode(content["voxels"], validate=True)), "<f4")
        values = np.zeros(shape, np.float32)
        values[box] = voxels.reshape([span.stop - span.start for span in box])
    except (KeyError, TypeError, ValueError, MemoryError, zlib.error) as error:
        raise ValueError(f"a map of it cannot be read ({error})") from None
    return values
