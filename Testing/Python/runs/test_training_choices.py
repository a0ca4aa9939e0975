from pathlib import Path

import pytest
from PCRTrainingLib.training_choices import RecalibrationChoices, TrainingChoices, split_columns

A, B = Path("a"), Path("b")


@pytest.mark.parametrize(
    ("choices", "problem"),
    [
        (TrainingChoices("train", (A, B)), None),
        (TrainingChoices("train", (A, B), True, ("manufacturer", "cohort")), None),
        (TrainingChoices("train", (A,), sites=("x", "y")), "Sites must be one column per cohort"),
        (TrainingChoices("train", (A, A)), "chosen twice"),
        (TrainingChoices("train", (A,), True, ("cohort",)), "A single site cannot be left out"),
        (TrainingChoices("experiment", (A,), start="ispy2"), "trains from random weights"),
        (TrainingChoices("train", (A,), start="ispy2", rows=B), "fit a clinical branch anew"),
    ],
)
def test_choices_that_do_not_go_together(choices, problem):
    assert (choices.problem is None) if problem is None else (problem in choices.problem)


def test_command_of_a_run():
    choices = TrainingChoices("train", (A, B), True, ("m", "cohort"), "ispy2", None)
    assert choices.words(Path("run"), "cpu") == ["train", "a", "b", "--out", "run", "--device", "cpu"]
    expected = ["--config", "c.json", "--leave-site-out", "--sites", "m", "cohort", "--from", "ispy2"]
    assert choices.options(Path("c.json")) == expected
    assert TrainingChoices("experiment", (A,), rows=B).options(Path("c"))[-2:] == ["--clinical-rows", "b"]
    assert TrainingChoices("train", (A,), keep_anyway=True).words(B, "cpu")[-1] == "--keep-anyway"


def test_an_estimate_is_of_all_cohorts_and_sites_of_the_run():
    choices = TrainingChoices("train", (A, B), True, ("m", "cohort"))
    expected = ["estimate", "a", "b", "--config", "c.json", "--leave-site-out", "--sites", "m", "cohort"]
    assert choices.estimate_words(Path("c.json")) == expected


def test_recalibration_needs_one_cohort_a_model_and_a_folder():
    good = RecalibrationChoices("ispy2", (A,), B)
    assert good.problem is None
    assert good.words() == ["bundle", "recalibrate", "ispy2", "a", "--out", "b", "--points", "promised"]
    others = [(None, (A,), B), ("m", (), B), ("m", (A, B), B), ("m", (A,), None)]
    assert all(RecalibrationChoices(*each).problem for each in others)
    assert "in progress" in RecalibrationChoices("m", (A,), B, busy=True).problem


@pytest.mark.parametrize(
    ("text", "columns"),
    [("", ()), ("site", ("site",)), ("a  b", ("a", "b")), (" my site , cohort,", ("my site", "cohort"))],
)
def test_columns_as_people_write_them(text, columns):
    assert split_columns(text) == columns
