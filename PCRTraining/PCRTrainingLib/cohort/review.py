"""Reviews of a cohort's segmentations: who reviewed which patient, and the masks that were changed.

segmentations/reviewed/<id>.nii.gz     a changed mask; it replaces the expert's, which is kept as it is
segmentations/reviewed/reviews.csv     patient_id, who, when, mask: a row per reviewed patient
"""

import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from pathlib import Path

import numpy as np
from PCRPredictorLib.dicom.exam import read_dicom_exam
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Geometry
from PCRPredictorLib.reading.cohort import REVIEWED, folder_of
from PCRPredictorLib.writing import read_csv, whole_file, whole_folder, write_nifti, write_whole_csv

REVIEWS = "reviews.csv"


@dataclass(frozen=True)
class Review:
    """One review of one patient.

    Args:
        patient_id: as in the cohort.
        who: name of the reviewer, free text.
        when: local time, ISO 8601.
        mask: file name of the mask that was saved; empty if the mask was accepted as it was.
    """

    patient_id: str
    who: str
    when: str
    mask: str = ""


def read_reviews(cohort: Path) -> dict[str, Review]:
    """Return the last review of each patient.

    Raises:
        DataError: if the list cannot be read.
    """
    path = _folder(cohort) / REVIEWS
    try:
        return {row["patient_id"]: Review(**{f.name: row[f.name] for f in fields(Review)}) for row in read_csv(path)}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError):  # a table that is none raises a ValueError
        raise DataError(f"{path}: cannot be read; it must have the columns patient_id, who, when, mask") from None


def describe_reviews(cohort: Path) -> dict[str, dict[str, str]]:
    """Return the columns of a cohort's table about its reviews, by patient: "reviewed", and "mask" if it was changed.

    Raises:
        DataError: if the list cannot be read.
    """
    return {
        name: {"reviewed": f"{review.who} {review.when[:10]}", **({"mask": REVIEWED} if review.mask else {})}
        for name, review in read_reviews(cohort).items()
    }


def next_unreviewed(cohort: Path, patients: Sequence[str], after: str) -> str | None:
    """Return the next patient of a list that nobody has reviewed, from its start again at the end; None if all are.

    Args:
        after: the patient to continue from; one that is not in the list starts at the first.

    Raises:
        DataError: if the list of reviews cannot be read.
    """
    reviewed = read_reviews(cohort)
    start = patients.index(after) + 1 if after in patients else 0
    return next((name for name in (*patients[start:], *patients[:start]) if name not in reviewed), None)


def mark_reviewed(cohort: Path, patient_id: str, who: str, mask: str | None = None) -> Review:
    """Record and return a review; a mask that was saved before stays in the record.

    Raises:
        DataError: if the list cannot be written.
    """
    reviews = read_reviews(cohort)
    before = reviews.get(patient_id)
    kept = mask if mask is not None else before.mask if before else ""
    review = Review(patient_id, who, datetime.now().isoformat(timespec="seconds"), kept)
    reviews[patient_id] = review
    folder = _folder(cohort)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        rows = (astuple(reviews[name]) for name in sorted(reviews))
        write_whole_csv([f.name for f in fields(Review)], rows, folder / REVIEWS)
    except OSError as error:
        raise _unwritable(folder, error) from None
    return review


def save_mask(cohort: Path, patient_id: str, mask: np.ndarray, geometry: Geometry, who: str) -> Path:
    """Save a changed mask beside the expert's, and record the reviewer.

    Args:
        mask: (k, j, i), not empty.
        geometry: of the exam.

    Raises:
        DataError: if the mask is empty or cannot be written.
    """
    if not np.any(mask):
        raise DataError("the tumour mask must not be empty; paint or click the tumour before saving")
    path = _folder(cohort) / f"{patient_id.lower()}.nii.gz"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from None
    with whole_file(path) as part:
        write_nifti(np.asarray(mask, np.uint8), geometry, part)
    mark_reviewed(cohort, patient_id, who, path.name)
    return path


def import_dicom(folder: Path | str, cohort: Path, patient_id: str) -> Path:
    """Copy the three phases of a DICOM exam into a cohort of the MAMA-MIA layout, without mask and label.

    Args:
        folder: of the DICOM files.
        patient_id: of the patient in the cohort; nothing of the DICOM headers is kept.

    Raises:
        DataError: if the exam cannot be read, the identifier cannot name a folder, or the patient is there already.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", patient_id):
        raise DataError(f"the identifier must be letters, digits, - and _, got {patient_id!r}; choose a different one")
    images = folder_of(cohort, "images")
    target = images / patient_id
    if folder_of(images, patient_id.lower()).exists():
        raise DataError(f"{patient_id}: there is a patient of that name already; choose a different one")
    exam = read_dicom_exam(Path(folder))
    with whole_folder(target) as staging:
        for k, phase in enumerate(exam.phases):
            write_nifti(np.asarray(phase), exam.geometry, staging / f"{patient_id.lower()}_{k:04d}.nii.gz")
    return target


def _folder(cohort: Path) -> Path:
    return folder_of(folder_of(cohort, "segmentations"), REVIEWED)


def _unwritable(path: Path, error: OSError) -> DataError:
    return DataError(
        f"{path}: cannot be written ({error.strerror or error}); free some space or get the right to write"
    )
