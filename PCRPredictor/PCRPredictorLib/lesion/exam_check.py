"""Checks that an exam can be predicted; each failure is reported in one sentence."""

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

import numpy as np

from ..errors import DataError
from ..exam import PHASE_NAMES, Exam, bounding_box


def check_exam(exam: Exam) -> None:
    """Refuse an exam that cannot be predicted.

    Raises:
        DataError: if there is no mask or it is empty, a phase is constant or has voxels that are not finite, two
            phases are the same, or the tumour is darker after contrast than before.
    """
    if exam.mask is None:
        raise DataError(
            "a tumour mask is needed, got none; segment the tumour and give it with --mask, or have it found with "
            "--find-tumour"
        )
    if not np.any(exam.mask):
        raise DataError("the tumour mask must not be empty; segment the tumour and save the mask again")
    box = bounding_box(exam.mask)
    for name, phase in zip(PHASE_NAMES, exam.phases, strict=True):
        _check_phase(name, phase, phase[box])
    tumour = exam.mask[box] != 0
    for one, other in combinations(range(3), 2):
        if np.array_equal(exam.phases[one][box], exam.phases[other][box]):
            raise DataError(
                f"the {PHASE_NAMES[one]} and {PHASE_NAMES[other]} phases must differ, got the same voxels around the "
                "tumour; give three different phases"
            )
    pre, early, late = (float(np.median(phase[box][tumour])) for phase in exam.phases)
    if early < pre or late < pre:
        raise DataError(
            "the phases look swapped: the tumour is darker after contrast than before; give them in the order "
            "pre-contrast, early, late"
        )


def _check_phase(name: str, phase: np.ndarray, tumour: np.ndarray) -> None:
    if phase.dtype.kind in "iub" and tumour.min() < tumour.max():
        return  # whole numbers are finite, and these differ: no need to check the whole phase
    low, high = phase.min(), phase.max()  # both are not finite if any voxel is
    if not np.isfinite(low) or not np.isfinite(high):
        raise DataError(f"the {name} phase has voxels that are not finite numbers; export it again without NaN")
    if low == high:
        raise DataError(f"the {name} phase is constant ({low:g} everywhere); check that the right file was exported")


def read_and_check(read: Callable[[], Exam]) -> tuple[Exam, str]:
    """Return the exam that a function reads, and what is wrong with its phases, "" if nothing; needs no tumour."""
    exam = read()
    widths = [float(phase.max()) - float(phase.min()) for phase in exam.phases]  # not finite if any voxel is
    if all(np.isfinite(width) and width > 0 for width in widths):
        return exam, ""
    try:
        check_exam(replace(exam, mask=np.ones(exam.pre.shape, np.uint8)))
    except DataError as error:
        return exam, str(error)
    return exam, ""
