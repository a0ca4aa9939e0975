"""Background parenchymal enhancement: how much the normal gland of the other breast enhances early.

As in I-SPY 2 it is the mean percent enhancement of the fibroglandular tissue in the five middle slices of the other
breast. The breast is what lies in front of the chest wall on that side of the cleft, without the skin. Its tissue is
divided in two by Otsu's threshold on the logarithm of the pre-contrast signal, freed of the coil's shading by N4
(Tustison et al., IEEE Trans Med Imaging 2010), if that signal has two modes. The gland is the one that rises more: the
brighter one if fat is suppressed, the darker one if it is not. Sources: Li et al., npj Breast Cancer 2020, for the mean
over five slices; the segmentation is ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from ..enhancement import relative_enhancement, signal_floor
from ..exam import Exam
from .body import Body, Side

MIDDLE_SLICES = 5
_SKIN_MM = 5.0
_BEHIND_CLEFT_MM = 8.0  # how far behind the skin between the breasts the other breast is looked at
_LEAST_ML = 1.0  # of gland
_LEAST_SEPARATION = 0.7  # of Otsu's; one mode has about 0.6, breasts with gland and fat about 0.8
_SHADING_VOXEL_MM = 3.0


@dataclass(frozen=True, eq=False)
class Background:
    """The background enhancement of the other breast.

    Args:
        percent: mean early enhancement of its fibroglandular tissue; None if it cannot be told.
        reason: why it cannot be told, such as "the images show one breast"; "" if it can.
        slices: first and last of the slices that were measured, along the exam's slice axis.
        gland: (k, j, i) bool, of those slices alone; None if it cannot be told.
        fat_suppressed: True if the gland is brighter than the fat.
    """

    percent: float | None = None
    reason: str = ""
    slices: tuple[int, int] | None = None
    gland: np.ndarray | None = None
    fat_suppressed: bool | None = None


def measure_background(exam: Exam, body: Body | None, side: Side | None) -> Background:
    """Measure the enhancement of the breast on the other side.

    Args:
        exam: its pre-contrast and early phase.
        body: outline from `outline_body`, None if there is none.
        side: of the tumour's breast, None if it is unknown.
    """
    if body is None:
        return Background(reason="the images do not show the outline of the body")
    if body.cleft is None:
        return Background(reason="the images show one breast")
    if side is None:
        return Background(reason="the side of the tumour is unknown")
    axis = exam.geometry.slice_axis
    span = _middle_slices(exam, _other_breast(body, side), axis)
    if span is None:
        return Background(reason="the other breast is outside the images")
    return _measure(exam, body, side, span, axis)


def _other_breast(body: Body, side: Side) -> np.ndarray:
    """Return LPS mm, (n, 3), of the body's coarse voxels that lie in the other breast."""
    points = body.geometry.to_physical(np.argwhere(body.inside)[:, ::-1])
    return points[_is_in_breast(points, body, side)]


def _is_in_breast(points: np.ndarray, body: Body, side: Side) -> np.ndarray:
    """Return True for LPS points, (n, 3) mm, in the other breast, in front of the chest wall."""
    x, y = body.cleft or (0.0, 0.0)
    beyond = points[:, 0] < x if side == "left" else points[:, 0] > x
    return beyond & (points[:, 1] < y + _BEHIND_CLEFT_MM) & body.contains(points)


def _middle_slices(exam: Exam, points: np.ndarray, axis: int) -> slice | None:
    """Return the five slices around the middle of the points that lie in the exam; None if fewer are there."""
    count = exam.geometry.shape[axis]
    index = np.rint(exam.geometry.to_index(points)[:, 2 - axis]).astype(int)
    index = index[(index >= 0) & (index < count)]
    if not len(index) or count < MIDDLE_SLICES:
        return None
    first = int(np.clip(np.median(index) - MIDDLE_SLICES // 2, 0, count - MIDDLE_SLICES))
    return slice(first, first + MIDDLE_SLICES)


def _measure(exam: Exam, body: Body, side: Side, span: slice, axis: int) -> Background:
    window = tuple(span if a == axis else slice(None) for a in range(3))
    pre, early = (phase[window].astype(np.float32) for phase in (exam.pre, exam.early))
    first = [span.start if a == axis else 0 for a in range(3)]
    index = np.indices(pre.shape).reshape(3, -1).T + first
    points = exam.geometry.to_physical(index[:, ::-1])
    breast = _is_in_breast(points, body, side)
    breast[breast] = body.distance_to_skin(points[breast]) > _SKIN_MM
    inside = breast.reshape(pre.shape)
    voxel_ml = exam.geometry.voxel_volume / 1000
    if inside.sum() * voxel_ml < _LEAST_ML:
        return Background(reason="the other breast is outside the images")
    bright, separation = _brighter_tissue(pre, inside, exam.geometry.spacing)
    tissues = [inside & bright, inside & ~bright]
    if separation < _LEAST_SEPARATION or min(int(tissue.sum()) for tissue in tissues) * voxel_ml < _LEAST_ML:
        return Background(reason="glandular tissue and fat of the other breast cannot be told apart")
    rises = [float(np.median(early[tissue] - pre[tissue])) for tissue in tissues]
    gland = tissues[int(np.argmax(rises))]
    floor = signal_floor(pre[gland], early[gland])
    percent = 100 * float(relative_enhancement(pre[gland], early[gland], floor).mean())
    whole = np.zeros(exam.geometry.shape, bool)
    whole[window] = gland
    return Background(percent, "", (span.start, span.stop - 1), whole, rises[0] >= rises[1])


def _brighter_tissue(
    pre: np.ndarray, inside: np.ndarray, spacing: tuple[float, float, float]
) -> tuple[np.ndarray, float]:
    """Return the voxels above Otsu's threshold, and the share of the variance that it explains, in [0, 1].

    Args:
        pre: (k, j, i) signal.
        inside: (k, j, i) bool, where it is looked at.
        spacing: mm along i, j, k.
    """
    thick = int(np.argmax(spacing[::-1]))
    smooth = ndimage.median_filter(pre, [1 if axis == thick else 3 for axis in range(3)])
    least = 1e-3 * float(pre.max()) + 1e-6
    grey = np.log(np.maximum(smooth, least)) - _log_shading(np.maximum(pre, least), inside, spacing)
    otsu = sitk.OtsuThresholdImageFilter()
    otsu.Execute(sitk.GetImageFromArray(grey[inside].astype(np.float32)[None, :]))
    bright = grey > otsu.GetThreshold()
    above, below = grey[inside & bright], grey[inside & ~bright]
    if not len(above) or not len(below):
        return bright, 0.0
    share = len(above) / (len(above) + len(below))
    between = share * (1 - share) * float(above.mean() - below.mean()) ** 2
    return bright, between / max(float(grey[inside].var()), 1e-12)


def _log_shading(pre: np.ndarray, inside: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
    """Return the logarithm of the coil's sensitivity, (k, j, i), by N4 on voxels of about 3 mm."""
    image, mask = sitk.GetImageFromArray(pre), sitk.GetImageFromArray(inside.astype(np.uint8))
    for each in (image, mask):
        each.SetSpacing(spacing)
    factors = [
        min(max(1, round(_SHADING_VOXEL_MM / step)), max(1, size // 4))
        for step, size in zip(spacing, image.GetSize(), strict=True)
    ]
    small = sitk.Shrink(mask, factors)
    n4 = sitk.N4BiasFieldCorrectionImageFilter()
    n4.SetNumberOfThreads(1)
    n4.SetNumberOfWorkUnits(1)
    n4.SetMaximumNumberOfIterations([30, 20])
    coarse = sitk.BinShrink(image, factors)
    small.CopyInformation(coarse)
    n4.Execute(coarse, small)
    return np.asarray(sitk.GetArrayFromImage(n4.GetLogBiasFieldAsImage(image)))
