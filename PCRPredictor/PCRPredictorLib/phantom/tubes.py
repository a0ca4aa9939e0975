"""Draw thin curved tubes into voxels; made by `anatomy` (vessels) and `tumour` (spicules, feeding vessels)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from .frame import Frame


@dataclass(frozen=True, eq=False)
class Tube:
    """A tube along a polyline.

    Args:
        points: (N, 3) LPS positions in mm; neighbours may lie several voxels apart.
        radii: (N,) mm.
    """

    points: np.ndarray
    radii: np.ndarray

    def resampled(self, step: float) -> Tube:
        """Return the same tube with points about `step` mm apart."""
        lengths = np.linalg.norm(np.diff(self.points, axis=0), axis=1)
        along = np.concatenate([[0.0], np.cumsum(lengths)])
        places = np.linspace(0, along[-1], max(int(along[-1] / step) + 1, 2))
        columns = [np.interp(places, along, column) for column in (*self.points.T, self.radii)]
        return Tube(np.stack(columns[:3], 1), columns[3])


def make_curve(
    rng: np.random.Generator, start: np.ndarray, end: np.ndarray, bend: float, points: int = 40
) -> np.ndarray:
    """Return a (points, n) curve from `start` to `end`, both (n,), that strays by about `bend` times their distance."""
    t = np.linspace(0, 1, points)[:, None]
    strayed = np.zeros((points, len(start)))
    for wave in range(1, 6):
        strayed += rng.normal(0, 1 / wave, len(start)) * np.sin(np.pi * wave * t)
    return start + t * (end - start) + bend * np.linalg.norm(end - start) * strayed


def draw_tubes(frame: Frame, tubes: list[Tube]) -> np.ndarray:
    """Return the share of each voxel that the tubes fill, (k, j, i) float32 in [0, 1].

    A tube thinner than a voxel fills less of it. Distances are in pixels of the plane: a tube across thick
    slices is then one connected line.
    """
    filled = np.zeros(frame.shape, np.float32)
    if not tubes:
        return filled
    fine = [tube.resampled(0.5 * frame.pixel) for tube in tubes]
    points = np.concatenate([tube.points for tube in fine])
    radii = np.concatenate([tube.radii for tube in fine]).astype(np.float32) / np.float32(frame.pixel)
    places = np.stack(
        [np.interp(points[:, w], *_increasing(x), left=-1e3, right=-1e3) for w, x in frame.axes], 1
    ).astype(np.float32)
    inside = (places > -1).all(1)
    places, radii = places[inside], radii[inside]
    limit = np.array(frame.shape) - 1
    reach = int(np.ceil(radii.max(initial=0) + 0.5))
    for offset in product(range(-reach, reach + 1), repeat=3):
        voxel = np.rint(places).astype(int) + offset
        distance = np.linalg.norm(voxel - places, axis=1)
        share = np.clip(radii + 0.5 - distance, 0, 1) * np.minimum(1, radii / 0.6)
        hit = (share > 0) & (voxel >= 0).all(1) & (voxel <= limit).all(1)
        flat = np.ravel_multi_index(tuple(voxel[hit].T), frame.shape)
        np.maximum.at(filled.reshape(-1), flat, share[hit])
    return filled


def _increasing(positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return positions in increasing order with the array index of each, for `np.interp`."""
    index = np.arange(len(positions))
    return (positions, index) if positions[-1] >= positions[0] else (positions[::-1], index[::-1])
