"""How well a rigid motion brings two exams together, by measures that fail on a wrong one.

What decides is the texture: correlation of the logarithms of the signals, smoothed by 3 mm and less their mean over
10 mm, in what is tissue in both. Outlines of bodies agree between any two patients; textures do not. A real exam
had 0.97 against itself moved, 0.85 against itself deformed by 6 mm, as breasts are, and 0.0 against its mirror image
(`Testing/benchmarks/visits/registration.py`). Source: ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from ..formatting import format_percent
from .images import Picture, at_spacing, bright_in, nearest, to_transform

_FINE_MM, _COARSE_MM = 3.0, 10.0
_LATTICE_MM = 4.0
_NEAR_MM = (3.0, 45.0)  # from the tumour: the tissue that is compared
_LEAST_VOXELS = 100
LEAST_CORRELATION = 0.5
MOST_DISAGREEMENT_MM = 8.0
LEAST_OVERLAP = 0.7


@dataclass(frozen=True)
class Agreement:
    """How well two exams agree.

    Args:
        correlation: of the textures around the tumour or, without one, in the body, in [-1, 1]; 0 if both show too
            little of it.
        before: the same before the registration.
        overlap: of the bodies, Dice, where both fields reach.
        disagreement_mm: distance by which forward and backward registration miss each other.
        moved_mm: distance by which the tumour, or the middle of the body, moved.
        turned_degrees: angle by which the body turned.
        around_tumour: True if the correlation is that around the tumour.
    """

    correlation: float
    before: float
    overlap: float
    disagreement_mm: float
    moved_mm: float
    turned_degrees: float
    around_tumour: bool

    @property
    def holds(self) -> bool:
        """Return True if the exams seem to match."""
        return (
            self.correlation >= LEAST_CORRELATION
            and self.disagreement_mm <= MOST_DISAGREEMENT_MM
            and self.overlap >= LEAST_OVERLAP
        )

    def describe(self) -> str:
        """Return a sentence or two for the user."""
        where = "around the tumour" if self.around_tumour else "in the body"
        tissue = f"the tissue {where} correlates by {self.correlation:.2f}"
        if self.holds:
            return (
                f"The exams were brought together: {tissue} (before: {self.before:.2f}). "
                f"Between them, it moved by {self.moved_mm:.0f} mm and {self.turned_degrees:.0f} degrees."
            )
        if self.correlation == 0:
            reason = "there is too little tissue that both show"
        elif self.correlation < LEAST_CORRELATION:
            reason = f"{tissue}, {LEAST_CORRELATION:g} or more is expected"
        elif self.overlap < LEAST_OVERLAP:
            found, least = format_percent(self.overlap), format_percent(LEAST_OVERLAP)
            reason = f"the bodies overlap by {found}, {least} or more is expected"
        else:
            reason = f"forward and backward registration differ by {self.disagreement_mm:.0f} mm"
        return f"The exams could not be brought together: {reason}. Are they of the same patient and breast?"


def judge(one: Picture, other: Picture, matrix: np.ndarray, backward: np.ndarray) -> Agreement:
    """Return how well two pictures agree.

    Args:
        one: the first.
        other: the second.
        matrix: (4, 4), from the first to the second, LPS mm.
        backward: (4, 4), found independently from the second to the first.
    """
    correlation, overlap = _compare(one, other, matrix)
    before, _ = _compare(one, other, np.eye(4))
    there = matrix[:3, :3] @ one.centre + matrix[:3, 3]
    back = backward[:3, :3] @ there + backward[:3, 3]
    cosine = np.clip((np.trace(matrix[:3, :3]) - 1) / 2, -1, 1)
    return Agreement(
        correlation,
        before,
        overlap,
        float(np.linalg.norm(back - one.centre)),
        float(np.linalg.norm(there - one.centre)),
        float(np.degrees(np.arccos(cosine))),
        one.tumour is not None,
    )


def _compare(one: Picture, other: Picture, matrix: np.ndarray) -> tuple[float, float]:
    """Return the correlation of textures, and the overlap of bodies where both fields reach."""
    transform, lattice = to_transform(matrix), at_spacing(one.signal, _LATTICE_MM)
    signal = sitk.Resample(other.signal, lattice, transform, sitk.sitkLinear, np.nan)
    body = sitk.Resample(other.body, lattice, transform, sitk.sitkNearestNeighbor)
    first, second = sitk.GetArrayFromImage(lattice), sitk.GetArrayFromImage(signal)
    seen = np.isfinite(second)
    here, there = ((sitk.GetArrayFromImage(mask) > 0) & seen for mask in (nearest(one.body, lattice), body))
    overlap = 2 * int((here & there).sum()) / max(int(here.sum()) + int(there.sum()), 1)
    tissue = [sitk.GetArrayFromImage(bright_in(image)) > 0 for image in (lattice, _filled(signal))]
    spacing = lattice.GetSpacing()[::-1]
    both = ndimage.binary_erosion(here & there & tissue[0] & tissue[1])  # outlines agree between any two patients
    looked_at = both & _near(one, lattice)
    if np.count_nonzero(looked_at) < _LEAST_VOXELS:
        return 0.0, overlap
    textures = np.stack([_texture(array, both, spacing)[looked_at] for array in (first, second)])
    if not textures.std(1).all():
        return 0.0, overlap
    return float(np.corrcoef(textures)[0, 1]), overlap


def _filled(signal: sitk.Image) -> sitk.Image:
    """Return a signal with 0 for what is unknown."""
    return sitk.Mask(signal, signal == signal)  # nan is unlike itself


def _near(one: Picture, lattice: sitk.Image) -> np.ndarray | bool:
    if one.tumour is None:
        return True
    distance = sitk.SignedMaurerDistanceMap(one.tumour, squaredDistance=False, useImageSpacing=True)
    near = sitk.And(distance > _NEAR_MM[0], distance < _NEAR_MM[1])
    return np.asarray(sitk.GetArrayFromImage(nearest(near, lattice)) > 0)


def _texture(signal: np.ndarray, where: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """Return the logarithm of a signal, smoothed and less its surroundings, from voxels in `where` alone."""
    known = np.where(where, signal, 0.0)
    grey = np.log(np.maximum(known, 0) + 0.1 * max(float(np.median(known[where])), 1e-6))
    return _smooth(grey, where, spacing, _FINE_MM) - _smooth(grey, where, spacing, _COARSE_MM)


def _smooth(array: np.ndarray, where: np.ndarray, spacing: tuple[float, ...], mm: float) -> np.ndarray:
    sigma = [mm / step for step in spacing]
    weight = ndimage.gaussian_filter(where.astype(np.float32), sigma)
    return np.asarray(ndimage.gaussian_filter((array * where).astype(np.float32), sigma) / np.maximum(weight, 1e-3))
