"""Measurements of the tumour in mask and phases, without a network."""

import numpy as np

from ..enhancement import relative_enhancement, signal_floor
from ..exam import Exam, bounding_box
from ..prediction import TumourSummary
from .grid import acquisition_order


def summarise_tumour(exam: Exam) -> TumourSummary:
    """Measure volume, centre and enhancement of the tumour.

    Args:
        exam: with a mask that is not empty.
    """
    mask = np.asarray(exam.mask)
    box = bounding_box(mask)
    tumour = mask[box] != 0
    phases = [phase[box][tumour] for phase in exam.phases]
    pre, *later = (np.median(phase) for phase in phases)
    early, late = (float(relative_enhancement(pre, after, signal_floor(*phases[:2]))) for after in later)
    return TumourSummary(
        volume_ml=int(tumour.sum()) * exam.geometry.voxel_volume / 1000,
        centre=tuple(float(c) for c in exam.centre),  # type: ignore[arg-type]
        early_enhancement=early,
        late_enhancement=late,
    )


def measure(exam: Exam, tumour: TumourSummary) -> dict[str, float]:
    """Return the quantities that are compared with the training patients: key to value, units in `QUANTITIES`."""
    _, rows, columns = acquisition_order(exam.geometry).spacing(exam.geometry)
    return {
        "tumour_volume": tumour.volume_ml,
        "early_enhancement": 100 * tumour.early_enhancement,
        "late_enhancement": 100 * tumour.late_enhancement,
        "pixel_spacing": max(rows, columns),
    }


QUANTITIES = {  # key: label, unit
    "tumour_volume": ("tumour volume", "ml"),
    "early_enhancement": ("early enhancement", "%"),
    "late_enhancement": ("late enhancement", "%"),
    "pixel_spacing": ("pixel spacing", "mm"),
}
