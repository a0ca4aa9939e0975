"""Rigid registration of a patient's baseline exam to a follow-up exam, and whether it holds.

The pre-contrast phases are aligned by their mutual information (Mattes et al., IEEE Trans Med Imaging 2003; ITK through
SimpleITK): the bodies on voxels of 8 and 4 mm, then, if that agrees better, the tissue around the tumour on voxels of
2 mm. Breasts hang freely and are positioned anew at each visit: a rigid registration is a help for comparison and for
carrying an outline over, never a measurement.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import SimpleITK as sitk

from ..exam import Exam, Geometry
from .agreement import Agreement, judge
from .align import align_around_tumour, align_bodies
from .images import as_image, make_picture, to_transform

_FURTHEST_MM = 20.0  # that the tumour's surroundings may move against the body


@dataclass(frozen=True, eq=False)
class Registration:
    """Where the tissue of one exam lies in another.

    Args:
        matrix: (4, 4), takes LPS points in mm of the first exam (baseline) to the same tissue in the second
            (follow-up). To show the first exam on the second, move it by this matrix.
        fixed: lattice of the first exam.
        moving: lattice of the second exam.
        holds: False if the exams do not seem to match; then nothing must be carried over.
        message: how well it holds, a sentence for the user.
        agreement: the numbers behind it.
    """

    matrix: np.ndarray
    fixed: Geometry
    moving: Geometry
    holds: bool
    message: str
    agreement: Agreement


def register(fixed: Exam, moving: Exam) -> Registration:
    """Register the first exam (baseline) to the second (follow-up), in a second or two.

    Args:
        fixed: the baseline; around its tumour, if it has a mask, the exams are aligned best, and judged.
        moving: the follow-up; its mask, if it has one, is not looked at.
    """
    one, other = make_picture(fixed), make_picture(replace(moving, mask=None, lesions=()))
    forward, backward = align_bodies(one, other), align_bodies(other, one)
    agreement = judge(one, other, forward, backward)
    closer = align_around_tumour(one, other, forward)
    better = replace(judge(one, other, closer, backward), disagreement_mm=agreement.disagreement_mm)  # of the bodies
    apart = float(np.linalg.norm((closer - forward) @ np.append(one.centre, 1)))
    if apart <= _FURTHEST_MM and better.correlation > agreement.correlation:
        forward, agreement = closer, better
    return Registration(forward, fixed.geometry, moving.geometry, agreement.holds, agreement.describe(), agreement)


def carry_mask(registration: Registration, mask: np.ndarray, exam: Exam, margin_mm: float = 0.0) -> np.ndarray:
    """Return a mask of the first exam on the lattice of the second, uint8 (k, j, i).

    Args:
        registration: from `register`.
        mask: (k, j, i) on the lattice of the first exam.
        exam: the second exam.
        margin_mm: by how much it is widened.
    """
    lattice = as_image(np.zeros(exam.geometry.shape), exam.geometry)
    inside = as_image(np.asarray(mask) != 0, registration.fixed)
    if not margin_mm or not np.any(mask):
        share = sitk.Resample(inside, lattice, to_transform(np.linalg.inv(registration.matrix)))
        return np.asarray(sitk.GetArrayFromImage(share) >= 0.5).astype(np.uint8)
    distance = sitk.SignedMaurerDistanceMap(inside > 0, squaredDistance=False, useImageSpacing=True)
    moved = sitk.Resample(distance, lattice, to_transform(np.linalg.inv(registration.matrix)), sitk.sitkLinear, np.inf)
    edge = min(registration.fixed.spacing) / 2  # it is 0 in the middle of the outermost voxels
    return np.asarray(sitk.GetArrayFromImage(moved) <= margin_mm + edge).astype(np.uint8)
