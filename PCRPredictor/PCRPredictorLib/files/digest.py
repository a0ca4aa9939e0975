"""The hash of arrays and other values: whether two things were made of the same."""

import hashlib
from collections.abc import Iterable

import numpy as np


def digest(parts: Iterable[np.ndarray | object]) -> str:
    """Return the SHA-256 of arrays and other values.

    Args:
        parts: arrays of any shape, by their voxels, type and shape; of anything else its text counts.
    """
    found = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            found.update(repr((part.shape, part.dtype.str)).encode())
            found.update(np.ascontiguousarray(part).data)
        else:
            found.update(repr(part).encode())
    return found.hexdigest()
