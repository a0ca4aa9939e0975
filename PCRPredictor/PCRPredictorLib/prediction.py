"""The result for an exam and its JSON form. Reports and panels use it without loading torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from .errors import Notice
from .evidence import MAP_UNIT, Basis, Evidence, Interventions
from .formatting import name_result

RESEARCH_USE_ONLY = "Research use only. Not a medical device; not for diagnosis or treatment decisions."

FORMAT = 2  # of `prediction.json`; in 1, which did not say so, there always was a decision

EVIDENCE_FORMAT = 1  # of `evidence.json`
MASK_VARIANTS = "lowest and highest with the mask eroded, dilated and moved by 2 voxels in plane and 1 slice"


@dataclass(frozen=True)
class OperatingPoint:
    """Threshold on the probability, with its results out of fold on the training patients; None if unknown.

    Rates are cross-fitted if `patients` is known: measured on patients whose labels did not choose the threshold. In a
    bundle without `patients`, sensitivity and specificity are of the patients who chose it, which flatters.

    Args:
        name: "high sensitivity", "balanced" or "high specificity".
        threshold: the decision is pCR at or above it, in [0, 1].
        sensitivity, specificity: share above it of the patients with pCR, and below it of those without.
        ppv: share with pCR of the patients above it, which depends on `InferenceSettings.base_rate`.
        npv: share without pCR of the patients below it; as `ppv`.
        share_above: share of the patients above it.
        patients: number of the patients.
        sensitivity_interval, specificity_interval, ppv_interval, npv_interval: 95 % over patients, (low, high).
    """

    name: str
    threshold: float
    sensitivity: float | None = None
    specificity: float | None = None
    ppv: float | None = None
    npv: float | None = None
    share_above: float | None = None
    patients: int | None = None
    sensitivity_interval: tuple[float, float] | None = None
    specificity_interval: tuple[float, float] | None = None
    ppv_interval: tuple[float, float] | None = None
    npv_interval: tuple[float, float] | None = None

    @classmethod
    def from_json(cls, content: Mapping[str, object]) -> OperatingPoint:
        """Return the point of a bundle's JSON, in which pairs are lists.

        Raises:
            TypeError: if there is anything else in it.
        """
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in content.items()})  # type: ignore[arg-type]


@dataclass(frozen=True)
class TumourSummary:
    """Measurements of the tumour in mask and phases, without a network.

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
class Measurements:
    """What a radiologist writes about the tumour into a report; `lesion/measurements.py` defines each.

    Args:
        longest_mm: longest diameter in any direction.
        across_mm: the longest diameter at right angles to it, and the extent at right angles to both.
        longest_in_slice_mm: longest diameter within one slice as acquired.
        volume_ml: of the mask.
        functional_volume_ml: of the mask's voxels that enhance early by 70 % or more.
        sphericity: surface of a ball of the same volume over the tumour's surface, 1 for a ball.
        pieces: number of parts that do not touch.
        side: "left" or "right", None if it cannot be told.
        distance_to_skin_mm: from the tumour's edge, about; None if it cannot be told.
        distance_to_nipple_mm: from the tumour's edge to the tip of the breast, roughly; None if it cannot be told.
    """

    longest_mm: float
    across_mm: tuple[float, float]
    longest_in_slice_mm: float
    volume_ml: float
    functional_volume_ml: float
    sphericity: float
    pieces: int
    side: Literal["left", "right"] | None = None
    distance_to_skin_mm: float | None = None
    distance_to_nipple_mm: float | None = None


@dataclass(frozen=True)
class AttentionSummary:
    """The attention of the model, in numbers.

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
    """The model of a prediction: name, version, SHA-256 of the bundle, lines and numbers of its card.

    Args:
        auc: by patients ("out of fold", or a name), each with value, low and high; empty if it was not measured.
        base_rate: share of the training patients with pCR, in [0, 1]; None if unknown.
        elsewhere: how models that were trained the same way did at sites that they had not seen; "" if unknown.
        calibration: by patients, "slope" and "in_the_large", each with value, low and high; empty if not measured.
    """

    name: str
    version: str
    checksum: str
    training_data: str
    licence: str
    intended_use: str
    auc: Mapping[str, object] = field(default_factory=dict)
    base_rate: float | None = None
    calibration: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    elsewhere: str = ""

    @property
    def use(self) -> str:
        """What the model is for, which is research alone, as in "Research use only: attention maps"."""
        for beginning, words in (("Research: ", ": "), ("Research on ", ", on ")):
            if self.intended_use.startswith(beginning):
                return f"Research use only{words}{self.intended_use.removeprefix(beginning)}"
        return f"Research use only. {self.intended_use}".removesuffix(" Research.")


class Decided:
    """The decision at an operating point, of a result that has these."""

    probability: float
    operating_point: OperatingPoint
    notices: tuple[Notice, ...]

    @property
    def decision(self) -> str | None:
        """Return "pCR" at or above the operating point's threshold, else "no pCR"; None if it is withheld."""
        if self.reasons_against:
            return None
        return "pCR" if self.probability >= self.operating_point.threshold else "no pCR"

    @property
    def reasons_against(self) -> tuple[Notice, ...]:
        """Return the warnings for which no decision is given."""
        return tuple(notice for notice in self.notices if notice.blocks_decision)

    @property
    def decision_withheld(self) -> str | None:
        """Return in sentences why no decision is given; None if one is."""
        return " ".join(notice.message for notice in self.reasons_against) or None


@dataclass(frozen=True, eq=False)
class Prediction(Decided):
    """The result for one exam.

    Args:
        probability: of pathological complete response, of the ensemble, in [0, 1]; see `calibration.average`.
        interval: lowest and highest probability among the folds of the ensemble.
        fold_probabilities: one per fold.
        image_probability: the same model's probability with all clinical variables that are asked for unknown.
        operating_point: used for the decision.
        attention: (k, j, i) float32 on the exam's lattice, 1 at the peak, 0 outside the model's window.
        attention_summary: where the model looked, in numbers.
        tumour: measurements of the tumour.
        clinical: every variable that the model asks for with the value used, "unknown" if it is missing.
        notices: warnings for the reader.
        model: that made the prediction.
        versions: of this library and of those that it ran on.
        mask_interval: lowest and highest probability if the mask is eroded, dilated or moved by a voxel or two; None if
            that was not tried.
        measurements: of the tumour, None if they were not made.
        evidence: the sum of terms that gives the probability; None for a result without one.
        evidence_map: (k, j, i) float32 on the exam's lattice, in log-odds per voxel, positive towards response; its sum
            is the image's term. 0 outside the model's window.
        basis: by which `Predictor.what_if` answers for other clinical values; it is not written to files.
        interventions: what changes of the picture do, None if that was not asked for.
        lesions: of each tumour if the exam has several, in the order of `Exam.lesions`; all else here is the first's.
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
    mask_interval: tuple[float, float] | None = None
    measurements: Measurements | None = None
    evidence: Evidence | None = None
    evidence_map: np.ndarray | None = None
    basis: Basis | None = None
    interventions: Interventions | None = None
    lesions: tuple[LesionPrediction, ...] = ()

    def at(self, point: OperatingPoint) -> Prediction:
        """Return the prediction with the decision at a different operating point, of every tumour."""
        each = (replace(lesion, prediction=lesion.prediction.at(point)) for lesion in self.lesions)
        return replace(self, operating_point=point, lesions=tuple(each))

    @property
    def name(self) -> str:
        """The result's name, the same in report, page and `prediction.json`; see `formatting.name_result`."""
        return name_result(self.model.checksum, self.fold_probabilities, dict(self.clinical), vars(self.tumour))

    def to_json(self) -> dict[str, object]:
        """Return plain values for `prediction.json`; the attention is written to a separate file."""
        return {
            "format": FORMAT,
            "result": self.name,
            **self._values_to_json(),
            "operating_point": vars(self.operating_point),
            "clinical": dict(self.clinical),
            "lesions": [lesion.to_json() for lesion in self.lesions or (LesionPrediction("tumour", self),)],
            "model": vars(self.model),
            "versions": dict(self.versions),
            "disclaimer": RESEARCH_USE_ONLY,
        }

    def _values_to_json(self) -> dict[str, object]:
        """Return what differs between the tumours of an exam."""
        return {
            "probability": self.probability,
            "interval": {
                "low": self.interval[0],
                "high": self.interval[1],
                "method": f"lowest and highest of {len(self.fold_probabilities)} folds",
            },
            "mask_interval": self.mask_interval
            and {"low": self.mask_interval[0], "high": self.mask_interval[1], "method": MASK_VARIANTS},
            "fold_probabilities": list(self.fold_probabilities),
            "image_only_probability": self.image_probability,
            "decision": self.decision,
            "evidence": self.evidence.to_json() if self.evidence else None,
            "decision_withheld": self.decision_withheld,
            "attention": vars(self.attention_summary),
            "tumour": vars(self.tumour),
            "measurements": vars(self.measurements) if self.measurements else None,
            "interventions": self.interventions.to_json(self) if self.interventions else None,
            "warnings": [vars(notice) for notice in self.notices],
        }


@dataclass(frozen=True, eq=False)
class LesionPrediction:
    """The result for one of several tumours of an exam.

    Args:
        name, label: as of `exam.Lesion`.
        prediction: of this tumour alone.
    """

    name: str
    prediction: Prediction
    label: int | None = None

    def to_json(self) -> dict[str, object]:
        """Return plain values for the block `lesions` of `prediction.json`."""
        return {"name": self.name, "label": self.label, **self.prediction._values_to_json()}


def evidence_map_to_json(prediction: Prediction, voxel_volume: float) -> dict[str, object]:
    """Return the description of an evidence map that lies beside it as `evidence.json`; {} without a map.

    Args:
        voxel_volume: of the map, in mm^3.
    """
    evidence, values = prediction.evidence, prediction.evidence_map
    if evidence is None or values is None:
        return {}
    towards = float(values.sum(dtype=np.float64, where=values > 0))
    return {
        "format": EVIDENCE_FORMAT,
        "quantity": "contribution of each voxel to the logit of pathological complete response",
        "unit": MAP_UNIT,
        "sign": "positive towards response, negative against it; 0 outside the model's window",
        "zero": "as the image of a typical training patient"
        if evidence.reference == "typical"
        else "an image logit of 0 (this model does not know its typical training patient)",
        "sum": evidence.map_sum,
        "towards_response": towards,
        "against_response": (evidence.map_sum or 0.0) - towards,
        "term_of_the_image": evidence.image.log_odds,
        "voxel_ml": voxel_volume / 1000,
        "model": prediction.model.name,
        "disclaimer": RESEARCH_USE_ONLY,
    }
