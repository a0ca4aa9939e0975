"""The files of a prediction, and of a whole cohort."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from .child import emit
from .curves.summary import LesionKinetics, measure_kinetics
from .dicom.objects.results import FILES, write_dicom_results, write_segmentation
from .errors import DataError, within_memory
from .evidence import KINDS, describe_map_unit
from .exam import Exam, exam_to_json
from .lesion.sides import separate_sides
from .mrml import scene as mrml_scene
from .prediction import Prediction, evidence_map_to_json
from .reading.sources import Source
from .report.overlay import save_overlay
from .report.page import render_report
from .report.wording import describe_model
from .writing import whole_folder, write_csv, write_json, write_nifti

COHORT_COLUMNS = (
    "patient_id",
    "probability",
    "mask_low",
    "mask_high",
    "threshold",
    "decision",
    "decision_withheld",
    "base_rate",
    "attention_in_tumour",
    "warnings",
    "model",
    "error",
)
TERM = "evidence_"  # begins the name of a column with a term of the evidence
LESION = "lesion"  # a further column if any patient has several tumours
EFFECTS = ("points_tumour_erased", "points_patch_erased", "points_background_swapped")  # if interventions were made
SCENE, DICOM, TABLE = "scene.mrb", "dicom", "predictions.csv"
RESULT, ATTENTION, OVERLAY, REPORT = "prediction.json", "attention.nii.gz", "overlay.png", "report.html"
EVIDENCE, EVIDENCE_UNITS = "evidence.nii.gz", "evidence.json"
MASK, MASK_DICOM = "tumour.nii.gz", "tumour.dcm"


def write_prediction(
    exam: Exam,
    prediction: Prediction,
    out: Path,
    *,
    show_patient_id: bool = False,
    scene: bool = True,
    dicom: bool = False,
    kinetics: LesionKinetics | None = None,
) -> None:
    """Write `prediction.json`, `tumour.nii.gz`, `attention.nii.gz`, `evidence.nii.gz` with `evidence.json`,
    `overlay.png`, `report.html` and, if the Slicer core is installed, `scene.mrb` into a folder: all of them or none.

    Args:
        show_patient_id: name the patient in the report.
        scene: write `scene.mrb` if possible.
        dicom: also write `dicom/`, see `write_dicom_results`.
        kinetics: of the tumour, if they are measured already.

    Raises:
        DataError: if the folder cannot be written or holds a tumour mask that is of no earlier result, or results in
            DICOM are not possible.
    """
    _check_own_mask(out)
    with whole_folder(out) as folder:
        kinetics = kinetics or measure_kinetics(exam)
        found = {"kinetics": None if kinetics is None else kinetics.to_json(), "exam": exam_to_json(exam)}
        write_json({**prediction.to_json(), **found}, folder / RESULT)
        write_nifti(exam.labelled_mask(), exam.geometry, folder / MASK)
        write_nifti(prediction.attention, exam.geometry, folder / ATTENTION)
        if prediction.evidence_map is not None:
            write_nifti(prediction.evidence_map, exam.geometry, folder / EVIDENCE, f"Evidence, {describe_map_unit()}")
            write_json(evidence_map_to_json(prediction, exam.geometry.voxel_volume), folder / EVIDENCE_UNITS)
        save_overlay(exam, prediction, folder / OVERLAY)
        picture = (folder / OVERLAY).read_bytes()
        report = render_report(exam, prediction, picture, show_patient_id=show_patient_id, kinetics=kinetics)
        (folder / REPORT).write_text(report, encoding="utf-8")
        if dicom:
            (folder / DICOM).mkdir()
            write_dicom_results(exam, prediction, folder / DICOM)
        if scene and mrml_scene.slicer_core_available():
            mrml_scene.write_scene(exam, prediction, folder / SCENE)
        leftover = _leftover_files(folder, out)
    for file in leftover:
        file.unlink()


def write_tumour(exam: Exam, path: Path) -> None:
    """Write the tumour as it is drawn, with or without a prediction, whole or not at all.

    Args:
        exam: with a mask; several tumours become several labels, or segments.
        path: ending in .nii.gz or, for an exam from DICOM, in .dcm for a DICOM Segmentation.

    Raises:
        DataError: if there is no tumour, the ending is a different one, or the file cannot be written.
    """
    if not exam.has_tumour:
        raise DataError("there is no tumour to save; click or paint it first")
    if not path.name.lower().endswith((".nii.gz", ".dcm")):
        raise DataError(f"{path.name}: the name must end in .nii.gz, or in .dcm for DICOM; choose one of them")
    with whole_folder(path.parent) as folder:
        if path.name.lower().endswith(".dcm"):
            write_segmentation(exam, folder / path.name)
        else:
            write_nifti(exam.labelled_mask(), exam.geometry, folder / path.name)


def predict_cohort(
    patients: Iterable[Source],
    predict: Callable[[Exam], Prediction],
    out: Path,
    *,
    each: bool = False,
) -> dict[str, str]:
    """Predict every patient and write `predictions.csv`; an error in one patient does not stop the others.

    A patient with several tumours has a row for each, and the table then the column `lesion`. Predictions with
    interventions have the columns `EFFECTS`, in percentage points; empty without room for a patch. Each term of the
    evidence has a column in log-odds, after all others.

    Args:
        predict: usually `Predictor.predict`.
        each: also write the files of each patient to a folder (see `folder_name`), without scenes.

    Returns:
        The reason why each patient failed that did, as in the column `error`; a dict by identifier.

    Raises:
        DataError: if the folder cannot be written, or if every patient failed; then the table is still written.
    """
    with whole_folder(out) as folder:
        rows = []
        for patient in patients:
            rows += (found := _predict_patient(patient, predict, folder if each else None))
            for row in found:
                emit("patient", **row)
        first, *rest = COHORT_COLUMNS
        more = [name for name in (LESION, *EFFECTS) if any(name in row for row in rows)]
        terms = dict.fromkeys(name for row in rows for name in row if name.startswith(TERM))
        columns = (first, *more, *rest, *terms)
        write_csv(columns, ([row.get(column, "") for column in columns] for row in rows), folder / TABLE)
        names = {folder_name(str(row["patient_id"])) for row in rows} if each else set()
        leftover = [file for name in names for file in _leftover_files(folder / name, out / name)]
    for path in leftover:
        path.unlink()
    failed = {str(row["patient_id"]): str(row["error"]) for row in rows if "error" in row}
    if len(failed) == len(rows):
        raise DataError(f"no patient could be predicted; the column 'error' of {out / TABLE} says why")
    return failed


def folder_name(patient_id: str) -> str:
    """Return an identifier, which may hold any character in a table, as a folder name valid on every system."""
    name = re.sub(r"[^\w-]+", "_", patient_id).strip("_") or "_"
    return f"{name}_" if re.fullmatch(r"con|prn|aux|nul|(com|lpt)\d", name.lower()) else name  # devices of Windows


def _check_own_mask(out: Path) -> None:
    """Refuse to replace a mask that the user keeps under the name of ours."""
    if (out / MASK).is_file() and not (out / RESULT).is_file():
        raise DataError(f"{out / MASK}: is there already, and of no earlier result; choose a different folder")


def _leftover_files(new: Path, old: Path) -> list[Path]:
    """Return files of an earlier result, maybe of a different exam, that the new one does not replace."""
    names = (
        RESULT,
        MASK,
        ATTENTION,
        EVIDENCE,
        EVIDENCE_UNITS,
        OVERLAY,
        REPORT,
        SCENE,
        *(f"{DICOM}/{name}" for name in FILES),
    )
    return [old / name for name in names if (old / name).is_file() and not (new / name).exists()]


def _predict_patient(
    patient: Source, predict: Callable[[Exam], Prediction], folder: Path | None
) -> list[dict[str, object]]:
    """Return the rows of a patient: one, or one per tumour."""
    try:
        with within_memory():
            exam = patient.read()
            if exam.mask is None:
                raise DataError(f"{patient.name}: has no tumour mask; add it to the cohort")
            exam = separate_sides(exam)
            prediction = predict(exam)
    except DataError as error:
        return [{"patient_id": patient.name, "error": str(error)}]
    if folder is not None:
        write_prediction(exam, prediction, folder / folder_name(patient.name), scene=False)
    each = {lesion.name: lesion.prediction for lesion in prediction.lesions}
    found = [{LESION: name, **_values(of)} for name, of in each.items()] or [_values(prediction)]
    return [{"patient_id": patient.name, **row} for row in found]


def _values(prediction: Prediction) -> dict[str, object]:
    low, high = prediction.mask_interval or (None, None)
    return {
        "probability": f"{prediction.probability:.4f}",
        "mask_low": "" if low is None else f"{low:.4f}",
        "mask_high": "" if high is None else f"{high:.4f}",
        "threshold": f"{prediction.operating_point.threshold:.4f}",
        "decision": prediction.decision or "",
        "decision_withheld": prediction.decision_withheld or "",
        "base_rate": "" if prediction.model.base_rate is None else f"{prediction.model.base_rate:.4f}",
        "attention_in_tumour": f"{prediction.attention_summary.in_tumour:.4f}",
        "warnings": " ".join(notice.code for notice in prediction.notices),
        "model": describe_model(prediction.model),
        **_effects(prediction),
        **_terms(prediction),
    }


def _terms(prediction: Prediction) -> dict[str, str]:
    """Return the terms of the evidence in log-odds, in an order that is the same for all patients of a model."""
    if prediction.evidence is None:
        return {}
    terms = sorted(prediction.evidence.terms, key=lambda term: (KINDS.index(term.kind), term.name))
    return {f"{TERM}{term.name}": f"{term.log_odds:.5f}" for term in terms}


def _effects(prediction: Prediction) -> dict[str, str]:
    if prediction.interventions is None:
        return {}
    found = prediction.interventions.in_points(prediction)
    means = (found.erased, *(spread and spread.mean for spread in (found.patch, found.background)))
    return {name: "" if mean is None else f"{mean:.2f}" for name, mean in zip(EFFECTS, means, strict=True)}
