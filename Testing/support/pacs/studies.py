"""Small studies for a PACS: a dynamic acquisition and the segmentation of its tumour, as many as wanted."""

import io
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.uid import generate_uid

from support.dicom_exam import write_dicom_exam
from support.dicom_segmentation import write_segmentation
from support.examples import tiny_exam

EXAM = tiny_exam(size=(16, 14, 6))
_NEW = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID")


@dataclass(frozen=True)
class MadeStudy:
    """A study as files.

    Args:
        images: 18 MR images in three series.
        segmentation: of the tumour.
    """

    uid: str
    images: tuple[bytes, ...]
    segmentation: bytes

    @property
    def files(self) -> tuple[bytes, ...]:
        """Return all files."""
        return (*self.images, self.segmentation)


def make_studies(count: int = 1, exam=EXAM, style: str = "siemens", **tags: object) -> list[MadeStudy]:
    """Return studies of different patients that differ in their UIDs; `tags` replace values of the images."""
    named = {
        "StudyDescription": "MR breast",
        "StudyDate": "20240102",
        "StudyTime": "101500",
        "BodyPartExamined": "BREAST",
    }
    with tempfile.TemporaryDirectory() as folder:
        write_dicom_exam(Path(folder) / "images", exam, style, **{**named, **tags})
        images = [pydicom.dcmread(path) for path in sorted((Path(folder) / "images").iterdir())]
        path = write_segmentation(Path(folder) / "mask.dcm", exam.geometry, {1: exam.mask})
        mask = pydicom.dcmread(path)
    for name in (
        "PatientID",
        "PatientName",
        "StudyInstanceUID",
        "StudyDate",
        "StudyDescription",
        "FrameOfReferenceUID",
    ):
        setattr(mask, name, images[0].get(name))
    mask.SeriesInstanceUID, mask.SeriesNumber, mask.SeriesDescription = generate_uid(), 90, "tumour"
    return [_renew(images, mask, number) for number in range(count)]


def _renew(images, mask, number: int) -> MadeStudy:
    """Return the files of a study with new UIDs."""
    new: dict[str, str] = {}
    for data in (*images, mask):
        for name in _NEW:
            data[name].value = new.setdefault(data[name].value, generate_uid())
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
        data.PatientID = f"SECRET-{number}"
    *files, segmentation = map(_as_bytes, (*images, mask))
    return MadeStudy(images[0].StudyInstanceUID, tuple(files), segmentation)


def _as_bytes(data) -> bytes:
    with io.BytesIO() as file:
        data.save_as(file)
        return file.getvalue()
