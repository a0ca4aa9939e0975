"""`pcr predict` of a cohort."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from PCRPredictorLib.archive.journal import JOURNAL
from PCRPredictorLib.archive.rows import COHORT_COLUMNS
from PCRPredictorLib.command_line import app, run
from PCRPredictorLib.errors import TOO_LARGE
from PCRPredictorLib.files.voxels import read_volumes
from PCRPredictorLib.outputs import folder_name
from PCRTrainingLib import command_line as _training_commands  # noqa: F401  adds demo and phantom
from support.cohort_files import write_patient, write_table
from support.examples import OUTPUTS
from support.waiting import wait_until


def test_cohort_costs_a_bad_patient_alone(bundle, tmp_path, capsys):
    cohort = tmp_path / "cohort"
    for name in ("aa_1", "aa_2", "aa_3"):
        write_patient(cohort, name)
    (cohort / "images" / "AA_2" / "aa_2_0001.nii.gz").write_text("not an image")
    code = run(app, ["predict", "--cohort", str(cohort), "--model", str(bundle.path), "--out", str(tmp_path / "out")])
    table = pd.read_csv(tmp_path / "out" / "predictions.csv", keep_default_na=False)
    assert code == 0
    assert "2 of 3 patients predicted, 1 failed" in capsys.readouterr().out
    assert list(table.columns)[: len(COHORT_COLUMNS)] == list(COHORT_COLUMNS)
    assert (table["error"] != "").tolist() == [False, True, False]
    terms = table.filter(like="evidence_").iloc[[0, 2]].astype(float).sum(1)
    probability = table["probability"].iloc[[0, 2]].astype(float)
    assert terms.tolist() == pytest.approx(np.log(probability / (1 - probability)).tolist(), abs=2e-3)


def test_a_patient_that_exhausts_memory_is_one_row(bundle, tmp_path, monkeypatch):
    cohort = tmp_path / "cohort"
    for name in ("aa_1", "aa_2", "aa_3"):
        write_patient(cohort, name)

    def read(header, chosen):
        if header.name == "aa_2_0001.nii.gz":
            raise MemoryError
        return read_volumes(header, chosen)

    monkeypatch.setattr("PCRPredictorLib.reading.images.read_volumes", read)
    assert (
        run(app, ["predict", "--cohort", str(cohort), "--model", str(bundle.path), "--out", str(tmp_path / "o")]) == 0
    )
    errors = pd.read_csv(tmp_path / "o" / "predictions.csv", keep_default_na=False)["error"]
    assert errors.tolist() == ["", TOO_LARGE, ""]


def test_table_of_results_names_warnings_about_times(bundle, tmp_path):
    cohort = tmp_path / "cohort"
    write_patient(cohort, "aa_1")
    write_patient(cohort, "aa_2")
    write_table(cohort, 'patient_id,acquisition_times\nAA_1,"[0, 128, 200, 480]"\nAA_2,"[0, 922, 1000, 1100]"\n')
    assert (
        run(app, ["predict", "--cohort", str(cohort), "--model", str(bundle.path), "--out", str(tmp_path / "out")]) == 0
    )
    warnings = pd.read_csv(tmp_path / "out" / "predictions.csv", keep_default_na=False)["warnings"]
    assert ["unfamiliar_timing" in codes.split() for codes in warnings] == [False, True]


def test_cohort_of_which_nothing_can_be_predicted_is_an_error(bundle, tmp_path, capsys):
    (tmp_path / "cohort" / "images" / "A").mkdir(parents=True)
    (tmp_path / "cohort" / "images" / "A" / "A_0000.nii.gz").write_text("no image")
    (tmp_path / "cohort" / "segmentations").mkdir()
    words = ["predict", "--cohort", str(tmp_path / "cohort"), "--model", str(bundle.path), "--out"]
    assert run(app, [*words, str(tmp_path / "out")]) == 1
    assert "no patient could be predicted" in capsys.readouterr().err
    assert (tmp_path / "out" / "predictions.csv").is_file()


@pytest.mark.parametrize("words", [["--mask", "m"], ["--label", "2"], ["--clinical", "age=5"], ["--show-patient-id"]])
def test_what_is_for_one_exam_is_refused_for_a_cohort(words, tmp_path, capsys):
    (tmp_path / "cohort").mkdir()
    assert run(app, ["predict", "--cohort", str(tmp_path / "cohort"), "--out", str(tmp_path / "out"), *words]) == 2
    assert "not a --cohort" in capsys.readouterr().err


def test_phantom_cohort_is_predicted_whole(bundle, tmp_path, capsys):
    cohort, out = tmp_path / "cohort", tmp_path / "out"
    assert run(app, ["phantom", str(cohort), "--patients", "2", "--site", "C"]) == 0
    assert run(app, ["predict", "--cohort", str(cohort), "--model", str(bundle.path), "--out", str(out), "--each"]) == 0
    assert "2 of 2 patients predicted" in capsys.readouterr().out
    assert {file.name for file in (out / "PHANTOM_C_0001").iterdir()} == OUTPUTS
    table = pd.read_csv(out / "predictions.csv", index_col="patient_id")
    report = (out / "PHANTOM_C_0001" / "report.html").read_text(encoding="utf-8")
    assert f"Result {table.loc['PHANTOM_C_0001', 'result']}" in report


def test_real_exams_are_predicted_with_attention_on_the_tumour(real_cohort, tmp_path):
    small = tmp_path / "small"
    for path in sorted((real_cohort / "images").iterdir())[:5]:
        shutil.copytree(path, small / "images" / path.name)
    for name in ("segmentations", "clinical_and_imaging_info.csv"):
        (small / name).symlink_to(real_cohort / name)
    assert run(app, ["predict", "--cohort", str(small), "--out", str(tmp_path / "out")]) == 0
    table = pd.read_csv(tmp_path / "out" / "predictions.csv")
    assert table["error"].isna().all()
    assert table["attention_in_tumour"].mean() > 0.5


def test_asked_to_end_it_leaves_rows_that_resume_goes_on_from(bundle, training_cohort, tmp_path, capsys):
    out = tmp_path / "out"
    words = list(map(str, ["predict", "--cohort", training_cohort, "--model", bundle.path, "--out", out]))
    child = subprocess.Popen([sys.executable, "-m", "PCRPredictorLib.command_line", *words], stdout=subprocess.PIPE)
    wait_until(lambda: (out / JOURNAL).is_file() and len((out / JOURNAL).read_bytes().splitlines()) > 2)
    child.terminate()
    said = child.communicate(timeout=30)[0].decode()
    assert child.returncode == 130
    assert "of 16 patients done" in said
    assert {path.name for path in out.iterdir()} == {JOURNAL, ".lock"}
    assert run(app, words) == 1
    assert "holds predictions already; go on with --resume" in capsys.readouterr().err
    assert run(app, [*words, "--resume"]) == 0
    assert "16 of 16 patients predicted" in capsys.readouterr().out


def test_files_of_a_patient_that_fails_now_do_not_stay(bundle, training_cohort, tmp_path):
    cohort = shutil.copytree(training_cohort, tmp_path / "cohort")
    for folder in sorted((cohort / "images").iterdir())[2:]:
        shutil.rmtree(folder)
    words = ["predict", "--cohort", str(cohort), "--model", str(bundle.path), "--each", "--out", str(tmp_path / "out")]
    assert run(app, words) == 0
    first = sorted((cohort / "images").iterdir())[0]
    next(first.iterdir()).write_text("damaged")
    assert run(app, [*words, "--resume"]) == 0
    assert list((tmp_path / "out" / folder_name(first.name)).iterdir()) == []


def test_file_in_the_place_of_the_results_is_refused_at_once(bundle, training_cohort, tmp_path, capsys):
    (tmp_path / "out").write_text("mine")
    asked = {"--cohort": training_cohort, "--model": bundle.path, "--out": tmp_path / "out"}
    assert run(app, ["predict", *(str(word) for pair in asked.items() for word in pair)]) == 2
    assert "--out must be a folder, got the file" in " ".join(capsys.readouterr().err.split())
    assert (tmp_path / "out").read_text() == "mine"


def test_cohort_is_shown_beside_the_training_patients(bundle, tmp_path, capsys):
    cohort = tmp_path / "cohort"
    for name in ("aa_1", "aa_2", "aa_3"):
        write_patient(cohort, name)
    write_table(cohort, "patient_id,pcr,age\nAA_1,1,50\nAA_2,no,60\nAA_3,maybe,70\n")
    words = ["predict", "--cohort", str(cohort), "--model", str(bundle.path), "--out", str(tmp_path / "out")]
    assert run(app, words) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "label not used: AA_3: pcr must be 0, 1 or empty, got 'maybe'" in said
    assert "Of 2 labelled patients 50 %" in said and "does not record what its training patients were like" in said
    shift = json.loads((tmp_path / "out" / "shift.json").read_text())
    assert (shift["patients"], shift["labelled"]) == (3, 2)
    pages = [tmp_path / "out" / name for name in ("shift.json", "report.html", "report.md")]
    assert not any("aa_" in page.read_text().lower() for page in pages)


def test_table_has_what_changes_of_the_picture_do_on_request(bundle, training_cohort, tmp_path):
    words = ["predict", "--cohort", training_cohort, "--model", bundle.path, "--out", tmp_path / "out"]
    assert run(app, [*map(str, words), "--does-it-matter"]) == 0
    table = pd.read_csv(tmp_path / "out" / "predictions.csv")
    assert table[["points_tumour_erased", "points_background_swapped"]].notna().all().all()
    assert list(table.columns).index("points_patch_erased") < list(table.columns).index("warnings")


@pytest.mark.slow
def test_two_processes_write_the_same_table(bundle, training_cohort, tmp_path):
    words = list(map(str, ["predict", "--cohort", training_cohort, "--model", bundle.path, "--out"]))
    for workers in ("1", "2"):
        assert run(app, [*words, str(tmp_path / workers), "--workers", workers]) == 0
    for name in ("predictions.csv", "shift.json"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--cohort", "cohrt", "--out", "o"], "pcr: cohrt: does not exist; check the path (cohort is there)"),
        (["--cohort", "cohort", "--out", "file/o"], "cannot be written (not a directory); choose a folder"),
        (["--cohort", "cohort", "--out", "o", "--device", "cuda:9999x"], "must be cpu or cuda"),
        (["--cohort", "cohort", "--out", "o", "--device", "cuda"], "pcr: device 'cuda' is not available"),
    ],
)
def test_a_call_that_cannot_work_is_refused_before_anything_is_said(
    bundle, tmp_path, monkeypatch, capsys, words, message
):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.chdir(tmp_path)
    write_patient(tmp_path / "cohort", "aa_1")
    (tmp_path / "file").write_text("")
    assert run(app, ["predict", "--model", str(bundle.path), *words]) > 0
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == "" and not (tmp_path / "o").exists()


def test_the_bar_goes_if_nobody_can_be_predicted(bundle, tmp_path, capsys):
    for name in ("a:a", "a?a"):
        write_patient(tmp_path / "cohort", name)
    words = ["--cohort", str(tmp_path / "cohort"), "--out", str(tmp_path / "o"), "--model", str(bundle.path)]
    assert run(app, ["predict", *words, "--each"]) == 1
    captured = capsys.readouterr()
    assert "into one folder" in captured.err and "Predicting" not in captured.out
