"""The prediction that is shown, what it was made of, and its words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ..exam import Exam
from ..prediction import OperatingPoint, Prediction
from ..report import wording
from .frontend import Fingerprint
from .history import Snapshot


class PredictionInputs(NamedTuple):
    """What a prediction depends on."""

    state: Fingerprint
    clinical: dict[str, object]
    model: str  # checksum


@dataclass(frozen=True, eq=False)
class Result:
    """A prediction.

    Args:
        exam: that was predicted.
        prediction: at the chosen operating point.
        inputs: what it was made of.
    """

    exam: Exam
    prediction: Prediction
    inputs: PredictionInputs

    def at(self, point: OperatingPoint) -> Result:
        """Return the result at a different operating point."""
        return replace(self, prediction=self.prediction.at(point))

    @cached_property
    def tumour(self) -> Snapshot:
        """The tumour that was predicted."""
        return Snapshot.of_mask(np.asarray(self.exam.mask))

    @property
    def peak(self) -> tuple[float, float, float]:
        """The position of the highest attention, LPS mm."""
        return self.prediction.attention_summary.peak

    @property
    def is_from_dicom(self) -> bool:
        """True if it can be written as DICOM, too."""
        return bool(self.exam.provenance.files)


@dataclass(frozen=True)
class ResultWords:
    """A result in sentences; `probability` and `warnings` are rich text."""

    probability: str = ""
    decision: str = ""
    image_alone: str = ""
    attention: str = ""
    warnings: str = ""


def describe_result(result: Result | None, _: wording.Translate = str) -> ResultWords:
    """Return the words of a result, or of its absence."""
    if result is None:
        return ResultWords(_("No prediction yet."))
    prediction = result.prediction
    return ResultWords(
        wording.describe_probability(prediction, _),
        wording.describe_decision(prediction, prediction.operating_point, _),
        wording.describe_image_alone(prediction, _),
        wording.describe_attention(prediction, _),
        wording.describe_warnings(prediction, _),
    )
