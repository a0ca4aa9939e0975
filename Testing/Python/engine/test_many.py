"""How many processes pay for many tasks."""

import pytest
from PCRPredictorLib.engine import many
from PCRPredictorLib.engine.engine import ThisProcess
from PCRPredictorLib.engine.many import Place, run_again
from PCRPredictorLib.engine.passing import may_pass
from PCRPredictorLib.engine.tasks import Killing


@pytest.mark.parametrize(
    ("place", "tasks", "workers"),
    [(Place(), 5, 1), (Place(), 200, 8), (Place(None, 2), 200, 2), (Place(None, 4), 3, 3), (Place("tcp://a"), 5, None)],
)
def test_processes_are_started_if_they_pay(monkeypatch, place, tasks, workers):
    monkeypatch.setattr(many.os, "cpu_count", lambda: 8)
    assert place.workers_for(tasks, 0.3) == workers


def test_task_that_killed_its_workers_is_not_tried_again(monkeypatch):
    monkeypatch.setattr(many, "PAUSES_S", (0, 0))
    tried = []

    def kill(task, _report):
        tried.append(task)
        raise Killing("workers died")

    (done,) = run_again(ThisProcess(), kill, [1], lambda _done: True, print)
    assert (str(done.error), tried) == ("workers died", [1])


def test_error_that_was_raised_for_one_of_the_system_may_pass():
    try:
        try:
            raise ConnectionResetError(104, "reset")
        except OSError:
            raise ValueError("cannot be read") from None
    except ValueError as error:
        assert may_pass(error)
    assert not may_pass(ValueError("damaged"))
    assert not may_pass(PermissionError(13, "refused"))
