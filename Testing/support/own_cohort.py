"""Folders as people keep their patients: empty files for what looks at names, tiny images, and DICOM of archives."""

import numpy as np
import pydicom
import SimpleITK as sitk
from openpyxl import Workbook
from PCRPredictorLib.exam import Geometry

from support.dicom_exam import EXAM, write_dicom_exam
from support.dicom_segmentation import write_segmentation

GEOMETRY = Geometry((20, 18, 6), (2.0, 2.0, 4.0))
NUMBERS = [f"{k:03d}" for k in range(1, 13)]
GERMAN = ("Nr.", "Alter bei MRT", "HR-Status", "HER2", "Menopausenstatus", "Komplettremission (pCR)", "Zentrum")
STYLES = ("ge", "siemens", "philips")
DICOM_MASK = np.zeros(EXAM.geometry.shape, np.uint8)
DICOM_MASK[2:4, 3:6, 4:8] = 1


def write_tree(folder, *names):
    """Write empty files."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return folder


def write_image(array, name):
    """Write an image of any format."""
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(GEOMETRY.spacing)
    sitk.WriteImage(image, name)


def write_exam(names, seed, mask=None):
    """Write a tumour that enhances from the second of the files on, and its mask."""
    rng = np.random.default_rng(seed)
    inside = np.zeros(GEOMETRY.shape, np.uint8)
    inside[2:4, 6:11, 6:11] = 1
    for k, name in enumerate(names):
        name.parent.mkdir(parents=True, exist_ok=True)
        image = rng.normal(60, 3, GEOMETRY.shape) + (k > 0) * 80 * inside
        write_image(image.astype(np.int16), name)
    if mask is not None:
        mask.parent.mkdir(parents=True, exist_ok=True)
        write_image(inside, mask)


def write_series(name, seed, mask):
    """Write four phases into one file, and the mask."""
    parts = [name.with_name(f"part{k}.nii") for k in range(4)]
    write_exam(parts, seed, mask)
    sitk.WriteImage(sitk.JoinSeries([sitk.ReadImage(part) for part in parts]), name)
    for part in parts:
        part.unlink()


def german_row(number):
    """Return a row below `GERMAN`; every third patient has pCR."""
    return [
        number, 40 + number, "positiv" if number % 2 else "negativ", "1+" if number % 4 else "3+",
        "prämenopausal" if number % 2 else "postmenopausal", "nein" if number % 3 else "ja", "Mitte",
    ]  # fmt: skip


def write_workbook(file, *sheets):
    """Write sheets, each a list of rows."""
    book = Workbook()
    book.remove(book.active)
    for k, rows in enumerate(sheets):
        sheet = book.create_sheet(f"Blatt {k + 1}")
        for row in rows:
            sheet.append(row)
    book.save(file)


def write_german_cohort(folder, patients=12):
    """Write `Bilder/Pat 001/T1_pre, T1_post1..5`, masks beside them, and a workbook with identifiers 1 to n."""
    names = ["pre", *(f"post{k}" for k in range(1, 6))]
    for number in range(1, patients + 1):
        patient = folder / "Bilder" / f"Pat {number:03d}"
        write_exam([patient / f"T1_{name}.nii.gz" for name in names], number, patient / "Tumormaske.nii.gz")
    write_workbook(folder / "Patientinnen.xlsx", [GERMAN, *(german_row(k) for k in range(1, patients + 1))])
    return folder


def write_dicom_patient(folder, number, style="siemens", mask=True, times=(0, 90, 200, 400), **tags):
    """Write one patient with PatientID 700<number>, each with other voxels, and a SEG beside the images."""
    phases = [np.rint(phase) + number for phase in (*EXAM.phases, EXAM.late + 5)][: len(times)]
    own = {
        "PatientID": f"700{number}",
        "PatientName": f"Secret^Anna{number}",
        "StudyInstanceUID": f"1.2.3.{number}",
        "FrameOfReferenceUID": f"1.2.9.{number}",
        "StudyDate": "20200101",
        **tags,
    }
    write_dicom_exam(folder, EXAM, style, times, phases, **own)
    if mask:
        write_seg(folder / "seg.dcm", number)
    return folder


def write_seg(path, number, segments=None, **tags):
    """Write a SEG with a tumour, or other segments, of a patient."""
    frame = f"1.2.9.{number}"
    write_segmentation(path, EXAM.geometry, segments or {1: (DICOM_MASK, "Tumour")}, frame_of_reference=frame)
    data = pydicom.dcmread(path)
    data.PatientID = f"700{number}"
    for name, value in tags.items():
        setattr(data, name, value)
    data.save_as(path)
    return path
