"""What is measured at a visit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import DataError, Notice
from ..exam import Exam
from ..lesion.body import Side
from ..lesion.measurements import measure_lesion
from .course import VisitValues


@dataclass(frozen=True, eq=False)
class Measured:
    """What was measured at a visit.

    Args:
        values: each None if it could not be measured; a notice says why.
        functional: (k, j, i) bool, voxels of the functional tumour volume; empty if the tumour is gone.
        notices: warnings about what was guessed or could not be measured.
    """

    values: VisitValues
    functional: np.ndarray
    notices: tuple[Notice, ...] = ()


def measure_visit(exam: Exam, within: np.ndarray | None = None, side: Side | None = None) -> Measured:
    """Measure the tumour and the background of an exam.

    A mask without a voxel means that the tumour is gone: its volume and diameter are 0, its shape and kinetics unknown.

    Args:
        exam: with the tumour's mask of this visit, or without a mask if `within` is given.
        within: (k, j, i), where a tumour without a mask is looked for: the outline of an earlier visit, carried over
            by `registration.rigid.carry_mask` and widened.
        side: of the tumour's breast, from an earlier visit; needed for the background if the tumour is gone.

    Raises:
        DataError: if the exam has no mask and `within` is not given.
    """
    region = exam.mask if exam.mask is not None else within
    if region is None:
        raise DataError("a tumour mask or the outline of an earlier visit is needed, got none; give the visit's mask")
    functional = np.asarray(region) != 0
    if not functional.any():
        return Measured(VisitValues(functional_volume_ml=0.0, longest_diameter_mm=0.0, gone=True), functional)
    found = measure_lesion(Exam(*exam.phases, exam.geometry, functional))
    return Measured(VisitValues(found.functional_volume_ml, found.longest_mm, found.sphericity), functional)
