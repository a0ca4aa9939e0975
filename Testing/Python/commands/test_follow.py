"""`pcr follow`: from exams of several visits to a report, and what is refused."""

import json

import numpy as np
import pytest
from PCRPredictorLib.command_line import app, run
from PCRPredictorLib.commands import follow_exams
from PCRPredictorLib.commands.follow import print_course
from PCRPredictorLib.visits import measured
from PCRPredictorLib.writing import write_nifti
from support.examples import BLOCKING
from support.follow.examples import tiny_course, tiny_prediction
from support.follow_up.response_model import write_tiny_response
from support.follow_up.visits import in_place, later_exam, small_exam, write_files, write_study

EXAM = small_exam(0, size=(24, 20, 8), spacing=(3, 3, 4))
LATER = later_exam(EXAM, 0.6, 2)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_tiny_response(tmp_path_factory.mktemp("model") / "response")


@pytest.fixture
def call(model, tmp_path, capsys):
    """Run `pcr follow`: (exit code, what was printed, output folder)."""

    def run_it(*words):
        out = tmp_path / "out"
        code = run(app, ["follow", *map(str, words), "--model", str(model), "--out", str(out)])
        printed = capsys.readouterr()
        return code, printed.out + printed.err, out

    return run_it


@pytest.fixture
def refused(call):
    """Run `pcr follow` and check that it ends with a message, and writes nothing."""

    def run_it(code, message, *words):
        found, printed, out = call(*words)
        text = " ".join(printed.replace("│", " ").split())
        assert (found, message in text) == (code, True), printed
        assert "Traceback" not in printed
        assert not out.exists()
        assert not [path for path in out.parent.iterdir() if path.name.startswith(".out")]

    return run_it


@pytest.fixture
def files(tmp_path):
    """Folders T0 and T1 with an exam each, and its mask, as NIfTI."""
    write_files(tmp_path / "T0", EXAM)
    write_files(tmp_path / "T1", LATER)
    return tmp_path


@pytest.fixture
def dicom(tmp_path):
    """A DICOM folder with exams of day 0 and day 22 and a scout, and their masks beside it."""
    for day, name in ((0, "T0"), (22, "T1")):
        exam = write_study(tmp_path / "dicom", day, EXAM if day == 0 else LATER)
        write_nifti(exam.mask, exam.geometry, tmp_path / f"{name}.nii.gz")
    write_study(tmp_path / "dicom", 9, EXAM, times=(0,), phases=EXAM.phases[:1], SeriesDescription="scout")
    return tmp_path


def visits(folder):
    return ("--visit", "T0", folder / "T0", "--visit", "T1", folder / "T1")


def masks(folder):
    return ("--mask", "T0", folder / "T0.nii.gz", "--mask", "T1", folder / "T1.nii.gz")


def test_two_folders_of_files_become_a_report(call, files):
    code, printed, out = call(*visits(files), "--clinical", "age=52", "hr=positive", "--day", "T1", "22")
    assert code == 0, printed
    result = json.loads((out / "follow.json").read_text())
    assert [visit["visit"] for visit in result["visits"]] == ["T0", "T1"]
    assert {"report.html", "visits.csv", "course.png", "comparison.png"} <= {file.name for file in out.iterdir()}
    assert "day 22" in printed
    assert "pCR after T1" in printed


def test_without_a_decision_the_reason_is_printed_before_the_number(capsys):
    course = tiny_course(2)
    print_course(course, tiny_prediction(course, (BLOCKING,)), ())
    printed = capsys.readouterr().out
    assert printed.index("no decision") < printed.index(f"No decision: {BLOCKING.message}")
    assert printed.index("No decision") < printed.index("Not to be relied on: Probability of pCR after T1")
    assert "warning: T1: Do not" not in printed


def test_a_dicom_folder_with_several_studies_becomes_a_report_without_dates_or_names(call, dicom):
    code, printed, out = call("--dicom", dicom / "dicom", "--studies", "T0", "T1", *masks(dicom))
    assert code == 0, printed
    assert "study 2: day 22: 3 phases -> T1" in printed
    assert "not used: study of day 9: no dynamic series (series 5 (scout))" in printed
    text = printed + (out / "follow.json").read_text() + (out / "report.html").read_text()
    assert "2024" not in text.replace("Radiology 2024", "")
    assert "SECRET" not in text.upper()


def test_studies_are_asked_about_on_a_terminal(call, dicom, monkeypatch):
    answers = iter(["T0", "T0 T9", "T0 T1"])
    monkeypatch.setattr(follow_exams.sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(follow_exams.typer, "prompt", lambda *_, default: next(answers))
    code, printed, _ = call("--dicom", dicom / "dicom", *masks(dicom))
    assert code == 0
    assert "for each of the 2 studies, got 1" in printed
    assert "must be one of T0, T1, T2, T3, got T9" in printed


def test_without_a_terminal_the_call_with_the_proposal_is_told(refused, dicom):
    message = "the visit of each study must be confirmed; call it again with --studies T0 T1"
    refused(1, message, "--dicom", dicom / "dicom", *masks(dicom))


def test_a_dicom_folder_with_one_study_is_refused(refused, tmp_path):
    write_study(tmp_path / "dicom", 0)
    refused(1, "must hold two studies with a dynamic series or more, got 1", "--dicom", tmp_path / "dicom")


def test_a_tumour_that_is_gone_is_followed(call, files):
    code, printed, _ = call(*visits(files), "--mask", "T1", "gone")
    assert code == 0
    assert "0 ml" in printed


def test_a_visit_can_be_measured_inside_the_outline_of_the_baseline(call, files, monkeypatch):
    monkeypatch.setattr(measured, "register", in_place)
    code, printed, _ = call(*visits(files), "--mask", "T1", "baseline")
    assert code == 0, printed
    assert "inside the baseline's outline" in printed


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--visit", "T4", "x"], 2, "a visit must be one of T0, T1, T2, T3, got T4"),
        (["--visit", "T0", "x", "--visit", "t0", "y"], 2, "--visit must name each visit once, got t0 again"),
        (["--visit", "T0"], 2, "--visit T0 must be followed by its exam, got nothing"),
        (
            ["--visit", "T0", "x", "--dicom", "y"],
            2,
            "give exactly one of --visit (once for each visit), --dicom, --values and --table",
        ),
        ([], 2, "give exactly one of --visit (once for each visit), --dicom, --values and --table"),
        (["--visit", "T0", "x", "--studies", "T0"], 2, "--studies names the visits of the studies of a --dicom folder"),
        (["--visit", "T0", "nowhere"], 1, "T0: nowhere: does not exist; check the path, or give a DICOM folder"),
        (["--dicom", "nowhere"], 1, "nowhere: does not exist; check the path"),
    ],
)
def test_calls_that_cannot_work_are_refused(refused, words, code, message):
    refused(code, message, *words)


def test_options_about_a_visit_without_an_exam_are_refused(refused, files):
    refused(1, "--mask T2: T2 has no exam", *visits(files), "--mask", "T2", "gone")
    refused(2, "--mask must name each visit once", *visits(files), "--mask", "T1", "gone", "--mask", "T1", "gone")
    refused(1, "--day T1 must be days after the first visit, got soon", *visits(files), "--day", "T1", "soon")


def test_a_single_visit_is_refused(refused, files):
    refused(1, "a follow-up must have two visits or more, got one", *visits(files)[:3])
    refused(1, "must have T0, the exam before treatment, got T1 alone", *visits(files)[3:])


def test_visits_in_the_wrong_order_are_refused(refused, files, dicom):
    refused(1, "T1 must be after T0, got an exam 5 days before it", *visits(files), "--day", "T1", "-5")
    swapped = ("--studies", "T1", "T0", "--mask", "T1", dicom / "T0.nii.gz", "--mask", "T0", dicom / "T1.nii.gz")
    refused(1, "T1 must be after T0, got an exam 22 days before it", "--dicom", dicom / "dicom", *swapped)


def test_the_same_exam_twice_and_another_patient_are_refused(refused, files, dicom):
    twice = ("--visit", "T0", files / "T0", "--visit", "T1", files / "T0")
    refused(1, "T1 must be a different exam than T0, got the same images twice", *twice)
    for day, name in ((0, "T0"), (22, "T1")):
        tags = {"PatientID": f"SECRET-{day}"}
        write_study(dicom / f"of {name}", day, EXAM if day == 0 else LATER, **tags)
    apart = ("--visit", "T0", dicom / "of T0", "--visit", "T1", dicom / "of T1", *masks(dicom))
    refused(1, "T1 must be an exam of the patient of T0, got a different PatientID", *apart)


def test_other_headers_of_one_patient_are_followed_on_request(call, dicom):
    for day, name in ((0, "T0"), (22, "T1")):
        write_study(dicom / f"of {name}", day, EXAM if day == 0 else LATER, PatientID=f"SECRET-{day}")
    apart = ("--visit", "T0", dicom / "of T0", "--visit", "T1", dicom / "of T1", *masks(dicom), "--one-patient")
    code, printed, _ = call(*apart)
    assert code == 0
    assert "PatientID of T1 differs" in printed


def test_a_missing_mask_tells_the_choices_and_an_empty_one_is_a_tumour_that_is_gone(call, refused, files):
    (files / "T1" / "mask.nii.gz").unlink()
    refused(1, "T1: no tumour mask; give it with --mask T1 FILE, say --mask T1 gone", *visits(files))
    write_nifti(np.zeros_like(LATER.mask), LATER.geometry, files / "empty.nii.gz")
    code, printed, _ = call(*visits(files), "--mask", "T1", files / "empty.nii.gz")
    assert code == 0
    assert "The mask of T1 has no voxel: read as a tumour that is gone" in printed


def test_a_mask_on_another_grid_is_refused(refused, files):
    other = small_exam(4, size=(20, 20, 6))
    write_nifti(other.mask, other.geometry, files / "other.nii.gz")
    refused(
        1,
        "T1: other.nii.gz: the mask must lie on the exam's grid",
        *visits(files),
        "--mask",
        "T1",
        files / "other.nii.gz",
    )


def test_an_unknown_clinical_value_or_model_is_refused(refused, call, files):
    refused(1, "hr", *visits(files), "--clinical", "hr=perhaps")
    code, printed, _ = call(*visits(files), "--operating-point", "no such")
    assert code == 1
    assert "no such" in printed
