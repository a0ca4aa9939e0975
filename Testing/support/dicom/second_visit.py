"""A simulated second visit of a real DICOM exam: the tumour shrunk inside the real voxels, the body moved a little.

python -m support.dicom.second_visit EXAM OUT --centre X Y Z   (from the folder Testing; LPS mm of the tumour)
writes OUT/t0 (a copy), OUT/t1 (the second visit, 22 days later) and OUT/masks/{T0,T1}.nii.gz.
"""

from __future__ import annotations

import argparse
import datetime
import shutil
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from PCRPredictorLib.dicom.exam import read_dicom_exam
from PCRPredictorLib.exam import Exam
from PCRPredictorLib.finding.use import with_clicked_tumour
from PCRPredictorLib.writing import write_nifti
from pydicom.uid import generate_uid

DAYS = 22
_DATES = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "InstanceCreationDate")
_NEW_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID")


@dataclass(frozen=True)
class Treatment:
    """What happened between two visits.

    Args:
        centre: of the tumour before treatment, LPS mm.
        radius: of a ball that holds it, mm.
        shrink: factor on its diameter.
        fade: factor on its enhancement.
        background: factor on the enhancement of everything else.
        moved: mm by which the body moved, LPS.
        turned: degrees by which it turned about the axis from head to feet, around the tumour.
    """

    centre: tuple[float, float, float]
    radius: float
    shrink: float = 0.6
    fade: float = 0.8
    background: float = 0.9
    moved: tuple[float, float, float] = (6.0, -4.0, 5.0)
    turned: float = 3.0

    @property
    def motion(self) -> np.ndarray:
        """(4, 4): from LPS points in mm of the first visit to the same tissue in the second, but for the shrinking."""
        matrix, centre, angle = np.eye(4), np.array(self.centre), np.deg2rad(self.turned)
        matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        matrix[:3, 3] = centre + self.moved - matrix[:3, :3] @ centre
        return matrix

    def source_of(self, points: np.ndarray) -> np.ndarray:
        """Return where the tissue at LPS points (..., 3) of the second visit was at the first one."""
        back = np.linalg.inv(self.motion)
        offset = points @ back[:3, :3].T + back[:3, 3] - self.centre
        now = np.linalg.norm(offset, axis=-1, keepdims=True)
        known = [0.0, self.shrink * self.radius, 2 * self.radius]
        before = np.interp(now, known, [0.0, self.radius, 2 * self.radius])
        factor = np.where(now < known[-1], before / np.maximum(now, 1e-6), 1.0)
        return offset * factor + self.centre


def warp(image: sitk.Image, treatment: Treatment) -> sitk.Image:
    """Return an image of the first visit as it looks at the second, on the same lattice."""
    j, i = np.meshgrid(np.arange(image.GetSize()[1]), np.arange(image.GetSize()[0]), indexing="ij")
    matrix = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    moves = np.empty((*image.GetSize()[::-1], 3))
    for n in range(len(moves)):
        points = np.stack([i, j, np.full_like(i, n)], -1) @ matrix.T + image.GetOrigin()
        moves[n] = treatment.source_of(points) - points
    field = sitk.GetImageFromArray(moves, isVector=True)
    field.CopyInformation(image)
    moved = sitk.ResampleImageFilter()
    moved.SetReferenceImage(image)
    moved.SetTransform(sitk.DisplacementFieldTransform(field))
    moved.SetInterpolator(sitk.sitkLinear)
    moved.SetUseNearestNeighborExtrapolator(True)  # tissue goes on at the end of the field
    return moved.Execute(image)


def write_second_visit(source: Path, out: Path, exam: Exam, treatment: Treatment) -> None:
    """Write both visits as DICOM folders, with masks.

    Args:
        source: folder of the first visit, a folder for each series in it, the pre-contrast one first by time.
        out: new folder.
        exam: read from `source`, with the tumour's mask.
        treatment: between the visits.
    """
    (out / "masks").mkdir(parents=True)
    shutil.copytree(source, out / "t0")
    mask = sitk.GetImageFromArray((np.asarray(exam.mask) != 0).astype(np.float32))
    mask.SetSpacing(exam.geometry.spacing)
    mask.SetOrigin(exam.geometry.origin)
    mask.SetDirection(exam.geometry.direction.ravel().tolist())
    moved = sitk.GetArrayFromImage(warp(mask, treatment))
    write_nifti((np.asarray(exam.mask) != 0).astype(np.uint8), exam.geometry, out / "masks" / "T0.nii.gz")
    write_nifti((moved >= 0.5).astype(np.uint8), exam.geometry, out / "masks" / "T1.nii.gz")
    kept = treatment.background + (treatment.fade - treatment.background) * moved
    before = None
    for slices in _series(source):
        image = _volume(slices)
        volume = sitk.GetArrayFromImage(warp(image, treatment))
        before = volume if before is None else before
        enhanced = np.maximum(before + kept * (volume - before), 0)
        _write(slices, np.rint(enhanced), source, out / "t1")


def _series(source: Path) -> list[list[tuple[Path, pydicom.Dataset]]]:
    """Return the slices of each series, sorted along their normal; series by the time of acquisition."""
    series = defaultdict(list)
    for path in sorted(source.rglob("*.dcm")):
        dataset = pydicom.dcmread(path)
        series[dataset.SeriesInstanceUID].append((path, dataset))
    for slices in series.values():
        slices.sort(key=lambda each: _height(each[1]))
    return sorted(series.values(), key=lambda slices: (slices[0][1].StudyDate, slices[0][1].AcquisitionTime))


def _normal(dataset: pydicom.Dataset) -> np.ndarray:
    cosines = np.array(dataset.ImageOrientationPatient, float)
    return np.cross(cosines[:3], cosines[3:])


def _height(dataset: pydicom.Dataset) -> float:
    return float(_normal(dataset) @ np.array(dataset.ImagePositionPatient, float))


def _volume(slices: list[tuple[Path, pydicom.Dataset]]) -> sitk.Image:
    first = slices[0][1]
    step = (_height(slices[-1][1]) - _height(first)) / (len(slices) - 1)
    image = sitk.GetImageFromArray(np.stack([dataset.pixel_array for _, dataset in slices]).astype(np.float32))
    rows, columns = (float(value) for value in first.PixelSpacing)
    image.SetSpacing((columns, rows, step))
    image.SetOrigin([float(value) for value in first.ImagePositionPatient])
    cosines = np.array(first.ImageOrientationPatient, float)
    image.SetDirection(np.stack([cosines[:3], cosines[3:], _normal(first)], 1).ravel().tolist())
    return image


def _write(slices: list[tuple[Path, pydicom.Dataset]], volume: np.ndarray, source: Path, out: Path) -> None:
    for (path, dataset), pixels in zip(slices, volume, strict=True):
        stored = pixels.clip(0, 2**dataset.BitsStored - 1).astype(np.uint16)
        dataset.PixelData = stored.tobytes()
        dataset.LargestImagePixelValue = int(stored.max())
        for name in _NEW_UIDS:
            dataset[name].value = generate_uid(entropy_srcs=[str(dataset[name].value), "second visit"])
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        for name in _DATES:
            day = datetime.datetime.strptime(dataset[name].value, "%Y%m%d") + datetime.timedelta(DAYS)
            dataset[name].value = day.strftime("%Y%m%d")
        target = out / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        dataset.save_as(target)


def main() -> None:
    """Write a second visit of an exam whose tumour grows from a click."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("exam", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--centre", type=float, nargs=3, required=True)
    parser.add_argument("--shrink", type=float, default=0.6)
    given = parser.parse_args()
    exam = with_clicked_tumour(read_dicom_exam(given.exam), given.centre)
    voxels = np.argwhere(np.asarray(exam.mask))[:, ::-1]
    radius = float(np.linalg.norm(exam.geometry.to_physical(voxels) - exam.centre, axis=1).max())
    treatment = Treatment(tuple(exam.centre.tolist()), radius, given.shrink)
    write_second_visit(given.exam, given.out, exam, treatment)
    print(f"tumour within {radius:.1f} mm of {exam.centre.round(1)}; moved by\n{treatment.motion.round(4)}")


if __name__ == "__main__":
    main()
