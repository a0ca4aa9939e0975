"""Predict one exam, and write the files of its result."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from PCRPredictorLib.bundles.folder import DEFAULT_MODEL
from PCRPredictorLib.calls.one_exam import PredictedExam, predict_exam
from PCRPredictorLib.curves.summary import measure_kinetics
from PCRPredictorLib.errors import DataError, within_memory
from PCRPredictorLib.exam import Exam
from PCRPredictorLib.lesion.sides import separate_sides
from PCRPredictorLib.model.predictor import Predictor
from PCRPredictorLib.prediction import Prediction

from .loading import load_model
from .log import LOG
from .place import check_place


@within_memory()
def predict(
    exam: Exam,
    model: str | PathLike[str] | Predictor = DEFAULT_MODEL,
    *,
    out: str | PathLike[str] | None = None,
    operating_point: str | None = None,
    does_it_matter: bool = False,
    dicom: bool = False,
    scene: bool = False,
    show_patient_id: bool = False,
    device: str = "cpu",
) -> Prediction:
    """Predict pathological complete response for one exam, as `pcr predict` does.

    Args:
        exam: with a mask, from `read`, `find_tumour` or `grow_tumour`, or made of arrays (k, j, i).
        model: name of a model that ships, a bundle folder, that of a training run, or one from `load_model`.
        out: folder for the files of the result, see `write`; None for none.
        operating_point: name of the one that decides; None for the model's first.
        does_it_matter: also erase the tumour and a patch elsewhere, and swap the background.
        dicom, scene, show_patient_id: of the files in `out`, as in `write`.
        device: "cpu" or "cuda", if the model is not loaded yet.

    Returns:
        The prediction: `probability` in [0, 1] and its `interval` over the folds, `decision` (None if it is withheld),
        `notices` (the warnings), `attention` and `evidence_map` (k, j, i) on the exam's voxels, `measurements` in mm
        and ml, and `to_json()`, the content of `prediction.json`. Of several tumours the numbers are the largest's;
        `lesions` has each.

    Raises:
        CallError: if the folder is one of the inputs, or holds something else than a prediction.
        DataError: if the exam has no tumour or cannot be predicted, the model does not know a clinical variable that
            was given by name, or the folder cannot be written.

    Example:
        prediction = breastpcr.predict(exam, out="result")
        print(prediction.probability, [notice.message for notice in prediction.notices])
    """
    _check(exam)
    if out is not None:
        _check_place(exam, Path(out))
    predictor = model if isinstance(model, Predictor) else load_model(model, device=device)
    _check_names(exam, predictor)
    found = predict_exam(exam, predictor, operating_point, does_it_matter=does_it_matter, dicom=dicom)
    if out is not None:
        found.write(Path(out), dicom=dicom, scene=scene, show_patient_id=show_patient_id)
    return found.prediction


@within_memory()
def write(
    exam: Exam,
    prediction: Prediction,
    out: str | PathLike[str],
    *,
    dicom: bool = False,
    scene: bool = False,
    show_patient_id: bool = False,
) -> None:
    """Write the files of a prediction into a folder, all of them or none: report, picture, maps, `prediction.json`.

    Args:
        exam: that was predicted.
        prediction: of it.
        out: folder; files of an earlier result in it are replaced.
        dicom: also the objects for a PACS; the exam must be of DICOM.
        scene: also `scene.mrb`, with Slicer's core, which is loaded into this process.
        show_patient_id: name the patient in the report.

    Raises:
        CallError: if the folder is one of the inputs, or holds something else than a prediction.
        DataError: if the folder cannot be written, or results in DICOM are not possible.
    """
    _check(exam)
    _check_place(exam, Path(out))
    exam = separate_sides(exam)
    found = PredictedExam(exam, prediction, measure_kinetics(exam))
    found.write(Path(out), dicom=dicom, scene=scene, show_patient_id=show_patient_id)


def _check(exam: object) -> None:
    if not isinstance(exam, Exam):
        raise DataError(f"exam must be an Exam, got {type(exam).__name__}; read it first: breastpcr.read(...)")
    if not exam.has_tumour:
        raise DataError("the exam has no tumour; give read() its mask, or use find_tumour() or grow_tumour()")


def _check_place(exam: Exam, out: Path) -> None:
    check_place("predict", {"out": out, "inputs": exam.provenance.inputs or exam.provenance.files})


def _check_names(exam: Exam, predictor: Predictor) -> None:
    """Refuse clinical values that were given by name and the model does not ask for; log those of files and tables."""
    made, typed = exam.provenance.source == "memory", exam.provenance.typed
    given = {name: value for name, value in exam.clinical.items() if made or str(name).strip().lower() in typed}
    predictor.bundle.schema.parse(given, strict=True)
    names = [variable.name for variable in predictor.bundle.schema.asked]
    known = {name.lower() for name in names}
    unknown = sorted(str(name) for name in exam.clinical if str(name).strip().lower() not in known)
    if unknown:
        used = ", ".join(names) or "none"
        LOG.warning("clinical values that the model does not use: %s; it uses %s", ", ".join(unknown), used)
