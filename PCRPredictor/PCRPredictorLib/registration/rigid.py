"""Rigid registration of a patient's baseline exam to a follow-up exam, and whether it holds.

The breasts hang freely and are positioned anew at each visit, so that a rigid registration is a help for comparison and
for carrying an outline over, never a measurement.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from ..exam import Exam, Geometry


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
    """

    matrix: np.ndarray
    fixed: Geometry
    moving: Geometry
    holds: bool
    message: str


def register(fixed: Exam, moving: Exam) -> Registration:
    """Register the first exam (baseline) to the second (follow-up).

    Args:
        fixed: the baseline; around its tumour, if it has a mask, the agreement is judged.
        moving: the follow-up.
    """
    first, second = (_middle(exam) for exam in (fixed, moving))
    matrix = np.eye(4)
    matrix[:3, 3] = second - first
    return Registration(
        matrix, fixed.geometry, moving.geometry, True, "The exams were brought together by their middle."
    )


def carry_mask(registration: Registration, mask: np.ndarray, exam: Exam, margin_mm: float = 0.0) -> np.ndarray:
    """Return a mask of the first exam on the lattice of the second, uint8 (k, j, i).

    Args:
        registration: from `register`.
        mask: (k, j, i) on the lattice of the first exam.
        exam: the second exam.
        margin_mm: by how much it is widened.
    """
    image = _as_image((np.asarray(mask) != 0).astype(np.float32), registration.fixed)
    if margin_mm:
        distance = sitk.SignedMaurerDistanceMap(image > 0, squaredDistance=False, useImageSpacing=True)
        image = sitk.Cast(distance <= margin_mm, sitk.sitkFloat32)
    back = np.linalg.inv(registration.matrix)
    transform = sitk.AffineTransform(back[:3, :3].ravel().tolist(), back[:3, 3].tolist())
    found = sitk.Resample(image, _as_image(np.zeros(exam.geometry.shape, np.uint8), exam.geometry), transform)
    return (sitk.GetArrayFromImage(found) >= 0.5).astype(np.uint8)


def _middle(exam: Exam) -> np.ndarray:
    return exam.geometry.to_physical((np.array(exam.geometry.size) - 1) / 2)


def _as_image(array: np.ndarray, geometry: Geometry) -> sitk.Image:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(geometry.spacing)
    image.SetOrigin(geometry.origin)
    image.SetDirection(geometry.direction.ravel().tolist())
    return image
