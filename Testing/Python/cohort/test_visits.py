"""`pcr check` of a cohort with visits."""

import pytest
from PCRPredictorLib.command_line import app, run
from PCRTrainingLib import command_line as _training_commands  # noqa: F401  adds check
from support.cohort_files import write_table
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
