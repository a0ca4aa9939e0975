"""Exams and cohorts: volumes, DICOM, a table. Of a cohort only the mutated patient may be lost."""

import csv
from collections.abc import Callable
from pathlib import Path

from ..format import Face, Format, pcr


def _make(ending: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        from support.models.tiny import write_tiny_bundle
        from support.training_cohort import write_cohort

        write_tiny_bundle(folder / "bundle")
        write_cohort(folder / "cohort", 3)
        if ending:
            _convert(folder / "cohort" / "images" / "P1", ending)

    return write


def _convert(folder: Path, ending: str) -> None:
    """Write the volumes of a folder in a different format."""
    import SimpleITK as sitk

    for file in sorted(folder.iterdir()):
        image = sitk.ReadImage(str(file))
        file.unlink()
        sitk.WriteImage(image, str(file).removesuffix(".nii.gz") + ending, ending != ".nii")


def _make_dicom(folder: Path) -> None:
    from PCRPredictorLib.writing import write_nifti
    from support.dicom_exam import write_dicom_exam
    from support.examples import tiny_exam
    from support.models.tiny import write_tiny_bundle

    exam = tiny_exam(size=(32, 32, 6), spacing=(2.0, 2.0, 4.0))
    write_tiny_bundle(folder / "bundle")
    write_dicom_exam(folder / "dicom", exam, "siemens")
    write_nifti(exam.mask, exam.geometry, folder / "mask.nii.gz")


def _cohort(inputs: Path, out: Path) -> list[object]:
    return ["predict", "--cohort", inputs / "cohort", "--model", inputs / "bundle", "--out", out, "--workers", 1]


def _exam(inputs: Path, out: Path) -> list[object]:
    mask = ["--mask", inputs / "mask.nii.gz"]
    return ["predict", "--dicom", inputs / "dicom", *mask, "--model", inputs / "bundle", "--out", out]


def _only_one_is_lost(inputs: Path, out: Path, code: int) -> str:
    """Find patients without a probability that were not touched, or a cohort that ended."""
    if code or not (out / "predictions.csv").is_file():
        return f"the whole cohort ended with {code}"
    with (out / "predictions.csv").open(newline="", encoding="utf-8") as file:
        lost = {row["patient_id"] for row in csv.DictReader(file) if not row["probability"]}
    return f"lost {sorted(lost)}" if lost - {"P1"} else ""


_PREDICT: dict[str, Face] = {"predict": pcr(_cohort)}
FORMATS = (
    *(
        Format(
            name,
            _make(ending),
            faces=_PREDICT,
            targets=("cohort/images/P1/*", "cohort/segmentations/expert/p1.*"),
            check=_only_one_is_lost,
        )
        for name, ending in (("nifti", ".nii"), ("nrrd", ".nrrd"), ("metaimage", ".mha"))
    ),
    Format("table", _make(""), faces=_PREDICT, targets=("cohort/*.csv",)),
    Format("dicom", _make_dicom, faces={"predict": pcr(_exam)}, targets=("dicom/*",)),
)
