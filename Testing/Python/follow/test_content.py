"""Numbers for programs."""

import json

import pytest
from PCRPredictorLib.errors import Notice
from PCRPredictorLib.follow.content import COLUMNS, to_json, to_rows
from PCRPredictorLib.writing import write_csv
from PCRTrainingLib.visit_tables.patients import read_visit_tables
from support.follow.examples import SECRET_DATE, in_place, tiny_course, tiny_exams, tiny_prediction


def content(visits=2, **options):
    course = tiny_course(visits, **options)
    return to_json(course, tiny_prediction(course), {}, {})


def test_each_visit_has_its_values_days_and_changes():
    second = content()["visits"][1]
    assert (second["visit"], second["day"], second["days_since_previous_visit"]) == ("T1", 22, 22)
    assert second["values"]["functional_volume_ml"] == 3.1
    change = second["changes"]["since_T0"]["functional_volume_ml"]
    assert (change["percent"], change["log_ratio"]) == pytest.approx((-75.0, -1.386), abs=0.001)
    assert second["changes"]["since_T0"]["sphericity"] is None


def test_changes_are_against_every_earlier_visit():
    assert set(content(3)["visits"][2]["changes"]) == {"since_T0", "since_T1"}


def test_a_tumour_that_is_gone_has_no_infinite_logarithm():
    last = content(4)["visits"][3]
    assert last["gone"]
    assert last["changes"]["since_T0"]["functional_volume_ml"] == {"percent": -100.0, "log_ratio": None}
    json.dumps(last, allow_nan=False)


def test_each_visit_has_its_probability_evidence_and_warnings():
    found = content()["visits"]
    assert [each["probability"] for each in found] == [0.31, 0.46]
    assert found[1]["interval"]["low"] == pytest.approx(0.37)
    assert found[1]["evidence"]["terms"][1]["label"] == "Functional tumour volume at T0"
    assert [each["warnings"] for each in found] == [[], [vars(Notice("example", "Other phase times."))]]


def test_course_model_and_use_are_described():
    found = to_json(tiny_course(2), None, {}, {}, (Notice("order", "In odd order."),))
    assert found["format"] == 1
    assert found["warnings"][0]["code"] == "order"
    assert "Not for: stopping" in found["not_for"]
    assert content()["model"]["name"] == "tiny response"


def test_without_a_prediction_there_are_measurements_alone():
    found = to_json(tiny_course(2), None, {}, {"T0": "tumour_T0.nii.gz"})
    assert "probability" not in found["visits"][0]
    assert [each["tumour_mask"] for each in found["visits"]] == ["tumour_T0.nii.gz", None]


def test_registrations_are_described():
    found = to_json(tiny_course(2), None, in_place(tiny_exams()), {})["visits"]
    assert found[0]["registration"] is None
    assert (found[1]["registration"]["holds"], found[1]["registration"]["matrix"][3]) == (True, [0, 0, 0, 1])


def test_no_date_and_no_identifier_is_in_it():
    text = json.dumps(content(4, exams=tiny_exams(2)))
    assert "SECRET" not in text
    assert str(SECRET_DATE.year) not in text


def test_table_has_a_row_per_visit():
    rows = to_rows(tiny_course(2))
    assert rows == [["1", "T0", 0, 12.4, 34.0, 0.62, 31.0, 1.2], ["1", "T1", 22, 3.1, 20.0, "", 28.0, 1.0]]
    assert COLUMNS[:4] == ("patient_id", "visit", "day", "functional_volume_ml")


def test_table_is_read_as_the_same_course(tmp_path):
    course = tiny_course(4)
    write_csv(COLUMNS, to_rows(course), tmp_path / "visits.csv")
    (read,) = read_visit_tables([tmp_path / "visits.csv"]).courses
    assert [visit.values for visit in read] == [visit.values for visit in course]
