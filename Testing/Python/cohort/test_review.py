"""Masks that a reviewer changed are saved beside the expert's, and used instead."""

import shutil

import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.reading.cohort import find_patients, read_patient
from PCRTrainingLib.cohort.review import (
    describe_reviews,
    import_dicom,
    mark_reviewed,
    next_unreviewed,
    read_reviews,
    save_mask,
)
from support.dicom_exam import write_dicom_exam
from support.examples import tiny_exam


@pytest.fixture
def cohort(training_cohort, tmp_path):
    return shutil.copytree(training_cohort, tmp_path / "cohort")


def first(cohort):
    return find_patients(cohort)[0]


def test_changed_mask_is_used_and_the_experts_is_untouched(cohort):
    patient = first(cohort)
    expert, exam = patient.mask.read_bytes(), read_patient(patient)
    changed = np.roll(exam.mask, 1, 2)
    path = save_mask(cohort, patient.patient_id, changed, exam.geometry, "Dr. Ünal")
    again = first(cohort)
    assert again.mask == path
    assert np.array_equal(read_patient(again).mask != 0, changed != 0)
    assert patient.mask.read_bytes() == expert
    review = read_reviews(cohort)[patient.patient_id]
    assert (review.who, review.mask) == ("Dr. Ünal", path.name)


def test_existing_folders_are_used_whatever_their_case(cohort, tmp_path):
    (cohort / "segmentations").rename(cohort / "Segmentations")
    (cohort / "images").rename(cohort / "Images")
    patient = first(cohort)
    exam = read_patient(patient)
    path = save_mask(cohort, patient.patient_id, exam.mask, exam.geometry, "a")
    assert first(cohort).mask == path
    assert patient.patient_id in read_reviews(cohort)
    write_dicom_exam(tmp_path / "dicom", tiny_exam(), "siemens")
    import_dicom(tmp_path / "dicom", cohort, "new_1")
    assert "new_1" in [found.patient_id for found in find_patients(cohort)]
    with pytest.raises(DataError, match="patient of that name already"):
        import_dicom(tmp_path / "dicom", cohort, "NEW_1")


def test_accepting_a_patient_keeps_the_mask_saved_before(cohort):
    patient = first(cohort)
    exam = read_patient(patient)
    path = save_mask(cohort, patient.patient_id, exam.mask, exam.geometry, "a")
    mark_reviewed(cohort, patient.patient_id, "b")
    mark_reviewed(cohort, find_patients(cohort)[1].patient_id, "b")
    reviews = read_reviews(cohort)
    assert len(reviews) == 2
    assert (reviews[patient.patient_id].who, reviews[patient.patient_id].mask) == ("b", path.name)


def test_empty_mask_is_not_saved(cohort):
    patient = first(cohort)
    exam = read_patient(patient)
    with pytest.raises(DataError, match="must not be empty"):
        save_mask(cohort, patient.patient_id, np.zeros_like(exam.mask), exam.geometry, "a")
    assert read_reviews(cohort) == {}


def test_full_disk_keeps_the_previous_mask(cohort, small_disk):
    patient = first(cohort)
    exam = read_patient(patient)
    (cohort / "segmentations" / "reviewed").symlink_to(small_disk)
    with pytest.raises(OSError), (small_disk / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(b"0" * 4096)
    with pytest.raises(DataError, match="cannot be written"):
        save_mask(cohort, patient.patient_id, exam.mask, exam.geometry, "a")
    assert first(cohort).mask == patient.mask
    assert [file.name for file in small_disk.iterdir()] == ["filler"]


def test_unreadable_list_of_reviews_is_refused(cohort):
    mark_reviewed(cohort, "x", "a")
    (cohort / "segmentations" / "reviewed" / "reviews.csv").write_text("something,else\n1,2\n")
    with pytest.raises(DataError, match="must have the columns"):
        read_reviews(cohort)


def test_dicom_exam_becomes_a_patient_without_its_name(cohort, tmp_path):
    write_dicom_exam(tmp_path / "dicom", tiny_exam(), "siemens")
    folder = import_dicom(tmp_path / "dicom", cohort, "NEW_1")
    assert [file.name for file in sorted(folder.iterdir())] == [f"new_1_000{k}.nii.gz" for k in range(3)]
    patient = {patient.patient_id: patient for patient in find_patients(cohort)}["NEW_1"]
    assert patient.mask is None
    assert read_patient(patient, need_mask=False).mask is None
    with pytest.raises(DataError, match="patient of that name already"):
        import_dicom(tmp_path / "dicom", cohort, "NEW_1")


def test_identifier_that_cannot_name_a_folder_is_refused(cohort, tmp_path):
    with pytest.raises(DataError, match="letters, digits"):
        import_dicom(tmp_path, cohort, "../elsewhere")


def test_next_unreviewed_patient_is_found_from_the_one_that_is_open(cohort):
    patients = [patient.patient_id for patient in find_patients(cohort)][:3]
    mark_reviewed(cohort, patients[1], "a")
    assert next_unreviewed(cohort, patients, patients[0]) == patients[2]
    assert next_unreviewed(cohort, patients, patients[2]) == patients[0]
    assert next_unreviewed(cohort, patients[1:2], "somebody else") is None


def test_reviews_are_described_as_the_table_shows_them(cohort):
    kept, changed = find_patients(cohort)[:2]
    mark_reviewed(cohort, kept.patient_id, "a")
    mark_reviewed(cohort, changed.patient_id, "b", "mask.nii.gz")
    found = describe_reviews(cohort)
    assert "mask" not in found[kept.patient_id]
    assert found[changed.patient_id]["mask"] == "reviewed"
    assert found[changed.patient_id]["reviewed"].startswith("b 20")
