"""What the raw header of a file says of its voxels, checked before any voxel is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import DataError, Notice
from ..geometry import Geometry

RAW, GZIP, BZIP2, TEXT = "raw", "gzip", "bzip2", "text"
MISSING_POSITION = Notice(
    "no_position",
    "The images do not say how they lie in the patient; right, left, front, back, top and bottom are a guess.",
)
_CLOSE = 1e-6  # of a direction: less is kept as it is


@dataclass(frozen=True, eq=False)
class Header:
    """A file with one or several volumes on one lattice.

    Args:
        name: of the file, for messages.
        geometry: of each volume.
        volumes: number of volumes.
        first: True if the volumes are the fastest axis of the file, else they are the slowest.
        dtype: of a voxel in the file.
        file: with the voxels; that of the header or one beside it.
        start: first byte of the voxels, counted after inflating; -1 if they are the end of the file.
        encoding: of the voxels: `RAW`, `GZIP` (or zlib), `BZIP2` or `TEXT`.
        inflate_from: first byte in the file of what is compressed.
        scale: slope and offset of the voxels, None if they are stored as they are.
        times: seconds of each volume, None if unknown.
        notices: what was guessed.
        segments: names of labels, by value.
        simulated: True if the file says that it is a phantom.
    """

    name: str
    geometry: Geometry
    volumes: int
    first: bool
    dtype: np.dtype
    file: Path
    start: int
    encoding: str = RAW
    inflate_from: int = 0
    scale: tuple[float, float] | None = None
    times: tuple[float, ...] | None = None
    notices: tuple[Notice, ...] = ()
    segments: Mapping[int, str] = field(default_factory=dict)
    simulated: bool = False

    @property
    def count(self) -> int:
        """Return the number of voxels of all volumes."""
        return self.volumes * int(np.prod(self.geometry.size, dtype=object))

    @property
    def promised(self) -> int:
        """Return the bytes of all voxels."""
        return self.count * self.dtype.itemsize


def checked(geometry: Geometry, name: str) -> Geometry:
    """Return a lattice with exactly orthonormal axes.

    Raises:
        DataError: if no exam can have this lattice.
    """
    if problem := geometry.problem():
        raise DataError(f"{name}: {problem}; correct the header, or export or resample it again")
    upright = geometry.upright()
    return upright if np.abs(upright.direction - geometry.direction).max() > _CLOSE else geometry
