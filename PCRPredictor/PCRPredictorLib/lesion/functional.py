"""What the I-SPY trials measure of a tumour: functional volume, diameter, sphericity, peak signal enhancement ratio.

With pre, early and late signal P, E, L: percent enhancement PE = 100 (E - P) / P, signal enhancement ratio
SER = (E - P) / (L - P). A voxel of the volume of interest is functional tumour if

- PE >= 70,
- SER >= 0: it is not darker late than before contrast,
- four or more of its 26 neighbours satisfy the other conditions, too (slices more than 3 mm apart, beyond the trial's
  protocol, say nothing of each other: the slice itself then takes the place of those above and below),
- P >= 0.6 times the 95th percentile of P in the box around the volume of interest. This tells tissue from suppressed
  fat and air; it does not apply inside an outline, which has told them apart already.

The trial's early phase is that nearest to 150 s after injection, its late phase that nearest to 450 s.

Sources: Hylton et al., Radiology 2012 and 2016; the extension Breast_DCEMRI_FTV of the trial's core laboratory for the
conditions and times; Li et al., npj Breast Cancer 2020. The diameter is that of RECIST 1.1 (Eisenhauer et al., Eur J
Cancer 2009). That the sphericity's surface consists of voxel faces follows from the published values, see
`face_sphericity`. The publications at hand do not say what the peak SER is averaged over. Here it is the
95th percentile of means over 3 x 3 pixels: on phantoms the highest of them is 0.09 too high because of noise, the
percentile 0.04.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ..enhancement import FUNCTIONAL_ENHANCEMENT, relative_enhancement, signal_floor
from ..exam import Exam, Geometry, bounding_box
from .measurements import longest_in_slice

REFERENCE_SHARE = 0.6  # of the reference, the least signal of tissue before contrast
REFERENCE_PERCENTILE = 95
LEAST_NEIGHBOURS = 4
_THICK_MM = 3.0  # the trial's slices are 2.5 mm thick at most
_CONNECTED = np.ones((3, 3, 3))
_HOT_SPOT = 3  # pixels along each side
_PEAK_PERCENTILE = 95
_LEAST_OF_SPOT = 5  # of its 9 pixels, in the functional volume


def functional_voxels(exam: Exam, region: np.ndarray, outlined: bool = True) -> np.ndarray:
    """Return the voxels of the functional tumour volume, bool (k, j, i).

    Args:
        exam: its phases.
        region: (k, j, i), non-zero in the volume of interest.
        outlined: True if the region is the tumour's outline; False if it holds other tissue as well.
    """
    found = np.zeros(exam.geometry.shape, bool)
    if not np.any(region):
        return found
    box = tuple(slice(max(span.start - 1, 0), span.stop + 1) for span in bounding_box(region))
    pre, early, late = (phase[box] for phase in exam.phases)
    inside = np.asarray(region)[box] != 0
    floor = signal_floor(pre[inside], early[inside])
    candidates = inside & (relative_enhancement(pre, early, floor) >= FUNCTIONAL_ENHANCEMENT) & (late >= pre)
    if not outlined:
        candidates &= pre >= REFERENCE_SHARE * np.percentile(pre, REFERENCE_PERCENTILE)
    found[box] = candidates & (_count_neighbours(candidates, exam.geometry) >= LEAST_NEIGHBOURS)
    return found


def _count_neighbours(voxels: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Return how many of the 26 neighbours of each voxel, (k, j, i) bool, are among them.

    At the end of the field the voxels are taken to go on.
    """
    weights = np.ones((3, 3, 3), np.uint8)
    axis = geometry.slice_axis
    if geometry.spacing[::-1][axis] > _THICK_MM:
        weights[tuple(slice(None) if a != axis else slice(None, None, 2) for a in range(3))] = 0
        weights *= 3
    return np.asarray(ndimage.convolve(voxels.astype(np.uint8), weights, mode="nearest") - voxels)


def longest_of_largest_piece(mask: np.ndarray, geometry: Geometry) -> float:
    """Return the longest diameter within a slice of the mask's largest piece in mm, 0 if the mask is empty.

    Args:
        mask: (k, j, i), non-zero inside. Voxels that touch at a corner belong to one piece.
        geometry: of the exam; its slices are those that were acquired.
    """
    if not np.any(mask):
        return 0.0
    box = bounding_box(mask)
    pieces, count = ndimage.label(np.asarray(mask)[box] != 0, _CONNECTED)
    largest = pieces == 1 + int(np.bincount(pieces.ravel())[1:].argmax()) if count > 1 else pieces > 0
    return longest_in_slice(largest, geometry)


def share_of_largest_piece(mask: np.ndarray) -> tuple[int, float]:
    """Return the number of pieces of a mask, and the share of its voxels in the largest; (0, 1) if it is empty."""
    pieces, number = ndimage.label(np.asarray(mask) != 0, _CONNECTED)
    sizes = np.bincount(pieces.ravel())[1:]
    return number, float(sizes.max() / sizes.sum()) if number else 1.0


def face_sphericity(mask: np.ndarray, spacing: tuple[float, ...]) -> float | None:
    """Return the surface of a ball of the mask's volume over the outer faces of its voxels; None without a voxel.

    It is 0.81 for a cube, 0.67 for a ball of many voxels and far less for a porous or ragged tumour. It depends on the
    size of the voxels: compare exams of one protocol. None of the trial's 1536 published values exceeds that of a cube,
    not even of tumours of a few voxels; on smoothed surfaces many would. It is not the `sphericity` of `measurements`.

    Args:
        mask: (k, j, i), non-zero inside.
        spacing: mm along k, j, i.
    """
    if not np.any(mask):
        return None
    inside = np.pad(np.asarray(mask)[bounding_box(mask)] != 0, 1)
    voxel = float(np.prod(spacing))
    surface = sum(np.count_nonzero(np.diff(inside, axis=axis)) * voxel / spacing[axis] for axis in range(3))
    return float(np.pi ** (1 / 3) * (6 * np.count_nonzero(inside) * voxel) ** (2 / 3) / surface)


def highest_ser(exam: Exam, functional: np.ndarray) -> float | None:
    """Return the peak signal enhancement ratio: the 95th percentile of those of 3 x 3 pixels; None without a voxel.

    Signals are averaged before the ratio is taken, over the functional pixels of a slice alone, at least five of the
    nine. A volume that has no such place is averaged as a whole. Above 1 the signal falls after the early phase.

    Args:
        exam: its phases.
        functional: (k, j, i) bool, from `functional_voxels`.
    """
    if not functional.any():
        return None
    box = bounding_box(functional)
    inside = functional[box].astype(float)
    pre, early, late = (phase[box].astype(float) * inside for phase in exam.phases)
    size = [1 if axis == exam.geometry.slice_axis else _HOT_SPOT for axis in range(3)]
    rise, later, share = (_mean(array, size) for array in (early - pre, late - pre, inside))
    usable = functional[box] & (share * _HOT_SPOT**2 > _LEAST_OF_SPOT - 0.5) & (later > 0)
    if usable.any():
        return float(np.percentile(rise[usable] / later[usable], _PEAK_PERCENTILE))
    return float((early - pre).sum() / (late - pre).sum()) if (late - pre).sum() > 0 else None


def _mean(array: np.ndarray, size: list[int]) -> np.ndarray:
    return np.asarray(ndimage.uniform_filter(array, size, mode="constant"))
