"""How much the probability depends on the outline of the tumour: its range over variants of the mask. Source: ours."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from ..clinical import ClinicalSchema, Value
from ..errors import Notice
from ..exam import Exam
from ..formatting import format_percent
from ..lesion.variants import crop_exam, vary_mask
from ..prediction import OperatingPoint
from .calibration import average
from .card import InferenceSettings
from .ensemble import Ensemble, Reading
from .grid import place_window
from .kinetics import GRID, measure_quantities
from .normalisation import to_channels


def mask_range(
    exam: Exam,
    reading: Reading,
    ensemble: Ensemble,
    settings: InferenceSettings,
    schema: ClinicalSchema,
    values: Mapping[str, Value],
) -> tuple[float, float]:
    """Return the lowest and highest probability over the mask and its variants, see `vary_mask`.

    A variant is read as the mask is: its own window, its own kinetic quantities. To save time its flips are left out:
    the change of each fold's logit without flips is added to its logit with them.

    Args:
        exam: with a mask that is not empty.
        reading: of the mask itself.
        ensemble, settings, schema: of the model.
        values: clinical values of the patient.
    """
    grid = settings.grid
    part = crop_exam(exam, max(grid.window, GRID.window) / 2)
    variants = [replace(part, mask=mask) for mask in vary_mask(np.asarray(part.mask), part.geometry)]
    images = np.stack(
        [to_channels(each, place_window(np.asarray(each.mask), each.geometry, grid)) for each in variants]
    )
    clinical = np.stack([schema.encode(schema.complete(values, measure_quantities(each, schema))) for each in variants])
    changes = ensemble.plain_logits(images, clinical) - reading.plain_logits[:, None]
    logits = np.column_stack([reading.logits, reading.logits[:, None] + changes])
    probabilities = average(logits, settings.calibration, settings.averaging)
    return float(probabilities.min()), float(probabilities.max())


def about_mask_range(
    mask_interval: tuple[float, float], interval: tuple[float, float], point: OperatingPoint
) -> Iterable[Notice]:
    """Yield a warning if the outline decides, or matters more than the fold of the model does.

    Args:
        mask_interval: from `mask_range`.
        interval: lowest and highest of the folds.
        point: of the decision.
    """
    low, high = mask_interval
    span = f"{format_percent(low)} to {format_percent(high)}"
    changed = f"If the mask is eroded, dilated or moved by a voxel or two, the probability is {span}"
    if low < point.threshold <= high:
        yield Notice("mask_decides", f"{changed}, across the threshold: the decision depends on the outline; check it.")
    elif high - low > interval[1] - interval[0]:
        yield Notice("mask_matters", f"{changed}, more widely than between the folds of the model; check the outline.")
