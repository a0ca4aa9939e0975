"""One patient, one study: what differs between headers for a de-identifier's reasons, and what does not."""

import pytest
from PCRPredictorLib.dicom.exam import read_dicom_exam
from PCRPredictorLib.dicom.headers import name_series
from pydicom import Dataset
from pydicom.uid import generate_uid
from support.dicom.folder import TIMES, read, write_apart
from support.dicom_exam import assert_refused, clock

ALL = (0, 2, 4)
NAMES = ("Test^One", "TEST^ONE^^^", "Test^Öne", "test^one ", "Test^One")


def by_phase(tag, values):
    return lambda p, k: {tag: values[p]}


@pytest.mark.parametrize("identifier", ["A1", ""])
def test_names_are_compared_without_case_accents_and_empty_components(tmp_path, identifier):
    write_apart(tmp_path, by_phase("PatientName", NAMES), PatientID=identifier, SpecificCharacterSet="ISO_IR 192")
    assert read(tmp_path) == (ALL, {}, [])


@pytest.mark.parametrize("values", [("A1", "A1 ", " A1", "A1", "A1"), ("A1", "", "A1", "", "A1")])
def test_padding_of_an_identifier_and_its_absence_are_no_difference(tmp_path, values):
    write_apart(tmp_path, by_phase("PatientID", values))
    assert read(tmp_path) == (ALL, {}, [])


@pytest.mark.parametrize(
    ("tag", "values"),
    [
        ("PatientName", ("Test^One", "Test^One", "Married^One", "Married^One", "Married^One")),
        ("PatientBirthDate", ("19700101", "19700103", "19700105", "19700107", "19700109")),
    ],
)
def test_identifier_decides_and_a_different_name_or_birth_date_is_a_warning(tmp_path, tag, values):
    write_apart(tmp_path, by_phase(tag, values))
    assert read(tmp_path) == (ALL, {}, ["patient_differs"])


def test_two_people_under_one_identifier_are_refused(tmp_path):
    write_apart(
        tmp_path, lambda p, k: {"PatientName": f"Secret^{'AB'[p > 2]}", "PatientBirthDate": f"1970010{1 + (p > 2)}"}
    )
    assert_refused(tmp_path, "more than one patient .PatientName and PatientBirthDate differ.")


@pytest.mark.parametrize("tag", ["PatientID", "PatientName"])
def test_different_identifiers_or_names_without_identifiers_are_two_patients(tmp_path, tag):
    write_apart(
        tmp_path,
        by_phase(tag, ("One", "One", "One", "Two", "Two")),
        **({} if tag == "PatientID" else {"PatientID": ""}),
    )
    assert_refused(tmp_path, rf"more than one patient \({tag} differ\); give a folder with the files of one patient")


def test_study_uid_of_each_series_is_read_with_a_warning(tmp_path):
    write_apart(tmp_path, lambda p, k: {"StudyInstanceUID": f"1.2.9.{p}"})
    assert read(tmp_path) == (ALL, {}, ["study_differs"])


def test_study_uid_of_each_file_is_read_with_a_warning(tmp_path):
    write_apart(tmp_path, lambda p, k: {"StudyInstanceUID": generate_uid()})
    assert read(tmp_path) == (ALL, {}, ["study_differs"])


def test_study_uids_that_nothing_joins_are_refused(tmp_path):
    write_apart(tmp_path, lambda p, k: {"StudyInstanceUID": f"1.2.9.{p}"}, FrameOfReferenceUID=None)
    assert_refused(tmp_path, r"holds 5 studies with phases of one acquisition \(1 phase from series 5 .* and 2 more\)")


def test_study_uids_with_one_study_date_and_time_are_read(tmp_path):
    tags = {"FrameOfReferenceUID": None, "StudyDate": "20200101", "StudyTime": "101010"}
    write_apart(tmp_path, lambda p, k: {"StudyInstanceUID": f"1.2.9.{p}"}, **tags)
    assert read(tmp_path) == (ALL, {}, ["study_differs"])


@pytest.mark.parametrize("frame", ["1.2.3", "1.8"])
def test_follow_up_is_a_second_study_whatever_its_dates_and_frame_of_reference(tmp_path, frame):
    dates = {"StudyDate": "20200101", "AcquisitionDate": "20200101", "FrameOfReferenceUID": "1.8"}
    write_apart(tmp_path / "a", **dates)
    write_apart(tmp_path / "b", **{**dates, "StudyInstanceUID": "1.9", "FrameOfReferenceUID": frame})
    assert_refused(tmp_path, r"holds 2 studies with a dynamic acquisition each \(5 phases from series 5")


def test_first_phase_of_a_different_study_is_refused(tmp_path):
    write_apart(tmp_path / "a")
    other = {"StudyInstanceUID": "1.9", "FrameOfReferenceUID": "1.8", "AcquisitionTime": "090000"}
    write_apart(tmp_path / "b", count=1, **other)
    assert_refused(tmp_path, r"holds 2 studies with phases of one acquisition")


def test_visits_with_one_study_uid_are_told_apart_by_their_dates(tmp_path):
    write_apart(tmp_path / "a", AcquisitionDate="20200101")
    write_apart(tmp_path / "b", lambda p, k: {"AcquisitionTime": clock(4000 + TIMES[p])}, AcquisitionDate="20200601")
    assert_refused(tmp_path, r"holds 2 studies with phases of one acquisition \(5 phases")


@pytest.mark.parametrize("tag", ["AcquisitionDate", "AcquisitionDateTime"])
def test_dates_shifted_by_series_are_read_by_the_time_of_day_with_a_warning(tmp_path, tag):
    def change(p, k):
        date = f"202001{1 + 7 * (3 * p % 4):02d}"
        if tag == "AcquisitionDate":
            return {tag: date, "StudyDate": date}
        return {tag: date + clock(TIMES[p]), "AcquisitionTime": None}

    write_apart(tmp_path, change)
    assert read(tmp_path) == (ALL, {}, ["dates_differ"])


@pytest.mark.parametrize(
    ("description", "shown"),
    [
        ("dyn Smith T1", "dyn [patient] T1"),
        ("T2_ANNA_SMITH-MRN77", "T2_[patient]_[patient]-[patient]"),
        ("born 19700102", "born [patient]"),
        ("Smithson T1", "Smithson T1"),
        ("", "no description"),
    ],
)
def test_description_of_a_series_does_not_name_the_patient(description, shown):
    header = Dataset()
    header.PatientName, header.PatientID, header.PatientBirthDate = "Smith^Anna^T", "MRN77", "19700102"
    header.SeriesNumber, header.SeriesDescription = 7, description
    assert name_series(header) == f"series 7 ({shown})"


def test_text_that_is_burned_into_the_images_is_a_warning(tmp_path):
    write_apart(tmp_path, BurnedInAnnotation="YES")
    (notice,) = read_dicom_exam(tmp_path).provenance.notices
    assert notice.code == "burned_in_text"
    assert "look at them before you pass them on" in notice.message


def test_images_without_burned_in_text_are_no_warning(tmp_path):
    write_apart(tmp_path, BurnedInAnnotation="NO")
    assert read(tmp_path) == (ALL, {}, [])
