"""One exam predicted, as a call asks for it: with its tumour, and with all that its files and lines show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..exam import Exam
from ..lesion.sides import separate_sides

if TYPE_CHECKING:
    from ..curves.summary import LesionKinetics
    from ..finding.find import Candidate
    from ..model.predictor import Predictor
    from ..outputs import SceneWriter
    from ..prediction import Prediction


@dataclass(frozen=True, eq=False)
class PredictedExam:
    """An exam and what was found in it.

    Args:
        exam: as it was predicted: with two tumours if its mask has one in each breast.
        prediction: its result.
        kinetics: of the tumour, None if they cannot be measured.
    """

    exam: Exam
    prediction: Prediction
    kinetics: LesionKinetics | None

    def write(
        self,
        out: Path,
        *,
        show_patient_id: bool = False,
        dicom: bool = False,
        scene: bool = True,
        scene_writer: SceneWriter | None = None,
    ) -> None:
        """Write the files of the prediction; arguments and errors are those of `outputs.write_prediction`."""
        from ..mrml.scene import scene_here
        from ..outputs import write_prediction

        write_prediction(
            self.exam,
            self.prediction,
            out,
            show_patient_id=show_patient_id,
            dicom=dicom,
            scene=scene,
            scene_writer=scene_writer or scene_here,
            kinetics=self.kinetics,
        )


def predict_exam(
    exam: Exam,
    predictor: Predictor,
    operating_point: str | None = None,
    *,
    does_it_matter: bool = False,
    dicom: bool = False,
) -> PredictedExam:
    """Predict an exam.

    Args:
        exam: with a mask.
        operating_point: name, or None for the model's first.
        does_it_matter: also find out what changes of the picture do, see `intervene`.
        dicom: results in DICOM will be written; what makes them impossible is reported before predicting.

    Raises:
        DataError: if the exam cannot be predicted.
    """
    from ..curves.summary import measure_kinetics
    from ..dicom.objects.results import check_possible
    from ..effects.interventions import intervene

    exam = separate_sides(exam)
    if dicom:
        check_possible(exam)
    prediction = predictor.predict(exam, operating_point)
    if does_it_matter:
        prediction = intervene(predictor, exam, prediction)
    return PredictedExam(exam, prediction, measure_kinetics(exam))


def with_tumour(
    exam: Exam, find_tumour: bool, place: Sequence[float], anyway: bool
) -> tuple[Exam, tuple[Candidate, ...]]:
    """Return the exam with a tumour that is found or grown, if that is wanted, and the candidates of a search.

    Args:
        exam: without a tumour, if one is wanted.
        find_tumour: find it.
        place: LPS mm of a click (three numbers) or of two corners of a box (six); empty for neither.
        anyway: use what grows there even if it does not look like a mass.

    Raises:
        DataError: if there is none.
    """
    from ..finding.use import with_clicked_tumour, with_found_tumour

    if place:
        corners = [place[:3], place[3:]] if len(place) > 3 else place
        return with_clicked_tumour(exam, np.array(corners), anyway, box=len(place) > 3), ()
    return with_found_tumour(exam) if find_tumour else (exam, ())
