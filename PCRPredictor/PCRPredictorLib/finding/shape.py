"""What a region looks like: a mass, a vessel, skin, parenchyma, the heart, noise.

The limits are ours; they were chosen on simulated exams and on half of the I-SPY2 slabs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import ndimage

from ..exam import bounding_box
from .body import Body, Box
from .region import Region, Window, depth_inside

Verdict = Literal["mass", "vessel", "skin", "parenchyma", "heart", "noise"]

_SKIN_MM = 6.5  # from the air: skin, with the blur of the outline
_THIN_MM = 2.6  # half the width of what may be a vessel
_AWAY_MM = 4.0  # a click further from the thick part of a region than this is not meant for it
_CHEST = 0.35
_LONG, _BRANCHED = 2.2, 2.3  # a vessel is this many times longer than wide, or larger than its width suggests
_FAR_MM = 10.0  # a thick part that far from the click is a different lesion, joined by vessels
_NET, _NET_MM = 2.5, 5.0  # a region larger than its thickness suggests, by this factor, and thinner than this
_DIFFUSE, _FAINT = 0.62, 0.65
_SPECK_ML, _WEAK = 0.05, 6.0


@dataclass(frozen=True)
class Shape:
    """Numbers that tell a mass from what else enhances.

    Args:
        thickness: radius in mm of the largest ball inside the region.
        at_click: the same for balls around the click.
        away: distance in mm from the click to the thick part of the region.
        length: longest principal axis over the second.
        spread: radius of the ball of the same volume, over `thickness`.
        contrast: 1 where nothing around the region enhances, 0 where a quarter of it enhances as much.
        enhancement: median relative enhancement.
        noise: median rise over the standard deviation of noise.
        depth: distance in mm of the click from the air.
        skin: share of the region that is as close to the air as skin.
        chest: share of the region inside the chest.
        volume_ml: of the region.
        cut: True if the region reaches further than it was followed.
    """

    thickness: float
    at_click: float
    away: float
    length: float
    spread: float
    contrast: float
    enhancement: float
    noise: float
    depth: float
    skin: float
    chest: float
    volume_ml: float
    cut: bool


def measure_shape(window: Window, region: Region, seed: np.ndarray, body: Body) -> Shape:
    """Return the numbers of a region that was grown from a seed, (k, j, i) bool in the window."""
    spacing = window.spacing
    margin = [int(np.ceil(6 / s)) for s in spacing]
    box = tuple(slice(max(b.start - m, 0), b.stop + m) for b, m in zip(bounding_box(region.mask), margin, strict=True))
    mask, rise, near = region.mask[box], window.rise[box], seed[box]
    depth = depth_inside(mask, spacing)
    thickness = float(depth.max())
    at_click = float(depth[near].max(initial=0)) or float(depth[window.distance[box] == window.distance[box].min()][0])
    volume = np.count_nonzero(mask) * float(np.prod(spacing))
    places = np.argwhere(mask) * spacing
    axes = np.sqrt(np.linalg.eigvalsh(np.cov(places.T) + 0.01 * np.eye(3))) if len(places) > 3 else np.ones(3)
    outside = ndimage.distance_transform_edt(~mask, sampling=spacing)
    shell = (outside > max(1.5, 1.1 * spacing[1])) & (outside <= 5) & window.tissue[box]
    inside = float(np.median(rise[mask]))
    around = float(np.percentile(rise[shell], 75)) if shell.any() else 0.0
    exam: Box = tuple(slice(w.start + b.start, w.start + b.stop) for w, b in zip(window.box, box, strict=True))
    exam = tuple(slice(e.start, min(e.stop, w.stop)) for e, w in zip(exam, window.box, strict=True))
    to_air = body.depth(exam)
    click = np.unravel_index(int(window.distance[box].argmin()), mask.shape)
    return Shape(
        thickness=thickness,
        at_click=at_click,
        away=float(window.distance[box][depth > 0.6 * thickness].min()),
        length=float(axes[2] / axes[1]),
        spread=(3 * volume / (4 * np.pi)) ** (1 / 3) / thickness,
        contrast=1 - around / max(inside, 1e-6),
        enhancement=float(np.median(window.ratio[box][mask])),
        noise=inside / max(window.noise, 1e-6),
        depth=float(to_air[click]),
        skin=float(np.mean(to_air[mask] <= _SKIN_MM)),
        chest=float(np.mean(body.in_chest(exam)[mask])),
        volume_ml=volume / 1000,
        cut=region.cut,
    )


def judge(shape: Shape) -> Verdict:
    """Return what a region looks like."""
    thin = shape.at_click < _THIN_MM
    if shape.chest > _CHEST:
        return "heart"
    if shape.skin > 0.6 or (thin and shape.depth <= _SKIN_MM):
        return "skin"
    if shape.volume_ml < _SPECK_ML and shape.noise < _WEAK:
        return "noise"
    if thin and shape.thickness > 1.8 * shape.at_click and shape.away > _AWAY_MM:
        return "parenchyma" if shape.contrast < _DIFFUSE else "vessel"
    if thin and (shape.length > _LONG or shape.spread > _BRANCHED):
        return "parenchyma" if shape.contrast < _DIFFUSE and shape.enhancement < _FAINT else "vessel"
    is_joined = shape.away > _FAR_MM and shape.thickness > 1.8 * shape.at_click
    if is_joined or (shape.spread > _NET and shape.thickness < _NET_MM):
        return "vessel"
    if shape.contrast < _DIFFUSE and (shape.enhancement < _FAINT or shape.cut):
        return "parenchyma"
    return "mass"
