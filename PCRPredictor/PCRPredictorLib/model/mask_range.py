"""How much the probability depends on the outline of the tumour: its range over variants of the mask. Source: ours."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from ..clinical import ClinicalSchema, Value
from ..errors import Notice
from ..evidence import Basis
from ..exam import Exam
from ..formatting import format_percent
from ..lesion.variants import crop_exam, vary_mask
from ..prediction import OperatingPoint
from .additive import AdditiveModel
from .ensemble import Ensemble, Reading
from .grid import GridSpec, place_window
from .kinetics import GRID, measure_quantities
from .normalisation import to_channels

_WIDE = 0.1  # of the probability: a range that a reader should know of


def read_variants(
    exam: Exam, reading: Reading, ensemble: Ensemble, grid: GridSpec, schema: ClinicalSchema
) -> tuple[np.ndarray, tuple[Mapping[str, float], ...]]:
    """Return the image logits, (F, N), and the measured quantities of the variants of the mask, see `vary_mask`.

    A variant is read as the mask is: its own window, its own kinetic quantities. To save time its flips are left out:
    the change of each fold's logit without flips is added to its logit with them.

    Args:
        exam: with a mask that is not empty.
        reading: of the mask itself.
        ensemble, grid, schema: of the model.
    """
    part = crop_exam(exam, max(grid.window, GRID.window) / 2)
    variants = [replace(part, mask=mask) for mask in vary_mask(np.asarray(part.mask), part.geometry)]
    images = np.stack(
        [to_channels(each, place_window(np.asarray(each.mask), each.geometry, grid)) for each in variants]
    )
    changes = ensemble.plain_logits(images) - reading.plain_logits[:, None]
    return reading.network_logits[:, None] + changes, tuple(measure_quantities(each, schema) for each in variants)


def mask_range(basis: Basis, additive: AdditiveModel, values: Mapping[str, Value]) -> tuple[float, float]:
    """Return the lowest and highest probability over the mask and its variants.

    Args:
        basis: of the prediction.
        additive: of the model.
        values: clinical values of the patient.
    """
    schema = additive.branches.schema
    each = zip(basis.variant_logits.T, basis.variant_quantities, strict=True)
    cases = [(basis.image_logits, basis.quantities), *each]
    logits = [additive.logits(image, schema.complete(values, measured)) for image, measured in cases]
    probabilities = additive.probabilities(np.stack(logits, 1))
    return float(probabilities.min()), float(probabilities.max())


def about_mask_range(
    mask_interval: tuple[float, float], interval: tuple[float, float], point: OperatingPoint
) -> Iterable[Notice]:
    """Yield a warning if the outline decides, or moves the probability widely and more than the fold of the model does.

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
    elif high - low > max(interval[1] - interval[0], _WIDE):
        yield Notice("mask_matters", f"{changed}, more widely than between the folds of the model; check the outline.")
