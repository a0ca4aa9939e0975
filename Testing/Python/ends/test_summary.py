"""The short table that a command ends with."""

import json

import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.writing import write_csv
from PCRTrainingLib.commands.endings import lay_out, unused
from PCRTrainingLib.ends.summary import summarise
from PCRTrainingLib.run_folder import RunFolder

AUC = {"value": 0.7, "low": 0.6, "high": 0.8}
RATES = {"auc": AUC, "sensitivity": AUC, "specificity": AUC}


def test_an_evaluation_has_a_row_per_model_and_cohort_with_intervals(tmp_path):
    models = [
        {"name": "own", **RATES, "attention": {"map": "attention", "in_tumour": AUC}},
        {"name": "plain", **RATES, "attention": {"map": "Grad-CAM", "in_tumour": AUC}},
    ]
    content = {"cohorts": [{"name": "here", "models": models}]}
    (tmp_path / "evaluation.json").write_text(json.dumps(content))
    (table,) = summarise(RunFolder(tmp_path))
    interval = "0.70 (0.60 to 0.80)"
    assert table.rows == [
        ["here", "own", interval, interval, interval, "0.70"],
        ["here", "plain", interval, interval, interval, "–"],
    ]


def test_a_selection_shows_every_configuration_and_the_choice(tmp_path):
    nested = {**RATES, "attention_in_tumour": 0.5, "against": [{"model": "clinical", "auc": 0.6}]}
    (tmp_path / "selection.json").write_text(json.dumps({"nested": nested}))
    columns = ["outer_fold", "configuration", "inner_auc", "inner_attention_in_tumour", "chosen"]
    write_csv(columns, [[0, "a", 0.6, 0.5, 1], [1, "a", 0.8, 0.7, 0]], tmp_path / "candidates.csv")
    candidates, results = summarise(RunFolder(tmp_path))
    assert candidates.rows == [["a", "0.70 (0.60 to 0.80)", "0.60 (0.50 to 0.70)", "1 of 2"]]
    assert [row[1] for row in results.rows] == ["nested choice", "clinical"]


def test_a_run_without_results_says_so(tmp_path):
    with pytest.raises(DataError, match="holds no results yet"):
        summarise(RunFolder(tmp_path))


def test_cells_lie_below_each_other():
    assert lay_out([["a", "model"], ["longer", "b"]]) == ["a       model", "longer  b"]


def test_a_suggested_folder_is_a_new_one(tmp_path):
    assert unused(tmp_path / "x") == tmp_path / "x"
    (tmp_path / "x").mkdir()
    assert unused(tmp_path / "x") == tmp_path / "x-2"
