"""What a radiologist writes about a tumour into a report: diameters, volumes, shape, side, distances.

The surface is that of the marching cubes algorithm on the mask: its vertices lie in the middle of the outer faces of
voxels. Sources: Image Biomarker Standardisation Initiative, Zwanenburg et al., Radiology 2020 (maximum 3D diameter,
sphericity); Hylton et al., Radiology 2012 (functional tumour volume at 70 % early enhancement). The diameters across,
the smoothing of the surface and the outline of the body are ours.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import ndimage
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist

from ..enhancement import FUNCTIONAL_ENHANCEMENT, relative_enhancement, signal_floor
from ..exam import Exam, Geometry, bounding_box
from ..prediction import Measurements
from .body import Body, Side

_STEP_MM = 1.0  # coarsest sampling of the surface's area for a small tumour
_MOST_SAMPLES = 200_000  # of it for a large one
_MOST_POINTS = 400  # of the surface whose distances are measured: 3 mm apart on a tumour of 50 mm
_CONNECTED = np.ones((3, 3, 3))


class Place(NamedTuple):
    """Where a tumour is; None if the exam does not tell."""

    side: Side | None = None
    to_skin: float | None = None
    to_nipple: float | None = None


def measure_lesion(exam: Exam, body: Body | None = None) -> Measurements:
    """Measure the tumour of an exam.

    Args:
        exam: with a mask that is not empty.
        body: outline from `outline_body`, None if there is none.
    """
    box = bounding_box(np.asarray(exam.mask))
    mask = np.asarray(exam.mask)[box] != 0
    offset = [axis.start for axis in box]
    points = exam.geometry.to_physical(surface_points(mask, offset)[:, ::-1])
    longest, second, third = diameters(points)
    pre, early = (phase[box][mask] for phase in (exam.pre, exam.early))
    functional = relative_enhancement(pre, early, signal_floor(pre, early)) >= FUNCTIONAL_ENHANCEMENT
    place = locate(points, exam.centre, body)
    return Measurements(
        longest_mm=longest,
        across_mm=(second, third),
        longest_in_slice_mm=longest_in_slice(mask, exam.geometry),
        volume_ml=int(mask.sum()) * exam.geometry.voxel_volume / 1000,
        functional_volume_ml=int(functional.sum()) * exam.geometry.voxel_volume / 1000,
        sphericity=sphericity(mask, exam.geometry.spacing[::-1]),
        pieces=count_pieces(mask),
        side=place.side,
        distance_to_skin_mm=place.to_skin,
        distance_to_nipple_mm=place.to_nipple,
    )


def diameters_of(mask: np.ndarray, geometry: Geometry) -> tuple[float, float, float]:
    """Return the `diameters` of a mask (k, j, i), not empty, in mm; a box around the tumour is enough."""
    box = bounding_box(mask)
    points = surface_points(np.asarray(mask)[box] != 0, [axis.start for axis in box])
    return diameters(geometry.to_physical(points[:, ::-1]))


def surface_points(mask: np.ndarray, offset: list[int] | tuple[int, ...] = (0, 0, 0)) -> np.ndarray:
    """Return the middle of the first and last outer face of each line of voxels: all corners of the convex hull.

    Args:
        mask: bool, (k, j, i) or (rows, columns), not empty.
        offset: added to the indices.

    Returns:
        (N, 3) or (N, 2) continuous indices in the order of the axes.
    """
    found = []
    for axis in range(mask.ndim):
        lines = np.argwhere(mask.any(axis))
        first = mask.argmax(axis)[tuple(lines.T)]
        last = mask.shape[axis] - 1 - np.flip(mask, axis).argmax(axis)[tuple(lines.T)]
        found += [np.insert(lines, axis, 0, 1) + _along(mask.ndim, axis, at) for at in (first - 0.5, last + 0.5)]
    return np.concatenate(found) + np.asarray(offset[: mask.ndim])


def _along(dimensions: int, axis: int, values: np.ndarray) -> np.ndarray:
    return values[:, None] * np.eye(dimensions)[axis]


def diameters(points: np.ndarray) -> tuple[float, float, float]:
    """Return the longest distance between points, the longest across it, and the extent across both, in mm.

    "Across" is measured between the points seen along the longest diameter (projected along it); the third is their
    extent at right angles to both.

    Args:
        points: (n, 3) mm, not all in one plane.
    """
    hull = points[ConvexHull(points).vertices]
    first, along = _longest(hull)
    flat = hull - np.outer(hull @ along, along)
    second, across = _longest(flat)
    third = np.ptp(flat @ np.cross(along, across))
    return first, second, float(third)


def _longest(points: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the longest distance between points and the unit vector along it."""
    best = int((distances := pdist(points)).argmax())
    start, end = np.column_stack(np.triu_indices(len(points), 1))[best]
    return float(distances[best]), (points[end] - points[start]) / distances[best]


def longest_in_slice(mask: np.ndarray, geometry: Geometry) -> float:
    """Return the longest diameter within one slice as it was acquired, mm.

    Args:
        mask: (k, j, i) bool; a box around the tumour is enough.
        geometry: of the exam.
    """
    axis = geometry.slice_axis
    spacing = np.delete(geometry.spacing[::-1], axis)
    slices = np.moveaxis(mask, axis, 0)
    hulls = (surface_points(each) * spacing for each in slices if each.any())
    return max(float(pdist(points[ConvexHull(points).vertices]).max()) for points in hulls)


def sphericity(mask: np.ndarray, spacing: tuple[float, ...]) -> float:
    """Return the surface of a ball of the tumour's volume over the tumour's surface: 1 for a ball, less otherwise.

    The signed distance to the mask's edge is sampled on cubes, and the surface is the total variation of the smoothed
    inside. Balls and ellipsoids of four slices or more come out within 5 %; of sharp corners, which are rounded, a cube
    comes out a tenth too round.

    Args:
        mask: (k, j, i) bool, not empty.
        spacing: mm along k, j, i.
    """
    size = np.array(spacing, float)
    extent = float(np.prod(np.array(mask.shape) * size + 4))
    step = max(min(float(size.min()), _STEP_MM), (extent / _MOST_SAMPLES) ** (1 / 3))
    padded = np.pad(mask, [(int(np.ceil(4 * step / s)) + 1,) * 2 for s in size])
    signed = ndimage.distance_transform_edt(~padded, sampling=size) - ndimage.distance_transform_edt(
        padded, sampling=size
    )
    signed = ndimage.zoom(signed.astype(np.float32), size / step, order=1, grid_mode=True, mode="nearest")
    cube = size * padded.shape / signed.shape
    inside = (signed < 0).astype(np.float32)
    slopes = np.gradient(ndimage.gaussian_filter(inside, step / cube, truncate=3.0), *cube)
    surface = float(np.sqrt(sum(slope**2 for slope in slopes)).sum() * np.prod(cube))
    volume = float(inside.sum() * np.prod(cube))
    return min(np.pi ** (1 / 3) * (6 * volume) ** (2 / 3) / surface, 1.0) if surface else 1.0


def count_pieces(mask: np.ndarray) -> int:
    """Return the number of pieces of a mask, (k, j, i), that do not touch each other, not even at a corner."""
    return int(ndimage.label(mask, _CONNECTED)[1])


def locate(points: np.ndarray, centre: np.ndarray, body: Body | None) -> Place:
    """Return side and distances of a tumour from its surface, (n, 3) LPS mm, and its centre."""
    if body is None:
        return Place()
    nipple = body.nipple_near(centre)
    near = points[:: 1 + len(points) // _MOST_POINTS]
    return Place(
        body.side_of(centre),
        float(body.distance_to_skin(near).min()),
        None if nipple is None else float(np.linalg.norm(near - nipple, axis=1).min()),
    )
