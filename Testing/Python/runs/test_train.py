import csv
import json
import os
import random
import shutil
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import torch
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.bundle import load_bundle
from PCRTrainingLib.command_line import app, run
from PCRTrainingLib.config import SplitConfig, read_config
from PCRTrainingLib.runs.train import train
from PCRTrainingLib.training.sharing import open_training
from support.training_cohort import assert_same_predictions, out_of_fold_logits, quiet_job, read_table, write_table


def pcr(*words, capsys):
    code = run(app, [str(word) for word in words])
    return code, capsys.readouterr().err


def test_run_folder_explains_itself(trained):
    names = {path.relative_to(trained).as_posix() for path in trained.rglob("*")}
    assert {
        "config.json",
        "splits.csv",
        "quarantine.csv",
        "oof.csv",
        "summary.json",
        "report.html",
        "bundle/configs/metadata.json",
        "fold_0/step1/history.csv",
        "fold_1/step3/weights.safetensors",
        "fold_1/step3/predictions.csv",
    } <= names
    assert not [name for name in names if name.endswith((".part", "checkpoint.pt"))]


def test_summary_holds_every_step_with_intervals(trained):
    (cohort,) = json.loads((trained / "summary.json").read_text())["cohorts"]
    assert [model["name"] for model in cohort["models"]] == ["step1", "step2", "step3"]
    for model in cohort["models"]:
        assert model["auc"]["low"] <= model["auc"]["value"] <= model["auc"]["high"]
    assert cohort["models"][0]["attention"]["map"] == "Grad-CAM"
    assert cohort["models"][2]["attention"]["map"] == "attention"


def test_bundle_can_be_predicted_with(trained, training_cohort, tmp_path, capsys):
    code, _ = pcr(
        "predict", "--cohort", training_cohort, "--model", trained / "bundle", "--out", tmp_path / "p", capsys=capsys
    )
    assert code == 0
    with (tmp_path / "p" / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 16
    assert not any(row["error"] for row in rows)


def test_predictor_reproduces_the_logits_of_the_run(trained, training_cohort):
    """`pcr predict` and `oof.csv` agree on a patient, for the network of the fold that held it out."""
    import numpy as np
    from PCRPredictorLib.model.predictor import Predictor
    from PCRPredictorLib.reading.cohort import find_patients, read_patient

    predictor = Predictor(load_bundle(trained / "bundle"))
    slope, offset = predictor.bundle.settings.calibration
    recorded = out_of_fold_logits(trained)
    for patient in find_patients(training_cohort)[:4]:
        fold, logit = recorded[patient.patient_id]
        probability = predictor.predict(read_patient(patient)).fold_probabilities[int(fold)]
        assert probability == pytest.approx(1 / (1 + np.exp(-(slope * logit + offset))), abs=0.01)


def test_bundle_averages_logits_and_knows_the_terms_of_a_typical_training_patient(trained):
    bundle = load_bundle(trained / "bundle")
    assert bundle.settings.averaging == "logit"
    typical = bundle.settings.typical
    assert set(typical.variables) == {variable.name for variable in bundle.schema.variables}
    assert abs(typical.image) > 0


@pytest.mark.slow
def test_two_processes_give_the_result_of_one(training_cohort, quick_config, trained, tmp_path):
    with open_training(workers=2) as engine:
        train(quiet_job(training_cohort, tmp_path / "two", engine=engine), read_config(quick_config))
    assert_same_predictions(tmp_path / "two", trained)


def test_patient_that_cannot_be_read_is_quarantined_with_the_reason(training_cohort, quick_config, tmp_path):
    cohort = shutil.copytree(training_cohort, tmp_path / "cohort")
    (cohort / "images" / "P3" / "p3_0001.nii.gz").write_bytes(b"no image")
    train(quiet_job(cohort, tmp_path / "run"), read_config(quick_config))
    with (tmp_path / "run" / "quarantine.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["patient_id"] == "P3"
    assert "p3_0001.nii.gz" in row["reason"]
    assert len(out_of_fold_logits(tmp_path / "run")) == 15


def test_operating_point_of_a_part_held_out_once_is_cross_fitted(training_cohort, quick_config, tmp_path):
    config = read_config(quick_config)
    config = replace(config, steps=config.steps[:1], split=SplitConfig("holdout", share=0.4))
    train(quiet_job(training_cohort, tmp_path / "run"), config)
    (cohort,) = json.loads((tmp_path / "run" / "summary.json").read_text())["cohorts"]
    assert cohort["models"][0]["operating_point"]["name"] == "balanced, cross-fitted within the held-out part"


def test_validation_share_without_both_classes_is_refused_before_training(training_cohort, quick_config, tmp_path):
    config = replace(read_config(quick_config), validation=0.05)
    with pytest.raises(
        DataError, match=r"validation must leave patients with and without pCR on both sides, got 0\.05"
    ):
        train(quiet_job(training_cohort, tmp_path / "run"), config)
    assert not (tmp_path / "run" / "splits.csv").exists()  # it can be started again


def test_resumed_run_keeps_its_configuration(trained, training_cohort, tmp_path):
    out = shutil.copytree(trained, tmp_path / "copy")
    (out / "oof.csv").unlink()
    train(quiet_job(training_cohort, out, resume=True), read_config("full"))
    assert_same_predictions(out, trained)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: [{**row, "pcr": "1"} for row in rows], "must have patients with and without pCR"),
        (lambda rows: [{**row, "pcr": "yes please"} for row in rows], "pcr must be 0, 1 or empty"),
        (lambda rows: [{**row, "pcr": ""} for row in rows], "no patient that can be used; run pcr check"),
    ],
)
def test_unusable_table_is_reported_in_one_line(training_cohort, quick_config, tmp_path, capsys, change, message):
    cohort = shutil.copytree(training_cohort, tmp_path / "cohort")
    write_table(cohort, change(read_table(cohort)))
    code, error = pcr("train", cohort, "--out", tmp_path / "r", "--config", quick_config, capsys=capsys)
    assert code == 1
    assert message in error
    assert error.count("\n") == 1


def test_attention_at_chance_leaves_results_and_no_bundle(trained, training_cohort, tmp_path, capsys):
    out = shutil.copytree(trained, tmp_path / "run")
    shutil.rmtree(out / "bundle")
    code, error = pcr("train", training_cohort, "--out", out, "--resume", "--workers", 1, capsys=capsys)
    assert code == 1
    assert "no bundle is made of this run: its attention is " in error
    assert "No model was made" in (report := (out / "report.html").read_text()) and "its attention is " in report
    assert "The patients with the largest errors" in report and "data:image/png" in report
    assert not (out / "bundle").exists()
    assert "do not rely on its maps" in load_bundle(trained / "bundle").card.known_limits


def test_empty_cohort_too_many_folds_and_bad_settings_are_reported_in_one_line(training_cohort, tmp_path, capsys):
    (tmp_path / "empty" / "images").mkdir(parents=True)
    (tmp_path / "many.json").write_text('{"split": {"folds": 9}}')
    (tmp_path / "bad.json").write_text('{"epochs": 9}')
    for cohort, config, message in (
        (tmp_path / "empty", "full", "the cohort has no patients"),
        (training_cohort, tmp_path / "many.json", "folds must be at most the 8 patients of the smaller class, got 9"),
        (training_cohort, tmp_path / "bad.json", "epochs is not a known setting"),
    ):
        code, error = pcr("train", cohort, "--out", tmp_path / "r", "--config", config, capsys=capsys)
        assert code == 1
        assert message in error
        assert error.count("\n") == 1
        shutil.rmtree(tmp_path / "r", ignore_errors=True)


def test_full_disk_is_reported_in_one_line_and_the_run_can_be_resumed(
    training_cohort, quick_config, trained, small_disk, tmp_path, capsys
):
    words = ("train", training_cohort, "--config", quick_config, "--keep-anyway", "--workers", 1, "--out")
    code, error = pcr(*words, small_disk / "run", capsys=capsys)
    assert code == 1
    assert "no space left" in error
    assert error.count("\n") == 1
    out = shutil.copytree(small_disk / "run", tmp_path / "run")  # where there is room
    assert pcr(*words, out, "--resume", capsys=capsys)[0] == 0
    assert_same_predictions(out, trained)


def start(training_cohort, quick_config, out, *launcher):
    command = [*(launcher or (sys.executable,)), "-m", "PCRTrainingLib.command_line", "train", training_cohort]
    command += ["--out", out, "--config", quick_config, "--resume", "--keep-anyway"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, env=environment)


@pytest.mark.slow
def test_ten_kills_at_random_moments_lose_nothing(training_cohort, quick_config, trained, tmp_path):
    started = time.monotonic()
    whole = start(training_cohort, quick_config, tmp_path / "whole")
    assert whole.wait(300) == 0
    usual = time.monotonic() - started
    moments, out = random.Random(0), tmp_path / "run"
    for _ in range(10):
        child = start(training_cohort, quick_config, out)
        try:
            child.wait(moments.uniform(0.1, 0.9) * usual)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    assert start(training_cohort, quick_config, out).wait(300) == 0
    assert_same_predictions(out, trained)


def test_runs_leave_torch_at_one_thread():
    assert torch.get_num_threads() == 1
