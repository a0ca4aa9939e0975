"""*Find tumours*: up to five places in an exam that enhance like a mass, ranked.

Blobs by differences of Gaussians at several scales: Lindeberg, International Journal of Computer Vision 1998; growing
and ranking them is ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import ndimage

from ..enhancement import FUNCTIONAL_ENHANCEMENT
from ..exam import Geometry
from .body import Body, coarsen, outline_body
from .grow import describe, measure
from .region import REACH_MM, Region, Window, grow_region, open_window
from .shape import Shape, Verdict, judge, measure_shape

_RADII_MM = (3.0, 5.0, 8.0, 12.0, 18.0)  # of the blobs that are looked for
_SEEDS, _MOST = 10, 5  # places that are grown, and candidates
_SKIN_MM = 5.0  # from the air: not looked at
_WINDOW_MM = 45.0  # from a place: nothing further is grown
_LEAST_ML, _LEAST_MM = 0.03, 1.2  # smaller or thinner things are no candidates
_BELIEF = {"mass": 1.0, "parenchyma": 0.35, "vessel": 0.25, "skin": 0.1, "noise": 0.05, "heart": 0.05}
_SHARED = 0.25
_LARGE_MM = 10.0  # thickness from which larger is not more suspicious


@dataclass(frozen=True, eq=False)
class Candidate:
    """A place that may be a tumour.

    Args:
        mask: uint8 (k, j, i), 1 in the candidate.
        score: higher is more suspicious; comparable within an exam only.
        position: LPS mm of the place from which it was grown.
        volume_ml: of the mask.
        diameters_mm: longest, across it, across both; see `lesion.measurements.diameters_of`.
        side: "left" or "right" of the patient; None if the exam does not show both breasts.
        verdict: what it looks like.
        reasons: what speaks for and against it, in words.
    """

    mask: np.ndarray
    score: float
    position: tuple[float, float, float]
    volume_ml: float
    diameters_mm: tuple[float, float, float]
    side: Literal["left", "right"] | None
    verdict: Verdict
    reasons: tuple[str, ...]


def find_tumours(
    pre: np.ndarray, early: np.ndarray, late: np.ndarray, geometry: Geometry, *, most: int = _MOST
) -> tuple[Candidate, ...]:
    """Return the places that enhance most like a mass, most suspicious first; none if nothing enhances.

    Args:
        pre, early, late: (k, j, i) phases of a whole exam, or of a part of one.
        geometry: of all.
        most: candidates at most.
    """
    body = outline_body(early, geometry)
    taken = np.zeros(geometry.shape, bool)
    found = []
    for place in _places(pre, early, body):
        if taken[tuple(np.minimum(np.rint(geometry.to_index(place)[::-1]).astype(int), np.array(taken.shape) - 1))]:
            continue
        window = open_window(pre, early, geometry, place[None], _WINDOW_MM)
        seed = window.distance <= max(REACH_MM, float(window.spacing.min()))
        region = grow_region(window, seed, FUNCTIONAL_ENHANCEMENT)
        if region is None:
            continue
        taken[window.box] |= region.mask
        shape = measure_shape(window, region, seed, body)
        if shape.volume_ml >= _LEAST_ML and shape.thickness >= _LEAST_MM:
            found.append(_candidate(window, region, shape, place, late, pre, geometry, body))
    return _without_repeats(sorted(found, key=lambda one: -one.score), most)


def _without_repeats(ranked: list[Candidate], most: int) -> tuple[Candidate, ...]:
    """Return the first of candidates that share more than a quarter of the smaller one."""
    kept: list[Candidate] = []
    for one in ranked:
        size = np.count_nonzero(one.mask)
        shared = (np.count_nonzero(one.mask & other.mask) / min(size, np.count_nonzero(other.mask)) for other in kept)
        if len(kept) < most and all(share <= _SHARED for share in shared):
            kept.append(one)
    return tuple(kept)


def _places(pre: np.ndarray, early: np.ndarray, body: Body) -> Iterator[np.ndarray]:
    """Yield LPS positions (3,) of the strongest blobs, strongest first."""
    rise = coarsen(early, body.factors) - coarsen(pre, body.factors)
    to_air = ndimage.distance_transform_edt(~body.air, sampling=body.spacing) if body.air.any() else np.inf
    allowed = ~body.air & ~body.chest & (to_air > _SKIN_MM)
    if not allowed.any():
        return
    usual = float(np.median(rise[allowed]))
    rise = np.where(allowed, np.maximum(rise - usual, 0), 0).astype(np.float32)
    blobs = np.max([_blobs(rise, radius, body.spacing) for radius in _RADII_MM], 0)
    blobs[~allowed] = 0
    step = np.ceil(4 / body.spacing).astype(int)
    peaks = (blobs == ndimage.maximum_filter(blobs, 2 * step + 1)) & (blobs > 0)
    order = np.argsort(blobs[peaks])[::-1][:_SEEDS]
    for coarse in np.argwhere(peaks)[order]:
        near = tuple(slice(max(c - s, 0), c + s + 1) for c, s in zip(coarse, np.maximum(step // 2, 1), strict=True))
        best = np.unravel_index(int(rise[near].argmax()), rise[near].shape)
        index = (np.array(best) + [n.start for n in near] + 0.5) * body.factors - 0.5
        yield body.geometry.to_physical(np.minimum(index, np.array(body.geometry.shape) - 1)[::-1])


def _blobs(rise: np.ndarray, radius: float, spacing: np.ndarray) -> np.ndarray:
    """Return how much more a ball around each voxel enhances than the shell around it, times the root of its radius."""
    inside = ndimage.gaussian_filter(rise, 0.5 * radius / spacing, truncate=3)
    around = ndimage.gaussian_filter(rise, np.maximum(radius, 3.0) / spacing, truncate=2.5)
    return np.asarray((inside - around) * np.float32(radius**0.5))


def _candidate(
    window: Window,
    region: Region,
    shape: Shape,
    place: np.ndarray,
    late: np.ndarray,
    pre: np.ndarray,
    geometry: Geometry,
    body: Body,
) -> Candidate:
    mask = np.zeros(geometry.shape, np.uint8)
    mask[window.box] = region.mask
    volume, three = measure(mask, geometry)
    verdict = judge(shape)
    later = float(np.median((late[window.box].astype(np.float32) - pre[window.box])[region.mask]))
    stays = later / max(region.level, 1e-6)  # less than 1 if it washes out
    size = min(shape.thickness, _LARGE_MM)
    edge, kinetics = np.clip(shape.contrast, 0.1, 1), np.clip(1.3 - 0.3 * stays, 0.7, 1.2)
    score = _BELIEF[verdict] * region.level * size * edge * kinetics
    side: Literal["left", "right"] | None = None
    if body.middle is not None:
        side = "left" if place[0] > body.middle else "right"
    reasons = (
        describe(volume, three),
        *([f"{side} breast"] if side else []),
        f"early enhancement {100 * shape.enhancement:+.0f} %",
        *(["washes out"] if stays < 0.9 else []),
        *([f"{shape.depth:.0f} mm under the skin at its centre"] if np.isfinite(shape.depth) else []),
        *([f"may be {verdict}"] if verdict != "mass" else []),
    )
    x, y, z = (float(c) for c in place)
    return Candidate(mask, float(score), (x, y, z), volume, three, side, verdict, reasons)
