"""The studies of one patient in a DICOM folder."""

import pytest
from PCRPredictorLib.dicom.exam import read_dicom_exam
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.visits.propose import list_studies, propose_visits
from PCRPredictorLib.visits.studies import find_studies
from support.dicom_exam import EXAM
from support.follow_up.visits import later_exam, write_study


def days(found):
    return [study.day for study in found.exams]


def test_studies_of_different_days_are_told_apart_in_the_order_of_time(tmp_path):
    for day in (22, 0, 84):
        write_study(tmp_path, day)
    found = find_studies(tmp_path)
    assert days(found) == [0, 22, 84]
    assert [len(study.files) for study in found.exams] == [18, 18, 18]
    assert (read_dicom_exam(tmp_path, files=found.exams[1].files).early == later_exam(seed=22).early).all()


def test_a_study_without_a_dynamic_series_is_named_and_left_aside(tmp_path):
    write_study(tmp_path, 0)
    write_study(tmp_path, 22)
    write_study(tmp_path, 5, EXAM, times=(0,), phases=EXAM.phases[:1], SeriesDescription="scout")
    found = find_studies(tmp_path)
    assert days(found) == [0, 22]
    assert list_studies(found)[-1] == "not used: study of day 5: no dynamic series (series 5 (scout))"


def test_a_study_with_a_damaged_exam_is_listed_with_its_fault(tmp_path):
    write_study(tmp_path, 0)
    write_study(tmp_path / "second", 22)
    next((tmp_path / "second").iterdir()).unlink()
    found = find_studies(tmp_path)
    assert days(found) == [0, 22]
    assert "5 of 6 slices" in list_studies(found)[1]
    assert propose_visits(found.exams) is None


def test_one_study_with_two_uids_of_one_frame_of_reference_is_one(tmp_path):
    write_study(tmp_path, 0)
    more = {"StudyInstanceUID": "1.2.99", "FrameOfReferenceUID": "1.3.1000", "SeriesDescription": "t2 tse"}
    write_study(tmp_path, 0, EXAM, times=(0,), phases=EXAM.phases[:1], **more)
    assert len(find_studies(tmp_path).studies) == 1


def test_two_exams_of_one_uid_days_apart_are_two_studies(tmp_path):
    for day in (0, 22):
        write_study(tmp_path, day, StudyInstanceUID="1.2.9", FrameOfReferenceUID="1.3.9", StudyDate="20240105")
    assert days(find_studies(tmp_path)) == [0, 22]


def test_two_exams_in_one_frame_of_reference_are_two_studies(tmp_path):
    for day in (0, 22):
        write_study(tmp_path, day, FrameOfReferenceUID="1.3.9")
    assert days(find_studies(tmp_path)) == [0, 22]


def test_two_exams_on_one_day_are_not_proposed(tmp_path):
    write_study(tmp_path, 0)
    write_study(tmp_path, 0, later_exam(), StudyInstanceUID="1.2.5", FrameOfReferenceUID="1.3.5", StudyTime="150000")
    found = find_studies(tmp_path)
    assert days(found) == [0, 0]
    assert propose_visits(found.exams) is None


def test_an_exam_of_the_other_breast_is_not_proposed_as_a_visit(tmp_path):
    write_study(tmp_path, 0, Laterality="L")
    write_study(tmp_path, 22, Laterality="R")
    found = find_studies(tmp_path)
    assert list_studies(found) == ["study 1: day 0: 3 phases, left breast", "study 2: day 22: 3 phases, right breast"]
    assert propose_visits(found.exams) is None


def test_dates_replaced_by_one_leave_those_of_the_acquisitions(tmp_path):
    for day in (0, 22):
        write_study(tmp_path, day, StudyDate="19000101")
    assert days(find_studies(tmp_path)) == [0, 22]


def test_studies_without_dates_have_no_days(tmp_path):
    for day in (0, 22):
        write_study(tmp_path, day, StudyDate=None, AcquisitionDate=None)
    found = find_studies(tmp_path)
    assert days(found) == [None, None]
    assert propose_visits(found.exams) == ("T0", "T1")


def test_two_patients_are_refused(tmp_path):
    write_study(tmp_path, 0)
    write_study(tmp_path, 22, PatientID="SECRET-8")
    with pytest.raises(DataError, match="more than one patient"):
        find_studies(tmp_path)


def test_the_refusal_to_read_several_studies_as_one_exam_names_the_way_out(tmp_path):
    for day in (0, 22):
        write_study(tmp_path, day)
    with pytest.raises(DataError, match=r"one study, or follow the patient .* with pcr follow --dicom"):
        read_dicom_exam(tmp_path)


def test_no_description_holds_a_date(tmp_path):
    write_study(tmp_path, 0)
    write_study(tmp_path, 22)
    assert "2024" not in " ".join(list_studies(find_studies(tmp_path)))


def test_files_of_no_study_are_counted(tmp_path):
    for day in (0, 22):
        write_study(tmp_path / str(day), day)
    (tmp_path / "mask.nii.gz").write_bytes(b"x" * 600)
    assert list_studies(find_studies(tmp_path))[-1] == "not used: 1 file of no study (the first is not DICOM)"
