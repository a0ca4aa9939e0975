"""`pcr follow` of tables: one patient, or many."""

import csv

import pytest
from PCRPredictorLib.command_line import app, run
from PCRPredictorLib.visits import table
from PCRTrainingLib import command_line as _training_commands  # noqa: F401  adds the reader of tables
from support.follow_up.response_model import write_tiny_response
from support.follow_up.visits import write_visit_cohort

ONE = "ftv_ml_T0,longest_diameter_cm_T0,FTV (ml) week 3,age,hr,her2,comment\n10,3.2,2,52,positive,negative,x\n"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_tiny_response(tmp_path_factory.mktemp("model") / "response")


@pytest.fixture
def call(model, tmp_path, capsys):
    """Run `pcr follow` on a table with this text: (exit code, what was printed, output folder)."""

    def run_it(option, text, *more):
        file, out = tmp_path / "table.csv", tmp_path / "out"
        file.write_text(text)
        code = run(app, ["follow", option, str(file), *more, "--model", str(model), "--out", str(out)])
        printed = capsys.readouterr()
        return code, " ".join((printed.out + printed.err).replace("│", " ").split()), out

    return run_it


def test_one_patient_is_followed_from_measurements(call):
    code, printed, out = call("--values", ONE)
    assert code == 0, printed
    assert "longest_diameter_mm in cm: longest_diameter_cm_T0 at T0" in printed
    assert "not used: comment" in printed
    assert "pCR after T1" in printed
    assert (out / "report.html").is_file()


def test_clinical_values_of_the_call_replace_those_of_the_table(call):
    _, with_table, _ = call("--values", ONE)
    _, replaced, _ = call("--values", ONE, "--clinical", "hr=negative")
    assert with_table != replaced


def test_clinical_values_of_the_call_need_no_column(call):
    text = "ftv_ml_T0,ftv_ml_T1\n10,2\n"
    assert "no column for hr" in call("--values", text)[1]
    assert "no column for hr" not in call("--values", text, "--clinical", "hr=negative")[1]


def test_days_of_measurements_can_be_given_and_are_checked(call):
    _, printed, _ = call("--values", ONE, "--day", "T1", "22")
    assert "day 22" in printed
    assert call("--values", ONE, "--day", "T1", "-3")[0] == 1
    assert "--day T3: there is no T3" in call("--values", ONE, "--day", "T3", "90")[1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ftv_ml_T0,age\n10,52\n", "must have two visits or more, got T0 alone; add columns of a different visit"),
        ("patient_id,ftv_ml_T0,ftv_ml_T1\nA,1,2\nB,1,2\n", "must hold one patient, got 2; give a table of several"),
        ("patient_id,ftv,size\nA,1,2\n", "columns of tumours at visits, such as ftv_ml_T0"),
        ("ftv_ml_T0,longest_diameter_T0,ftv_ml_T1\n10,32,2\n", "the unit of longest_diameter_T0 must be given"),
        ("ftv_ml_T0,ftv_ml_T1\n10,many\n", "many"),
    ],
)
def test_a_table_that_does_not_hold_a_patient_with_visits_is_refused(call, text, message):
    code, printed, out = call("--values", text)
    assert (code, message in printed) == (1, True), printed
    assert not out.exists()


def test_a_unit_that_no_name_tells_can_be_given(call):
    text = "ftv_ml_T0,longest_diameter_T0,ftv_ml_T1\n10,32,2\n"
    assert call("--values", text, "--unit", "mm")[0] == 0


def test_a_cohort_with_visits_is_measured_and_predicted(model, tmp_path, capsys):
    cohort = write_visit_cohort(tmp_path / "cohort")
    words = ["follow", "--table", str(cohort), "--model", str(model), "--out", str(tmp_path / "out")]
    assert run(app, words) == 0
    rows = list(csv.DictReader((tmp_path / "out" / "predictions.csv").open()))
    assert [(row["patient_id"], row["visits"]) for row in rows] == [("P001", "T0 T1"), ("P002", "T0 T1")]
    assert "2 of 2 patients predicted" in capsys.readouterr().out


def test_many_patients_become_a_table_of_predictions_for_each_visit(call, tmp_path):
    (tmp_path / "clinical.csv").write_text("patient_id,age,hr\nA1,50,1\nA2,60,0\nA3,40,0\n")
    text = "patient_id,ftv_ml_T0,ftv_ml_T1\nA1,10,2\nA2,8,\nA3,,\n"
    code, printed, out = call("--table", text, str(tmp_path / "clinical.csv"))
    assert code == 0, printed
    rows = {row["patient_id"]: row for row in csv.DictReader((out / "predictions.csv").open())}
    assert (rows["A1"]["visits"], rows["A2"]["visits"]) == ("T0 T1", "T0")
    assert rows["A1"]["probability"] == rows["A1"]["probability_T1"] != rows["A1"]["probability_T0"]
    assert "no measurement" in rows["A3"]["error"]
    assert "2 of 3 patients predicted, 1 failed" in printed


@pytest.mark.parametrize(
    ("option", "more", "message"),
    [
        ("--table", ["--clinical", "age=5"], "--clinical and --show-patient-id are for one patient"),
        ("--values", ["--mask", "T1", "gone"], "--mask is for exams, not for --values"),
        ("--values", ["--visit", "T0", "x"], "give exactly one of"),
    ],
)
def test_options_that_do_not_go_with_tables_are_refused(call, option, more, message):
    code, printed, _ = call(option, ONE, *more)
    assert (code, message in printed) == (2, True), printed


def test_without_the_training_library_tables_are_not_read(call, monkeypatch):
    monkeypatch.setattr(table, "READERS", [])
    code, printed, _ = call("--values", ONE)
    assert (code, "install PCRTrainingLib" in printed) == (1, True)
