"""The scores of a network and the outcome of a model, on the same patients. Arrays are (N,)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Scores:
    """The output of a network on N patients.

    Args:
        logit: mean over the flips, not calibrated.
        image_logit: the part of it that comes from the image.
        in_tumour: share of the map (attention, or Grad-CAM if the network has none) inside the tumour, in [0, 1].
        peak_in_tumour: 1 if the voxel of its peak is in the tumour (pointing game), else 0.
    """

    logit: np.ndarray
    image_logit: np.ndarray
    in_tumour: np.ndarray
    peak_in_tumour: np.ndarray


@dataclass(frozen=True, eq=False)
class Outcome:
    """The prediction of one model for N patients, at an operating point that was fixed without their labels.

    Args:
        name: of the model.
        logit: not calibrated.
        probability: calibrated.
        decision: bool, at the operating point.
        order: by which patients are ranked: the probability, or sigmoid(logit) as `operating.cross_fitted` explains.
        point: name of the operating point.
        threshold: of the operating point; None if parts of the patients had their own.
        scores: of the networks; None for a model without images.
        map_name: "attention" or "Grad-CAM".
        random_in_tumour: share of the map inside the tumour when the weights are random.
    """

    name: str
    logit: np.ndarray
    probability: np.ndarray
    decision: np.ndarray
    order: np.ndarray
    point: str = ""
    threshold: float | None = None
    scores: Scores | None = None
    map_name: str | None = None
    random_in_tumour: float | None = None

    @property
    def in_tumour(self) -> np.ndarray:
        """Share of the map inside the tumour; nan for a model without images."""
        return np.full(len(self.logit), np.nan) if self.scores is None else self.scores.in_tumour
