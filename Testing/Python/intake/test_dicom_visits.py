"""DICOM of patients with several studies imported as a cohort with visits."""

import json

import pytest
from PCRPredictorLib.command_line import run
from PCRPredictorLib.reading.cohort import read_patient, visits_of
from PCRPredictorLib.visits.cohort import check_patient, find_courses, measure_patient
from PCRPredictorLib.writing import read_csv
from PCRTrainingLib.command_line import app
from support.dicom_segmentation import write_segmentation
from support.follow_up.visits import later_exam, small_exam, write_study

EXAM = small_exam(0, size=(24, 20, 8), spacing=(3, 3, 4))


def write_archive(folder, days=(0, 22, 90), patient="SECRET-7", segmentation=True):
    for day in days:
        exam = write_study(folder, day, EXAM if day == 0 else later_exam(EXAM, 0.6, day), PatientID=patient)
        if segmentation:
            file = folder / f"seg-{patient}-{day}.dcm"
            write_segmentation(file, exam.geometry, {1: (exam.mask, "tumour")}, frame_of_reference=f"1.3.{day + 1000}")
    return folder


@pytest.fixture
def import_it(tmp_path, capsys):
    def call(*more):
        code = run(app, ["import", str(tmp_path / "archive"), str(tmp_path / "cohort"), *more])
        printed = capsys.readouterr()
        return code, printed.out + printed.err, tmp_path / "cohort"

    return call


def test_each_study_becomes_a_visit_with_its_own_mask_and_day(tmp_path, import_it):
    write_archive(tmp_path / "archive")
    write_study(tmp_path / "archive", 40, EXAM, times=(0,), phases=EXAM.phases[:1], SeriesDescription="scout")
    code, printed, cohort = import_it("--study", "visits")
    assert code == 0, printed
    assert visits_of(cohort) == ("T0", "T1", "T2")
    (found,) = find_courses(cohort)
    assert {name: files.mask.name for name, files in found.visits.items()}["T1"] == "p001_t1.nii.gz"
    assert read_patient(found.visits["T1"]).has_tumour
    (row,) = read_csv(cohort / "clinical_and_imaging_info.csv")
    assert (row["day_T1"], row["day_T2"], row["acquisition_times_T1"]) == ("22", "90", "[0, 120, 400]")
    assert "studies left aside: 1" in printed


def test_the_imported_visits_can_be_checked_and_measured(tmp_path, import_it):
    write_archive(tmp_path / "archive")
    _, _, cohort = import_it("--study", "visits")
    (found,) = find_courses(cohort)
    assert check_patient(found)[1] == []
    course, _ = measure_patient(found)
    assert [(visit.date - course.visits["T0"].date).days for visit in course] == [0, 22, 90]
    assert all(visit.values.functional_volume_ml > 0 for visit in course)


def test_several_studies_without_a_choice_name_the_way_to_visits(tmp_path, import_it):
    write_archive(tmp_path / "archive", segmentation=False)
    code, printed, cohort = import_it()
    assert code == 1
    assert "import each as a visit with --study visits" in printed
    assert not (cohort / "images" / "P001").exists()


def test_a_patient_with_one_study_has_the_first_visit_alone(tmp_path, import_it):
    write_archive(tmp_path / "archive")
    write_archive(tmp_path / "archive" / "other", (0,), "SECRET-8")
    _, _, cohort = import_it("--study", "visits")
    assert [list(found.visits) for found in find_courses(cohort)] == [["T0", "T1", "T2"], ["T0"]]


def test_two_exams_on_one_day_are_not_imported_and_told(tmp_path, import_it):
    write_archive(tmp_path / "archive", (0,), segmentation=False)
    tags = {"StudyInstanceUID": "1.2.5", "FrameOfReferenceUID": "1.3.5", "PatientID": "SECRET-7"}
    write_study(tmp_path / "archive", 0, later_exam(EXAM), **tags)
    code, printed, _ = import_it("--study", "visits")
    assert code == 1
    assert "has 2 exams (days 0, 0), of which it cannot be told which visits they are" in printed


def test_an_unchanged_patient_is_not_imported_again_and_no_identifier_is_written(tmp_path, import_it):
    write_archive(tmp_path / "archive")
    import_it("--study", "visits")
    _, printed, cohort = import_it("--study", "visits")
    assert "unchanged" in printed
    record = (cohort / "import" / "P001.json").read_text()
    assert "SECRET" not in record
    assert "2024" not in json.dumps(json.loads(record)["row"])
