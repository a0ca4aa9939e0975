"""`pcr check` of a cohort with visits."""

import pytest
from PCRPredictorLib.command_line import app, run
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.writing import read_csv
from PCRTrainingLib import command_line as _training_commands  # noqa: F401  adds check
from PCRTrainingLib.calls.inputs import find_visits
from PCRTrainingLib.cohort.visits import measure_cohort
from PCRTrainingLib.commands.options import read_tables
from PCRTrainingLib.progress import Progress
from support.cohort_files import write_patient, write_table
from support.follow_up.visits import small_exam, write_visit, write_visit_cohort


@pytest.fixture
def cohort(tmp_path):
    return write_visit_cohort(tmp_path / "cohort", patients=3)


@pytest.fixture
def check(cohort, capsys):
    def call():
        code = run(app, ["check", str(cohort)])
        return code, capsys.readouterr().out

    return call


def test_visits_are_counted(check):
    code, printed = check()
    assert code == 0
    assert "visits of 3 patients: T0 3, T1 3" in printed
    assert "only the exams of T0 are used here" in printed


def test_missing_visits_and_masks_are_reported_with_the_patients(cohort, check):
    write_visit(cohort, "P001", "T2", small_exam(9, size=(24, 20, 8), spacing=(3, 3, 4)))
    (cohort / "segmentations" / "expert" / "p002_t1.nii.gz").unlink()
    code, printed = check()
    assert code == 1
    assert "sets of visits: T0 T1 2; T0 T1 T2 1" in printed
    assert "T1: 1 patient without a mask" in printed
    assert "P002: T1: has no tumour mask; add segmentations/expert/P002_T1.nii.gz" in printed


def test_wrong_orders_and_exams_given_twice_are_problems_of_their_patients(cohort, check):
    write_table(cohort, "patient_id,pcr,day_T1\nP001,1,22\nP002,0,-3\nP003,1,20\n")
    again = small_exam(30, size=(24, 20, 8), spacing=(3, 3, 4))
    write_visit(cohort, "P003", "T2", again)
    code, printed = check()
    assert code == 1
    assert "P002: T1 must be after T0, got an exam 3 days before it" in printed
    assert "P003: T2 must be a different exam than T0" in printed


def test_a_cohort_with_visits_is_measured_into_a_table_with_its_own_columns(cohort, tmp_path):
    (cohort / "segmentations" / "expert" / "p002_t1.nii.gz").unlink()
    problems = measure_cohort(cohort, Progress(), tmp_path / "measured.csv")
    rows = {row["patient_id"]: row for row in read_csv(tmp_path / "measured.csv")}
    assert float(rows["P001"]["functional_volume_ml_T1"]) > 0
    assert (rows["P002"]["functional_volume_ml_T1"], rows["P002"]["age"]) == ("", "52")
    assert [problem.patient_id for problem in problems] == ["P002"]


def test_training_and_evaluation_take_a_cohort_with_visits_as_a_table(cohort):
    patients = read_tables(find_visits([cohort]), None, ())
    assert [list(course.visits) for course in patients.courses] == [["T0", "T1"]] * 3
    assert patients.labels.tolist() == [1, 0, 1]
    assert patients.courses[0].clinical["age"] == 51


def test_folders_with_and_without_visits_are_not_mixed(cohort, tmp_path):
    write_patient(tmp_path / "plain", "A1")
    assert find_visits([tmp_path / "plain"]) == []
    with pytest.raises(DataError, match="plain: must have several visits per patient as"):
        find_visits([cohort, tmp_path / "plain"])
