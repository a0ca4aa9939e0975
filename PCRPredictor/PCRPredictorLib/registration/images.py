"""Exams as ITK images that are small enough to be aligned quickly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from ..exam import Exam, Geometry
from ..lesion.body import outline_body

FINE_MM = 2.0


@dataclass(frozen=True, eq=False)
class Picture:
    """What is aligned of an exam.

    Args:
        signal: of the pre-contrast phase on voxels of about 2 mm, float32.
        body: 1 inside the body, on the same lattice.
        tumour: 1 inside the tumour, on the same lattice; None if the exam has no mask.
        centre: (3,) LPS mm, of the tumour or, without one, of the body.
    """

    signal: sitk.Image
    body: sitk.Image
    tumour: sitk.Image | None
    centre: np.ndarray


def make_picture(exam: Exam) -> Picture:
    """Return the pre-contrast phase, the body and the tumour of an exam on voxels of about 2 mm."""
    signal = at_spacing(as_image(np.nan_to_num(exam.pre, posinf=0.0, neginf=0.0), exam.geometry), FINE_MM)
    body = _find_body(exam, signal)
    tumour = None
    if exam.has_tumour:
        share = at_spacing(as_image(np.asarray(exam.labelled_mask() != 0), exam.geometry), FINE_MM)
        tumour = sitk.Cast(share > 0, sitk.sitkUInt8)
    return Picture(signal, body, tumour, exam.centre if exam.has_tumour else middle_of(body))


def as_image(array: np.ndarray, geometry: Geometry) -> sitk.Image:
    """Return an array (k, j, i) as a float32 image."""
    image = sitk.GetImageFromArray(np.asarray(array, np.float32))
    image.SetSpacing(geometry.spacing)
    image.SetOrigin(geometry.origin)
    image.SetDirection(geometry.direction.ravel().tolist())
    return image


def at_spacing(image: sitk.Image, mm: float) -> sitk.Image:
    """Return an image of block means whose voxels are about as wide as asked for; wider ones stay as they are."""
    factors = [
        min(max(1, round(mm / spacing)), size)
        for spacing, size in zip(image.GetSpacing(), image.GetSize(), strict=True)
    ]
    return sitk.BinShrink(image, factors) if max(factors) > 1 else image


def nearest(image: sitk.Image, lattice: sitk.Image) -> sitk.Image:
    """Return a mask on another lattice."""
    return sitk.Resample(image, lattice, sitk.Transform(), sitk.sitkNearestNeighbor)


def middle_of(mask: sitk.Image) -> np.ndarray:
    """Return the centre of gravity of a mask, LPS mm, (3,); of the whole image if it is empty."""
    found = np.argwhere(sitk.GetArrayViewFromImage(mask))
    index = found.mean(0) if len(found) else (np.array(mask.GetSize()[::-1]) - 1) / 2
    return np.array(mask.TransformContinuousIndexToPhysicalPoint(index[::-1].tolist()))


def to_transform(matrix: np.ndarray) -> sitk.AffineTransform:
    """Return a (4, 4) matrix of LPS mm as a transform of ITK."""
    return sitk.AffineTransform(matrix[:3, :3].ravel().tolist(), matrix[:3, 3].tolist())


def _find_body(exam: Exam, signal: sitk.Image) -> sitk.Image:
    """Return the body's outline; where an exam shows none, what is brighter than air."""
    outline = outline_body(exam)
    if outline is None:
        return bright_in(signal)
    inside = sitk.Cast(as_image(outline.inside, outline.geometry), sitk.sitkUInt8)
    return nearest(inside, signal)


def bright_in(signal: sitk.Image) -> sitk.Image:
    """Return 1 where a signal is brighter than air or lung, by Otsu's threshold on its logarithm."""
    return sitk.OtsuThreshold(sitk.Log(sitk.Clamp(signal, lowerBound=0.0) + 1), 0, 1)
