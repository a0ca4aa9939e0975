"""Exams of one patient at several visits, in memory and as DICOM studies."""

import datetime
from dataclasses import replace

import numpy as np
from PCRPredictorLib.exam import PHASE_NAMES
from PCRPredictorLib.registration.rigid import Registration
from PCRPredictorLib.response.course import Course, Visit, VisitValues
from PCRPredictorLib.response.facts import ExamFacts
from PCRPredictorLib.writing import write_nifti

from support.dicom_exam import EXAM, write_dicom_exam
from support.examples import tiny_exam

START = datetime.date(2024, 1, 5)


def later_exam(exam=EXAM, share=0.5, seed=1):
    """Return an exam with different noise whose tumour enhances less and is drawn a voxel beside."""
    noise = np.random.default_rng(seed).integers(-3, 4, exam.geometry.shape)
    early, late = (exam.pre + share * (phase - exam.pre) + noise for phase in (exam.early, exam.late))
    mask = exam.mask if exam.mask is None or not seed else np.roll(exam.mask, 1, axis=2)
    return replace(exam, pre=exam.pre + noise, early=early.astype(np.int16), late=late.astype(np.int16), mask=mask)


def write_study(folder, day, exam=None, style="ge", **tags):
    """Write the exam of a day after the start as DICOM, a study with a frame of reference of its own."""
    date = (START + datetime.timedelta(days=day)).strftime("%Y%m%d")
    uids = {"StudyInstanceUID": f"1.2.{day + 1000}", "FrameOfReferenceUID": f"1.3.{day + 1000}"}
    times = tags.pop("times", (0, 120, 400))
    phases = tags.pop("phases", None)
    exam = exam or (EXAM if day == 0 else later_exam(seed=day))
    tags = {"StudyDate": date, "AcquisitionDate": date, **uids, **tags}
    write_dicom_exam(folder, exam, style, times, phases, **tags)
    return exam


def visit(name, day=None, exam=None, ml=None, mm=None, **facts):
    """Return a visit: `day` after the start, `ml` and `mm` of its tumour."""
    values = VisitValues(functional_volume_ml=ml, longest_diameter_mm=mm, gone=ml == 0)
    date = None if day is None else START + datetime.timedelta(days=day)
    return Visit(name, values, exam, date, (), ExamFacts(**facts))


def course(*visits, **clinical):
    """Return the course of these visits."""
    return Course({each.name: each for each in visits}, clinical)


def small_exam(seed=0, direction=None, **options):
    """Return a tiny exam with noise of its own."""
    exam = tiny_exam(**({} if direction is None else {"direction": direction}), **options)
    return later_exam(exam, 1.0, seed)


def write_files(folder, exam, names=PHASE_NAMES):
    """Write the phases of an exam, and its mask if it has one, as NIfTI; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = dict(zip(names, exam.phases, strict=True)) | ({} if exam.mask is None else {"mask": exam.mask})
    for name, array in arrays.items():
        write_nifti(np.asarray(array), exam.geometry, folder / f"{name}.nii.gz")
    return [folder / f"{name}.nii.gz" for name in arrays]


def write_visit_cohort(cohort, patients=2, visits=("T0", "T1"), table=True):
    """Write a cohort with visits in our layout; the exams differ. Return its folder."""
    for number in range(1, patients + 1):
        for k, name in enumerate(visits):
            exam = small_exam(10 * number + k, size=(24, 20, 8), spacing=(3, 3, 4))
            write_visit(cohort, f"P{number:03d}", name, exam)
    if table:
        rows = [f"P{number:03d},{number % 2},{50 + number}" for number in range(1, patients + 1)]
        (cohort / "clinical_and_imaging_info.csv").write_text("\n".join(["patient_id,pcr,age", *rows]))
    return cohort


def write_visit(cohort, patient, name, exam):
    """Write an exam of a patient's visit, with its mask if it has one."""
    place = cohort / "images" / patient / name
    place.mkdir(parents=True)
    for k, phase in enumerate(exam.phases):
        write_nifti(np.asarray(phase), exam.geometry, place / f"{patient.lower()}_{k:04d}.nii.gz")
    if exam.mask is not None:
        masks = cohort / "segmentations" / "expert"
        masks.mkdir(parents=True, exist_ok=True)
        write_nifti(np.asarray(exam.mask), exam.geometry, masks / f"{patient.lower()}_{name.lower()}.nii.gz")


def in_place(fixed, moving, holds=True):
    """Stand in for `register`: both exams lie in the same place."""
    message = "The exams match." if holds else "The exams do not match."
    return Registration(np.eye(4), fixed.geometry, moving.geometry, holds, message, 0.9)
