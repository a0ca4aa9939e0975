"""The tumour that a click, a scribble or a box grows, and what it says about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..enhancement import FUNCTIONAL_ENHANCEMENT
from ..errors import DataError
from ..exam import Geometry
from ..formatting import format_diameters
from ..lesion.measurements import diameters_of
from .body import Body, outline_body
from .region import LEAST_ENHANCEMENT, REACH_MM, Region, Window, grow_region, open_window
from .shape import Shape, Verdict, judge, measure_shape

_FIRST_MM, _FURTHEST_MM = 30.0, 60.0  # from the click: the larger window is opened if the lesion fills the smaller
_MOST_POINTS = 60  # of a scribble; more are thinned out
_LOOKS = {
    "vessel": "a vessel, or a lesion with many vessels: it is long, or spreads like a net",
    "skin": "skin or the nipple: it lies within a few millimetres of the air",
    "parenchyma": "normal tissue: it enhances little, or without a clear edge",
    "heart": "the heart, a great vessel or the liver: it lies inside the chest",
    "noise": "noise: it is a speck that hardly enhances",
}


@dataclass(frozen=True, eq=False)
class Grown:
    """Describe what a click has grown. Check `question` before the mask is used.

    Args:
        mask: uint8 (k, j, i), 1 in the tumour, with the tumour that was extended, if any.
        verdict: what the click stands on.
        volume_ml: of the mask.
        diameters_mm: longest, across it, across both; see `lesion.measurements.diameters_of`.
        message: what was done, such as "4.6 ml, 24 × 22 × 20 mm".
        question: asks whether to keep the mask although the click does not stand on a mass; empty if it does, or if
            the user insisted.
        shape: the numbers behind the verdict, if they are known.
    """

    mask: np.ndarray
    verdict: Verdict
    volume_ml: float
    diameters_mm: tuple[float, float, float]
    message: str
    question: str = ""
    shape: Shape | None = None


def grow_tumour(
    pre: np.ndarray,
    early: np.ndarray,
    geometry: Geometry,
    position: Sequence[float] | np.ndarray,
    *,
    box: bool = False,
    base: np.ndarray | None = None,
    enhancement: float = FUNCTIONAL_ENHANCEMENT,
    force: bool = False,
    body: Body | None = None,
) -> Grown:
    """Grow the enhancing tissue that is connected to a click or a scribble, or the largest piece of it in a box.

    Args:
        pre, early: (k, j, i) phases.
        geometry: of both.
        position: LPS mm of a click, (3,), or of the points of a scribble, (n, 3), or of two corners of a box, (2, 3).
        box: True if `position` holds two corners of a box.
        base: (k, j, i) tumour to extend; all of it is kept. None to begin anew.
        enhancement: lowest (early - pre) / pre, or half of the lesion's own if that is less; 0.7 is that of the
            functional tumour volume.
        force: do not ask if the click stands on something else than a mass.
        body: the outlines of the body, if they are at hand.

    Raises:
        DataError: if the click is outside the exam or nothing near it enhances.
    """
    points = np.atleast_2d(np.asarray(position, float))
    _check_inside(points, geometry, box)
    window, seed, region = (
        _grow_in_box(pre, early, geometry, points, enhancement)
        if box
        else _grow_from(pre, early, geometry, points, enhancement)
    )
    shape = measure_shape(window, region, seed, body or outline_body(early, geometry))
    verdict = judge(shape)
    mask = np.zeros(geometry.shape, np.uint8)
    mask[window.box] = region.mask
    added = int(np.count_nonzero(mask)) * geometry.voxel_volume / 1000
    if base is not None:
        mask |= np.asarray(base != 0).astype(np.uint8)
    volume, three = measure(mask, geometry)
    message, seeds = describe(volume, three), "box" if box else "click" if len(points) == 1 else "scribble"
    if region.cut:
        message += f"; cut {_FURTHEST_MM:.0f} mm from the {seeds}"
    return Grown(mask, verdict, volume, three, message, "" if force else question(verdict, added, seeds), shape)


def question(verdict: Verdict, volume_ml: float, seeds: str = "click") -> str:
    """Return what to ask before a region of some ml is used as the tumour; empty if it looks like a mass.

    Args:
        verdict: what the region looks like.
        volume_ml: of the region.
        seeds: what it was grown from: "click", "scribble" or "box".
    """
    if verdict == "mass":
        return ""
    return f"The {seeds} stands on what looks like {_LOOKS[verdict]}. Use the {_ml(volume_ml)} around it as the tumour?"


def describe(volume_ml: float, diameters_mm: Sequence[float]) -> str:
    """Return volume and diameters in words: "4.6 ml, 24 × 22 × 20 mm"."""
    return f"{_ml(volume_ml)}, {format_diameters(diameters_mm)}"


def measure(mask: np.ndarray, geometry: Geometry) -> tuple[float, tuple[float, float, float]]:
    """Return the volume in ml and the diameters in mm of a mask (k, j, i), not empty."""
    return int(np.count_nonzero(mask)) * geometry.voxel_volume / 1000, diameters_of(mask, geometry)


def _ml(volume: float) -> str:
    return f"{volume:.1f} ml" if volume >= 1 else f"{volume:.2g} ml"


def _check_inside(points: np.ndarray, geometry: Geometry, box: bool) -> None:
    index = geometry.to_index(points)
    if not ((index >= -0.5) & (index <= np.array(geometry.size) - 0.5)).all():
        raise DataError(
            "both corners of the box must be inside the exam; give a box around the lesion, LPS mm"
            if box
            else "the click must be inside the exam; click on the lesion in a slice view"
        )


def _grow_from(
    pre: np.ndarray, early: np.ndarray, geometry: Geometry, points: np.ndarray, enhancement: float
) -> tuple[Window, np.ndarray, Region]:
    """Return window, seed and region of a click or scribble; a large lesion is followed in a larger window."""
    points = points[:: len(points) // _MOST_POINTS + 1]
    window, seed, region = _grow_within(_FIRST_MM, pre, early, geometry, points, enhancement)
    return (
        _grow_within(_FURTHEST_MM, pre, early, geometry, points, enhancement) if region.cut else (window, seed, region)
    )


def _grow_within(
    radius: float, pre: np.ndarray, early: np.ndarray, geometry: Geometry, points: np.ndarray, enhancement: float
) -> tuple[Window, np.ndarray, Region]:
    window = open_window(pre, early, geometry, points, radius)
    seed = window.distance <= max(REACH_MM, float(window.spacing.min()))
    region = grow_region(window, seed, enhancement)
    if region is None:
        raise DataError(
            f"nothing within {REACH_MM:.0f} mm of the click enhances {_most(window, seed, enhancement)}; "
            "click on the bright part of the lesion, or paint it"
        )
    return window, seed, region


def _grow_in_box(
    pre: np.ndarray, early: np.ndarray, geometry: Geometry, corners: np.ndarray, enhancement: float
) -> tuple[Window, np.ndarray, Region]:
    """Return window, seed and region of the brightest place in a box; nothing outside the box is taken."""
    if len(corners) != 2:
        raise DataError(f"a box must have two corners, got {len(corners)} points; give two opposite corners")
    radius = float(np.linalg.norm(corners[1] - corners[0])) + 10.0
    window = open_window(pre, early, geometry, corners.mean(0, keepdims=True), radius)
    low, high = np.sort(geometry.to_index(corners)[:, ::-1], axis=0)
    spans = [
        (np.arange(b.start, b.stop) >= a - 0.5) & (np.arange(b.start, b.stop) <= z + 0.5)
        for b, a, z in zip(window.box, low, high, strict=True)
    ]
    inside = spans[0][:, None, None] & spans[1][None, :, None] & spans[2]
    seed = inside & (window.rise >= np.percentile(window.rise[inside], 90))
    region = grow_region(window, seed, enhancement, within=inside)
    if region is None:
        raise DataError(
            f"nothing in the box enhances {_most(window, inside, enhancement)}; draw it around the lesion, or paint it"
        )
    return window, seed, region


def _most(window: Window, seed: np.ndarray, enhancement: float) -> str:
    most = float(window.ratio[seed & window.tissue].max(initial=0))  # in air it means nothing
    found = f"by {100 * min(enhancement, LEAST_ENHANCEMENT):.0f} % (at most {100 * most:.0f} %)"
    if enhancement <= LEAST_ENHANCEMENT:
        return f"{found}, the minimum enhancement"
    limit = f"the minimum enhancement of {100 * enhancement:.0f} % limits its extent"
    return f"{found}, which a lesion is grown from; {limit}"
