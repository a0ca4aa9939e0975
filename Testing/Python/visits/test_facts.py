"""What the headers of an exam say about it."""

import datetime

from PCRPredictorLib.dicom.exam import read_dicom_exam
from PCRPredictorLib.exam import Provenance
from PCRPredictorLib.visits.dates import Dates, choose_dates
from PCRPredictorLib.visits.facts import facts_of, with_facts
from support.dicom_exam import EXAM, write_enhanced_exam
from support.follow_up.visits import START, course, small_exam, visit, write_study

LATER = START + datetime.timedelta(days=22)


def read(folder, day, **tags):
    write_study(folder, day, **tags)
    return read_dicom_exam(folder)


def test_patient_scanner_side_and_date_are_read(tmp_path):
    tags = {"MagneticFieldStrength": "30000", "Laterality": "R", "ScanOptions": "FS", "PatientBirthDate": "19700101"}
    facts, dates = facts_of(read(tmp_path, 0, **tags))
    assert (facts.patient_id, facts.birth_date, facts.side) == ("SECRET-7", "19700101", "right")
    assert (facts.field_strength, facts.fat_suppressed, facts.phases) == (3.0, True, 3)
    assert dates.study == START
    assert "SECRET" not in repr(facts)


def test_an_exam_from_files_has_no_facts_but_the_patient_of_its_source():
    exam = small_exam()
    facts, dates = facts_of(exam)
    assert (facts.patient_id, facts.phases, dates) == (exam.provenance.patient_id, None, Dates())
    assert exam.provenance != Provenance()


def test_enhanced_mr_has_facts_too(tmp_path):
    write_enhanced_exam(tmp_path, EXAM, header={"StudyDate": "20240127", "MagneticFieldStrength": 1.5})
    facts, dates = facts_of(read_dicom_exam(tmp_path))
    assert (facts.field_strength, dates.study, facts.manufacturer) == (1.5, LATER, "PHILIPS")


def test_the_visits_of_a_course_get_facts_and_dates(tmp_path):
    exams = [read(tmp_path / str(day), day) for day in (0, 22)]
    found = with_facts(course(visit("T0", exam=exams[0]), visit("T1", exam=exams[1])))
    assert [each.date for each in found] == [START, LATER]
    assert found.visits["T1"].facts.patient_id == "SECRET-7"


def test_dates_of_studies_that_are_all_one_are_replaced_by_those_of_the_acquisitions():
    assert choose_dates([Dates(START, START), Dates(START, LATER)]) == [START, LATER]
    assert choose_dates([Dates(START, None), Dates(LATER, START)]) == [START, LATER]
    assert choose_dates([Dates(START, None), Dates(START, None)]) == [START, START]
