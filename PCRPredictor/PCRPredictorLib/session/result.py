"""The prediction that is shown, what it was made of, and its words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from ..exam import Exam
from ..prediction import OperatingPoint, Prediction
from ..report import wording
from ..report.effect_words import describe_interventions
from ..report.evidence_words import describe_evidence
from ..report.measured import describe_measurements_briefly
from ..report.trust_words import describe_calibration
from ..saved.result import Packed
from .activity import Activity
from .frontend import Fingerprint
from .history import Snapshot, TumourState


class PredictionInputs(NamedTuple):
    """What a prediction depends on; `tumour` holds the voxels of each lesion, see `TumourState.content`."""

    state: Fingerprint
    tumour: tuple[Snapshot, ...]
    clinical: dict[str, object]
    model: str  # checksum


@dataclass(frozen=True, eq=False)
class Result:
    """A prediction.

    Args:
        exam: that was predicted.
        prediction: at the chosen operating point.
        inputs: what it was made of.
        shown: number of the lesion whose values and attention are shown.
        packed: what the scene keeps of it, None if it cannot be kept.
        is_kept: True if it comes from a scene: it cannot answer for other clinical values.
    """

    exam: Exam
    prediction: Prediction
    inputs: PredictionInputs
    shown: int = 0
    packed: Packed | None = None
    is_kept: bool = False

    def at(self, point: OperatingPoint) -> Result:
        """Return the result at a different operating point."""
        return replace(self, prediction=self.prediction.at(point))

    def show(self, number: int) -> Result:
        """Return the result with a different lesion shown, by its number in `Prediction.lesions`."""
        return replace(self, shown=number)

    def with_interventions(self, found: Prediction) -> Result:
        """Return the result with the interventions of a prediction, and of its lesions."""
        lesions = tuple(
            replace(mine, prediction=replace(mine.prediction, interventions=theirs.prediction.interventions))
            for mine, theirs in zip(self.prediction.lesions, found.lesions, strict=True)
        )
        prediction = replace(self.prediction, interventions=found.interventions, lesions=lesions)
        return replace(self, prediction=prediction)

    def is_of(self, now: Fingerprint | None, drawn: TumourState | None) -> bool:
        """Return False if volumes or tumour differ from those that were predicted; an undone stroke changes nothing.

        Args:
            now: state of the exam, None while it is not complete.
            drawn: the tumour as it is.
        """
        if now is None:
            return True
        if now.voxels != self.inputs.state.voxels:
            return False
        return now.tumour == self.inputs.state.tumour or (drawn is not None and drawn.content == self.inputs.tumour)

    @property
    def current(self) -> Prediction:
        """The prediction of the lesion that is shown; of the first one it is that of the exam."""
        return self.prediction.lesions[self.shown].prediction if self.shown else self.prediction

    @property
    def current_exam(self) -> Exam:
        """The exam with the lesion that is shown as its tumour."""
        return replace(self.exam, mask=self.exam.lesions[self.shown].mask) if self.exam.lesions else self.exam

    @property
    def peak(self) -> tuple[float, float, float]:
        """The position of the highest attention of the lesion that is shown, LPS mm."""
        return self.current.attention_summary.peak

    @property
    def is_from_dicom(self) -> bool:
        """True if it can be written as DICOM, too."""
        return bool(self.exam.provenance.files)


@dataclass(frozen=True)
class ResultWords:
    """A result in sentences; `headline`, `probability`, `warnings`, `others` and `evidence` are rich text.

    `headline` and `doubt` are the least that must be in sight: `range` and `decision` say the rest of `headline`, and
    `others` are the `warnings` but for those that headline and `doubt` hold.
    `lesions` has a line for each of several. `matters` is "" until `Session.intervene` has been called.
    """

    probability: str = ""
    decision: str = ""
    model: str = ""
    image_alone: str = ""
    attention: str = ""
    measurements: str = ""
    warnings: str = ""
    matters: str = ""
    evidence: str = ""
    lesions: tuple[str, ...] = ()
    name: str = ""
    headline: str = ""
    doubt: str = ""
    others: str = ""
    range: str = ""


def describe_result(result: Result | None, _: wording.Translate = str, assumptions: str = "") -> ResultWords:
    """Return the words of a result, or of its absence.

    Args:
        assumptions: under which it is hypothetical, "" if it is not.
    """
    if result is None:
        return ResultWords(_("No prediction yet."))
    prediction = result.current
    assumed = wording.describe_assumptions(assumptions, _)
    name = _("Model {name}: ").format(name=f"{prediction.model.name} {prediction.model.version}")
    doubt, others = wording.split_doubts(prediction, _)
    return ResultWords(
        assumed + wording.describe_result(prediction, _),
        wording.describe_decision(prediction, _),
        f"{name}{describe_calibration(prediction.model, _)}",  # its AUC stands where it is chosen
        wording.describe_image_alone(prediction, _),
        wording.describe_attention(prediction, _),
        describe_measurements_briefly(prediction.measurements, _),
        wording.describe_warnings(prediction, _),
        describe_interventions(prediction, _),
        describe_evidence(prediction.evidence, _),
        tuple(wording.describe_lesion(lesion, _) for lesion in result.prediction.lesions),
        _("Result {name}, as in its report.").format(name=result.prediction.name),
        assumed + wording.describe_headline(prediction, _),
        doubt,
        others,
        wording.describe_spread(prediction, _),
    )


def describe_stale(result: Result, is_different_exam: bool, _: wording.Translate = str) -> str:
    """Return why a result that is not of what is chosen now must be predicted again.

    Args:
        is_different_exam: False if only clinical values differ.
    """
    if result.is_kept and not is_different_exam:
        return _("A result kept in a scene cannot answer for other clinical values; predict again to see them.")
    return _("Changed since this prediction; predict again.")


def save_result(
    result: Result | None,
    activity: Activity,
    folder: Path,
    write: Callable[..., None],
    *,
    dicom: bool,
    show_patient_id: bool,
) -> None:
    """Write the files of a result on the worker, at the chosen operating point and without a scene.

    Args:
        folder: that is made or replaced.
        write: `outputs.write_prediction`.
        dicom: also write DICOM, if the exam comes from DICOM.
        show_patient_id: name the patient in the report.
    """
    _ = activity.translate
    if result is None:
        activity.report_problem(_("There is no result to write; predict first."))
        return
    dicom = dicom and result.is_from_dicom
    options = {"scene": False, "dicom": dicom, "show_patient_id": show_patient_id}
    work = partial(write, result.exam, result.prediction, folder, **options)
    activity.start(_("Saving"), work, partial(_on_saved, activity, folder))


def _on_saved(activity: Activity, folder: Path, _nothing: object) -> None:
    activity.message = activity.translate("Saved in {folder}").format(folder=folder)
