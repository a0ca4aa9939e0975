"""Volumes: the phases of a patient of a cohort, of which only that patient may be lost, and all phases in one file."""

import csv
from collections.abc import Callable
from pathlib import Path

from support.hostile.images import KINDS

from ..format import Attack, Face, Format, pcr


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


def predict_cohort(inputs: Path, out: Path) -> list[object]:
    return ["predict", "--cohort", inputs / "cohort", "--model", inputs / "bundle", "--out", out, "--workers", 1]


def only_one_is_lost(inputs: Path, out: Path, code: int) -> str:
    """Find patients without a probability that were not touched, or a cohort that ended."""
    if code or not (out / "predictions.csv").is_file():
        return f"the whole cohort ended with {code}"
    with (out / "predictions.csv").open(newline="", encoding="utf-8") as file:
        lost = {row["patient_id"] for row in csv.DictReader(file) if not row["probability"]}
    return f"lost {sorted(lost)}" if lost - {"P1"} else ""


def _kinds(prefix: str) -> dict[str, Attack]:
    """Return the hostile volumes of a format as attacks on the early phase of a patient."""
    return {name: _replace(write) for name, write in KINDS.items() if name.startswith(prefix)}


def _replace(write: Callable[[Path], Path]) -> Attack:
    def attack(folder: Path) -> None:
        patient = folder / "cohort" / "images" / "P1"
        for file in patient.glob("p1_0001.*"):
            file.unlink()
        write(patient / "p1_0001")

    return attack


def _make_series(folder: Path) -> None:
    """Write all phases in one file: NIfTI, NRRD and MetaImage."""
    import numpy as np
    import SimpleITK as sitk
    from PCRPredictorLib.writing import write_nifti
    from support.examples import tiny_exam
    from support.models.tiny import write_tiny_bundle

    exam = tiny_exam(size=(32, 32, 6), spacing=(2.0, 2.0, 4.0))
    write_tiny_bundle(folder / "bundle")
    write_nifti(exam.mask, exam.geometry, folder / "mask.nii.gz")
    volumes = [sitk.GetImageFromArray(np.asarray(phase, np.int16)) for phase in (*exam.phases, exam.late)]
    for volume in volumes:
        volume.SetSpacing(exam.geometry.spacing)
        volume.SetOrigin(exam.geometry.origin)
        volume.SetDirection(exam.geometry.direction.ravel().tolist())
    for ending in ("nii", "nrrd"):
        sitk.WriteImage(sitk.JoinSeries(volumes), str(folder / f"series.{ending}"))
    for k, volume in enumerate(volumes[:3]):
        sitk.WriteImage(volume, str(folder / f"phase{k}.mhd"), useCompression=k > 0)


def _of_files(*words: str) -> Face:
    def call(inputs: Path, out: Path) -> list[object]:
        given = [inputs / word if "." in word else word for word in words]
        return ["predict", *given, "--mask", inputs / "mask.nii.gz", "--model", inputs / "bundle", "--out", out]

    return pcr(call)


PREDICT: dict[str, Face] = {"predict": pcr(predict_cohort)}
FORMATS = (
    *(
        Format(
            name,
            _make(ending),
            faces=PREDICT,
            more=_kinds(prefix),
            targets=("cohort/images/P1/*", "cohort/segmentations/expert/p1.*"),
            check=only_one_is_lost,
        )
        for name, ending, prefix in (("nifti", ".nii", "nii"), ("nrrd", ".nrrd", "nrrd"), ("metaimage", ".mha", "mh"))
    ),
    Format(
        "series",
        _make_series,
        faces={
            "4-D NIfTI": _of_files("--series", "series.nii"),
            "4-D NRRD": _of_files("--series", "series.nrrd"),
            "headers and voxels apart": _of_files("--phases", "phase0.mhd", "phase1.mhd", "phase2.mhd"),
        },
        targets=("series.*", "phase*", "mask.nii.gz"),
    ),
)
