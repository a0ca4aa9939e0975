"""The files of a prediction."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from .curves.summary import LesionKinetics, measure_kinetics
from .dicom.objects.results import DICOM, FILES, write_dicom_results, write_segmentation
from .errors import DataError
from .evidence import describe_map_unit
from .exam import Exam, exam_to_json
from .mrml import scene as mrml_scene
from .prediction import Prediction, evidence_map_to_json
from .report.overlay import save_overlay
from .report.page import render_report
from .writing import whole_folder, write_json, write_nifti

SCENE = "scene.mrb"
RESULT, ATTENTION, OVERLAY, REPORT = "prediction.json", "attention.nii.gz", "overlay.png", "report.html"
EVIDENCE, EVIDENCE_UNITS = "evidence.nii.gz", "evidence.json"
MASK, MASK_DICOM = "tumour.nii.gz", "tumour.dcm"
SceneWriter = Callable[[Exam, Prediction, Path], AbstractContextManager[None]]  # the file is there after the block


def write_prediction(
    exam: Exam,
    prediction: Prediction,
    out: Path,
    *,
    show_patient_id: bool = False,
    scene: bool = True,
    scene_writer: SceneWriter = mrml_scene.scene_here,
    dicom: bool = False,
    kinetics: LesionKinetics | None = None,
    among_many: bool = False,
) -> None:
    """Write `prediction.json`, `tumour.nii.gz`, `attention.nii.gz`, `evidence.nii.gz` with `evidence.json`,
    `overlay.png`, `report.html` and, if the Slicer core is installed, `scene.mrb` into a folder: all of them or none.

    Args:
        show_patient_id: name the patient in the report.
        scene: write `scene.mrb` if possible.
        scene_writer: how; a different one may write it during the block, beside the other files.
        dicom: also write `dicom/`, see `write_dicom_results`.
        kinetics: of the tumour, if they are measured already.
        among_many: see `whole_folder`.

    Raises:
        DataError: if the folder cannot be written or holds a tumour mask that is of no earlier result, or results in
            DICOM are not possible.
    """
    _check_own_mask(out)
    with whole_folder(out, among_many=among_many) as folder:
        with scene_writer(exam, prediction, folder / SCENE) if scene else nullcontext():
            _write_files(exam, prediction, folder, show_patient_id, dicom, kinetics)
        leftover = _leftover_files(folder, out)
    for file in leftover:
        file.unlink()


def _write_files(
    exam: Exam,
    prediction: Prediction,
    folder: Path,
    show_patient_id: bool,
    dicom: bool,
    kinetics: LesionKinetics | None,
) -> None:
    """Write all files of a prediction but its scene."""
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


def remove_results(folder: Path) -> None:
    """Remove the files of an earlier result from a folder, if there is one; `prediction.json`, its sign, last.

    Raises:
        OSError: if one cannot be removed.
    """
    if (folder / RESULT).is_file():
        for file in reversed(_leftover_files(None, folder)):
            file.unlink()


def folder_name(patient_id: str) -> str:
    """Return an identifier, which may hold any character in a table, as a folder name valid on every system."""
    name = re.sub(r"[^\w-]+", "_", patient_id).strip("_") or "_"
    return f"{name}_" if re.fullmatch(r"con|prn|aux|nul|(com|lpt)\d", name.lower()) else name  # devices of Windows


def _check_own_mask(out: Path) -> None:
    """Refuse to replace a mask that the user keeps under the name of ours."""
    if (out / MASK).is_file() and not (out / RESULT).is_file():
        raise DataError(f"{out / MASK}: is there already, and of no earlier result; choose a different folder")


def _leftover_files(new: Path | None, old: Path) -> list[Path]:
    """Return files of an earlier result, maybe of a different exam, that the new one, if any, does not replace."""
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
    return [old / name for name in names if (old / name).is_file() and not (new and (new / name).exists())]
