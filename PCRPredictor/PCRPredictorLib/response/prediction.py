"""The probability after each visit of a course, and its JSON form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ..errors import Notice
from ..evidence import Evidence
from ..prediction import RESEARCH_USE_ONLY, Decided, ModelIdentity, OperatingPoint

FORMAT = 1  # of the JSON form


@dataclass(frozen=True, eq=False)
class VisitPrediction(Decided):
    """The result at a visit, from all that was known until then.

    Args:
        visit: name.
        probability: of pathological complete response, in [0, 1].
        interval: lowest and highest probability among the fits of the formula.
        fit_probabilities: one per fit.
        evidence: the sum of terms that gives the probability.
        operating_point: of the formula that was used.
        operating_points: all of them; the first is the default.
        notices: that the model was trained on the patient, those of the visit itself (`Visit.notices`), then those of
            the model.
        used: visits that the formula is of: seen, measured, and known to the model.
        estimated: labels of what is unknown and was estimated from the other values.
        missing_interval: range of the probability in 9 of 10 patients if what is unknown, of visits and clinical
            values, were known; None if nothing is.
    """

    visit: str
    probability: float
    interval: tuple[float, float]
    fit_probabilities: tuple[float, ...]
    evidence: Evidence
    operating_point: OperatingPoint
    operating_points: tuple[OperatingPoint, ...]
    notices: tuple[Notice, ...] = ()
    used: tuple[str, ...] = ()
    estimated: tuple[str, ...] = ()
    missing_interval: tuple[float, float] | None = None

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        method = f"lowest and highest of {len(self.fit_probabilities)} fits"
        return {
            "visit": self.visit,
            "probability": self.probability,
            "interval": {"low": self.interval[0], "high": self.interval[1], "method": method},
            "fit_probabilities": list(self.fit_probabilities),
            "decision": self.decision,
            "decision_withheld": self.decision_withheld,
            "operating_point": vars(self.operating_point),
            "visits_used": list(self.used),
            "estimated": list(self.estimated),
            "missing_interval": self.missing_interval
            and {
                "low": self.missing_interval[0],
                "high": self.missing_interval[1],
                "method": "5th to 95th percentile if all that is unknown were known",
            },
            "evidence": self.evidence.to_json(),
            "warnings": [vars(notice) for notice in self.notices],
        }


@dataclass(frozen=True, eq=False)
class ResponsePrediction:
    """The result for a course.

    Args:
        visits: one per visit of the course, in the order of time.
        notices: warnings about the patient, not about a visit: clinical values, and that the model was trained on the
            patient, which each visit has, too, as it forbids a decision.
        model: that made the prediction.
        clinical: label of every clinical variable to the value used, "unknown" if it is missing.
        clinical_probability: from clinical values alone, in [0, 1].
        not_read: labels of quantities that were measured and have no part in this model.
        versions: of this library and of those that it ran on.
    """

    visits: tuple[VisitPrediction, ...]
    notices: tuple[Notice, ...]
    model: ModelIdentity
    clinical: Mapping[str, str] = field(default_factory=dict)
    clinical_probability: float | None = None
    not_read: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def last(self) -> VisitPrediction:
        """The result at the latest visit."""
        return self.visits[-1]

    def at(self, visit: str) -> VisitPrediction:
        """Return the result at a visit of the course."""
        return next(each for each in self.visits if each.visit == visit)

    def with_operating_point(self, name: str) -> ResponsePrediction:
        """Return the result with the decisions at the operating points of a different name, where a visit has it."""
        return replace(self, visits=tuple(_with_point(each, name) for each in self.visits))

    def to_json(self) -> dict[str, object]:
        """Return plain values, without dates or identifiers."""
        return {
            "format": FORMAT,
            "visits": [each.to_json() for each in self.visits],
            "clinical": dict(self.clinical),
            "clinical_probability": self.clinical_probability,
            "not_read": list(self.not_read),
            "warnings": [vars(notice) for notice in self.notices],
            "model": vars(self.model),
            "versions": dict(self.versions),
            "disclaimer": RESEARCH_USE_ONLY,
        }


def _with_point(prediction: VisitPrediction, name: str) -> VisitPrediction:
    point = next((point for point in prediction.operating_points if point.name == name), prediction.operating_point)
    return replace(prediction, operating_point=point)
