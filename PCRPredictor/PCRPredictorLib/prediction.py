"""What a prediction holds, and its JSON form. No torch here: reports and panels read it without loading a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .exam import PHASE_NAMES, Exam

RESEARCH_USE_ONLY = "Research use only. Not a medical device; not for diagnosis or treatment decisions."


@dataclass(frozen=True)
class Notice:
    """A warning: `code` for programs, `message` in plain words for a radiologist."""

    code: str
    message: str


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold on the probability, with what it gave on the patients it was fixed on.

    Args:
        name: "high sensitivity", "balanced" or "high specificity".
        threshold: the decision is pCR at or above it, in [0, 1].
        sensitivity, specificity: out-of-fold, on the training side; None where unknown.
    """

    name: str
    threshold: float
    sensitivity: float | None = None
    specificity: float | None = None


@dataclass(frozen=True)
class TumourSummary:
    """What the mask and the phases say about the tumour, without a network.

    Args:
        volume_ml: mask volume in ml.
        centre: centroid of the mask, LPS mm.
        early_enhancement: (early - pre) / pre of the medians in the mask, 1 for +100 %.
        late_enhancement: (late - pre) / pre of the medians in the mask.
    """

    volume_ml: float
    centre: tuple[float, float, float]
    early_enhancement: float
    late_enhancement: float


@dataclass(frozen=True)
class AttentionSummary:
    """Where the model looked.

    Args:
        in_tumour: share of the attention mass inside the mask, in [0, 1].
        peak: LPS mm of the highest attention.
        peak_in_tumour: whether that voxel is in the mask (pointing game).
    """

    in_tumour: float
    peak: tuple[float, float, float]
    peak_in_tumour: bool


@dataclass(frozen=True)
class ModelIdentity:
    """Which model spoke: name, version, SHA-256 over the bundle, and what its card says in a line each."""

    name: str
    version: str
    checksum: str
    training_data: str
    licence: str
    intended_use: str


@dataclass(frozen=True, eq=False)
class Prediction:
    """The result for one exam.

    Args:
        probability: of pathological complete response, mean over the ensemble, in [0, 1].
        interval: lowest and highest probability among the folds of the ensemble.
        fold_probabilities: one a fold.
        image_probability: the same model's probability with every clinical variable that is asked for unknown.
        operating_point: the one that the decision was taken at.
        attention: (k, j, i) float32 on the exam's lattice, 1 at the peak, 0 outside the model's window.
        attention_summary, tumour: see there.
        clinical: every variable that the model asks for with the value used, "unknown" where missing.
        notices: warnings for the reader.
        model: which model it was.
        versions: of this library and what it ran on.
    """

    probability: float
    interval: tuple[float, float]
    fold_probabilities: tuple[float, ...]
    image_probability: float
    operating_point: OperatingPoint
    attention: np.ndarray
    attention_summary: AttentionSummary
    tumour: TumourSummary
    clinical: Mapping[str, str]
    notices: tuple[Notice, ...]
    model: ModelIdentity
    versions: Mapping[str, str]

    @property
    def decision(self) -> str:
        """ "pCR" at or above the operating point's threshold, else "no pCR"."""
        return "pCR" if self.probability >= self.operating_point.threshold else "no pCR"

    def to_json(self) -> dict[str, object]:
        """Plain values for `prediction.json`; the attention volume is a file of its own."""
        return {
            "probability": self.probability,
            "interval": {
                "low": self.interval[0],
                "high": self.interval[1],
                "method": f"lowest and highest of {len(self.fold_probabilities)} folds",
            },
            "fold_probabilities": list(self.fold_probabilities),
            "image_only_probability": self.image_probability,
            "decision": self.decision,
            "operating_point": vars(self.operating_point),
            "attention": vars(self.attention_summary),
            "tumour": vars(self.tumour),
            "clinical": dict(self.clinical),
            "warnings": [vars(notice) for notice in self.notices],
            "model": vars(self.model),
            "versions": dict(self.versions),
            "disclaimer": RESEARCH_USE_ONLY,
        }


def exam_to_json(exam: Exam) -> dict[str, object]:
    """What `prediction.json` says of the exam, without anything that identifies the patient; None where unknown.

    Args:
        exam: that was predicted.
    """
    provenance, unknown = exam.provenance, (None, None, None)
    picked = provenance.picked
    numbers = picked.phases if picked is not None else unknown
    series = picked.series if picked is not None else unknown
    each = zip(PHASE_NAMES, numbers, series, provenance.phase_times or unknown, strict=True)
    return {
        "source": provenance.source,
        "phases_found": picked.found if picked is not None else None,
        "phases": {name: {"index": n, "series": of, "seconds": time} for name, n, of, time in each},
        "size": list(exam.geometry.size),
        "spacing_mm": list(exam.geometry.spacing),
        "positions": "LPS, mm",
    }
