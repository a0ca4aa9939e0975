"""`train` and `evaluate` of the Python package give what the commands give."""

import json
import logging

import breastpcr
import pytest
from PCRTrainingLib.response import config as response_config
from support.response.visit_tables import simulate, write_csv
from support.training_cohort import assert_same_predictions, write_cohort


def test_a_run_gives_what_the_command_gives(trained, training_cohort, quick_config, tmp_path, capsys):
    run = breastpcr.train(training_cohort, tmp_path / "run", config=quick_config, keep_anyway=True)
    assert capsys.readouterr() == ("", "")
    assert_same_predictions(run.folder, trained)
    assert run.summary["cohorts"][0]["models"][-1]["name"] == "step3"
    assert run.kind == "image"
    assert run.report.is_file()


def test_a_trained_model_is_evaluated_and_refuses_its_own_patients(trained, training_cohort, tmp_path, caplog):
    elsewhere = write_cohort(tmp_path / "elsewhere", 8, prefix="Q", seed=50)
    with caplog.at_level(logging.INFO, "breastpcr"):
        found = breastpcr.evaluate(elsewhere, tmp_path / "e", model=trained / "bundle")
    assert found.results == json.loads((tmp_path / "e" / "evaluation.json").read_text())
    assert found.results["cohorts"][0]["patients"] == 8
    assert "1 model on elsewhere" in caplog.text
    with pytest.raises(breastpcr.DataError, match="shares 16 patients with the training cohort"):
        breastpcr.evaluate(training_cohort, tmp_path / "f", model=trained / "bundle")


def test_tables_of_visits_train_a_response_model(tmp_path, monkeypatch):
    def train_response(patients, out, config, progress, card, *, resume):
        asked.append((len(patients.courses), out, config, resume))

    asked = []
    monkeypatch.setattr("PCRTrainingLib.response.train.train_response", train_response)
    write_csv(simulate(30), tmp_path / "visits.csv")
    run = breastpcr.train(tmp_path / "visits.csv", tmp_path / "run", config="quick", seed=3)
    assert run.kind == "response"
    assert asked == [(30, tmp_path / "run", response_config.choose_config("quick", 3), False)]
    with pytest.raises(breastpcr.CallError, match="--sites is for folders of cohorts"):
        breastpcr.train(tmp_path / "visits.csv", tmp_path / "again", sites=["site"])


def test_no_run_or_evaluation_is_mixed_with_another_result(training_cohort, tmp_path):
    (tmp_path / "prediction.json").touch()
    for call in (breastpcr.train, breastpcr.evaluate):
        with pytest.raises(breastpcr.CallError, match="holds the prediction of an exam already"):
            call(training_cohort, tmp_path)


def test_no_run_is_written_into_its_cohort(training_cohort):
    with pytest.raises(breastpcr.CallError, match="which holds the input"):
        breastpcr.train(training_cohort, training_cohort)
