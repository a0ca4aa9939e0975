"""The rigid motion that aligns two pictures best by mutual information.

Source: Mattes et al., PET-CT image registration in the chest using free-form deformations, IEEE Trans Med Imaging 2003.
"""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from ..exam import bounding_box
from .images import Picture, at_spacing, middle_of, nearest

_LEVELS = ((8.0, 6.0), (4.0, 2.0))  # mm of voxels, and of the optimiser's first step
_FINE_STEP_MM = 1.0
_SMALLEST_STEP = 0.01  # of the first one
_ITERATIONS = 60
_BINS = 32
_RIM_MM = 6.0  # of air around the body, that takes part: the skin tells most
_AROUND_MM = 45.0  # of a tumour, that is aligned
_TREATED_MM = 2.0  # around it, that treatment changes, too


def align_bodies(one: Picture, other: Picture) -> np.ndarray:
    """Return the motion of the body from one picture to the other: (4, 4), LPS mm.

    It starts both with the centres of the bodies upon each other and with the positions that the headers give, as
    fields may differ. The tumour of the first picture does not take part.
    """
    centre = middle_of(one.body)
    start = np.eye(4)
    start[:3, 3] = middle_of(other.body) - centre
    region = _without(_grown(one.body, _RIM_MM), one.tumour)
    found = [(0.0, start), (0.0, np.eye(4))]
    for mm, step in _LEVELS:
        fixed, moving = at_spacing(one.signal, mm), at_spacing(other.signal, mm)
        inside = nearest(region, fixed)
        found = [min((_optimise(fixed, moving, inside, m, centre, step) for _, m in found), key=lambda each: each[0])]
    return found[0][1]


def align_around_tumour(one: Picture, other: Picture, matrix: np.ndarray) -> np.ndarray:
    """Return the motion of the tissue within 45 mm around the tumour of the first picture: (4, 4), LPS mm.

    The tumour itself does not take part.

    Args:
        one: the first picture; without a tumour the motion is that of the body.
        other: the second.
        matrix: (4, 4), the motion of the body, from which it starts.
    """
    if one.tumour is None:
        return matrix
    box = _box_around(one.tumour, _AROUND_MM)
    signal, body, tumour = one.signal[box], one.body[box], one.tumour[box]
    ball = sitk.And(_grown(tumour, _AROUND_MM), _grown(body, _RIM_MM))
    region = _without(ball, _grown(tumour, _TREATED_MM))
    return _optimise(signal, other.signal, region, matrix, one.centre, _FINE_STEP_MM)[1]


def _box_around(mask: sitk.Image, mm: float) -> tuple[slice, ...]:
    """Return the box (i, j, k) that a mask fills, widened."""
    k, j, i = bounding_box(sitk.GetArrayFromImage(mask))
    margins = [int(np.ceil(mm / spacing)) + 1 for spacing in mask.GetSpacing()]
    return tuple(slice(max(s.start - m, 0), s.stop + m) for s, m in zip((i, j, k), margins, strict=True))


def _optimise(
    fixed: sitk.Image, moving: sitk.Image, region: sitk.Image, start: np.ndarray, centre: np.ndarray, step: float
) -> tuple[float, np.ndarray]:
    """Return the mutual information in a region of the fixed image, negative, and the (4, 4) matrix of the best motion.

    Images that do not meet keep their start.
    """
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)
    method.SetNumberOfWorkUnits(1)  # a sum over several depends on their order
    method.SetMetricAsMattesMutualInformation(_BINS)
    method.SetMetricFixedMask(region)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(step, step * _SMALLEST_STEP, _ITERATIONS)
    method.SetOptimizerScalesFromPhysicalShift()
    motion = sitk.Euler3DTransform()
    motion.SetCenter(centre.tolist())
    motion.SetMatrix(start[:3, :3].ravel().tolist(), 1e-6)
    motion.SetTranslation((start[:3, :3] @ centre + start[:3, 3] - centre).tolist())
    method.SetInitialTransform(motion, inPlace=True)
    try:
        method.Execute(fixed, moving)
    except RuntimeError:  # of ITK: the images do not overlap, or by too little
        return 0.0, start
    return float(method.GetMetricValue()), _matrix_of(motion)


def _matrix_of(motion: sitk.Euler3DTransform) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(motion.GetMatrix(), (3, 3))
    matrix[:3, 3] = motion.TransformPoint((0.0, 0.0, 0.0))
    return matrix


def _grown(mask: sitk.Image, mm: float) -> sitk.Image:
    distance = sitk.SignedMaurerDistanceMap(mask, squaredDistance=False, useImageSpacing=True)
    return distance <= mm


def _without(mask: sitk.Image, other: sitk.Image | None) -> sitk.Image:
    return mask if other is None else sitk.And(mask, sitk.Not(other > 0))
