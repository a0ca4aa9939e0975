"""What an answer may hold."""

import json

import pytest
from PCRPredictorLib.errors import DataError
from PCRTrainingLib.federation.messages import Answer, Task, describe_problem

GOOD = json.loads(Answer("describe", counts={"patients": 5}, sums={"age": (5.0, 250.0, 12600.0)}).to_text())


def test_an_answer_survives_its_text():
    assert Answer.from_text(json.dumps(GOOD), {}) == Answer(
        "describe", counts={"patients": 5}, sums={"age": (5.0, 250.0, 12600.0)}
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"patients": ["P1"]},
        {"problem": "a text of its own"},
        {"counts": {"patients": -1}},
        {"counts": {"patients": True}},
        {"sums": {"age": [1.0, 50.0, 2500.0]}},
        {"sums": {"age": [5.0, float("nan"), 1.0]}},
        {"sums": {"age": "text"}},
        {"counts": 3},
        {"counts": {"patients": 10**40}},
        {"sums": {"age": [5, 10**399, 1]}},
        {"sums": {"age": [5, 1e300, 1]}},
        {"metrics": {"loss": float("nan")}},
        {"metrics": {"loss": "inf"}},
    ],
)
def test_an_answer_with_anything_else_is_refused(changed):
    with pytest.raises(DataError, match="counts, sums, metrics and weights alone"):
        Answer.from_text(json.dumps({**GOOD, **changed}), {})


def test_a_deep_answer_is_refused_like_any_other():
    with pytest.raises(DataError, match="counts, sums, metrics and weights alone"):
        Answer.from_text("[" * 90_000, {})


def test_counts_and_metrics_without_a_name_are_dropped():
    text = json.dumps({**GOOD, "counts": {"patients": 5, "of_mrs_smith": 1}, "metrics": {"loss": 1, "other": 2}})
    answer = Answer.from_text(text, {})
    assert answer.counts == {"patients": 5} and answer.metrics == {"loss": 1.0}


def test_a_task_survives_its_text():
    task = Task("train", {"seed": 1}, step="step1", round=2, clip=1.0)
    assert Task.from_text(task.to_text()) == task
    assert task.position == "train step1 2"


def test_a_problem_repeats_known_names_alone():
    assert "of age;" in describe_problem("variables", ("age", "Mrs Smith"), frozenset({"age"}))
