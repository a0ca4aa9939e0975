"""Patients of a cohort with visits."""

from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.visits.cohort import check_patient, find_courses, measure_patient
from PCRPredictorLib.writing import write_nifti
from support.cohort_files import write_patient, write_table
from support.follow_up.visits import small_exam, write_visit, write_visit_cohort


@pytest.fixture
def cohort(tmp_path):
    return write_visit_cohort(tmp_path / "cohort")


def reasons(problems):
    return [problem.reason for problem in problems]


def test_each_patient_is_measured_at_each_visit(cohort):
    first, second = find_courses(cohort)
    course, problems = measure_patient(first)
    assert list(course.visits) == ["T0", "T1"]
    assert all(visit.values.functional_volume_ml > 0 for visit in course)
    assert (course.patient_id, course.clinical["age"], problems) == ("P001", "51", [])
    assert second.patient_id == "P002"


def test_a_visit_without_a_mask_is_left_out_and_told(cohort):
    (cohort / "segmentations" / "expert" / "p001_t1.nii.gz").unlink()
    course, problems = measure_patient(find_courses(cohort)[0])
    assert list(course.visits) == ["T0"]
    assert reasons(problems) == ["T1: has no tumour mask; add segmentations/expert/P001_T1.nii.gz"]


def test_an_empty_mask_is_a_tumour_that_is_gone(cohort):
    exam = small_exam(size=(24, 20, 8), spacing=(3, 3, 4))
    write_nifti(np.zeros_like(exam.mask), exam.geometry, cohort / "segmentations" / "expert" / "p001_t1.nii.gz")
    course, _ = measure_patient(find_courses(cohort)[0])
    assert course.visits["T1"].values.gone


def test_days_of_the_table_are_the_intervals_and_must_rise(cohort):
    write_table(cohort, "patient_id,day_T1\nP001,22\nP002,-5\n")
    first, second = find_courses(cohort)
    course, _ = measure_patient(first)
    assert (course.visits["T1"].date - course.visits["T0"].date).days == 22
    assert "T1 must be after T0, got an exam 5 days before it" in reasons(check_patient(second)[1])[0]


def test_a_day_that_is_no_number_counts_as_unknown_and_is_told(cohort):
    write_table(cohort, "patient_id,day_T1\nP001,3 weeks\n")
    course, problems = measure_patient(find_courses(cohort)[0])
    assert course.visits["T1"].date is None
    assert reasons(problems) == ["day_T1 of the table must be days after T0, got 3 weeks; it counts as unknown"]


def test_checking_finds_one_exam_under_two_visits_and_other_protocols(cohort):
    exam = small_exam(5)
    write_visit(cohort, "P003", "T0", exam)
    write_visit(cohort, "P003", "T1", replace(exam))
    write_visit(cohort, "P004", "T0", small_exam(6))
    write_visit(cohort, "P004", "T1", small_exam(7, size=(24, 20, 5), spacing=(3, 3, 6)))
    found = {course.patient_id: check_patient(course) for course in find_courses(cohort)}
    assert "same images twice" in reasons(found["P003"][1])[0]
    assert [notice.code for notice in found["P004"][0]] == ["spacing_differs"]


def test_a_cohort_with_one_exam_per_patient_is_refused(tmp_path):
    write_patient(tmp_path, "A1")
    with pytest.raises(DataError, match="must have several visits per patient"):
        find_courses(tmp_path)
