"""A process beside this one: what ends it costs its task alone."""

import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest
from PCRPredictorLib import child
from PCRPredictorLib.engine.apart import Apart
from PCRPredictorLib.engine.engine import ThisProcess
from PCRPredictorLib.engine.opening import GPU, open_engine
from PCRPredictorLib.engine.tasks import Killing

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs copies of a process")


def act(task, report):
    """Do what the task says."""
    kind, value = task
    report(kind)
    if kind == "die":
        os.kill(os.getpid(), value)
    if kind == "die once" and not Path(value).exists():
        Path(value).touch()
        os._exit(3)
    if kind == "raise":
        raise value
    if kind == "wait":
        Path(value).write_text(str(os.getpid()))
        time.sleep(60)
    return os.getpid()


def test_tasks_run_in_one_process_beside_this_one_and_report(tmp_path):
    heard = []
    done = list(Apart(1).run(act, [("a", 0), ("b", 0)], lambda task, *news: heard.append((task[0], *news))))
    assert len({each.result() for each in done} - {os.getpid()}) == 1
    assert heard == [("a", "a"), ("b", "b")]


def test_a_task_that_ends_its_process_is_given_up_and_the_others_go_on():
    tasks = [("a", 0), ("die", signal.SIGKILL), ("b", 0)]
    done = list(Apart(1).run(act, tasks))
    assert [each.task for each in done] == tasks
    assert isinstance(done[1].error, Killing)
    assert "died each time (SIGKILL; out of memory, or damaged files)" in str(done[1].error)
    assert done[0].result() != done[2].result()


def test_a_task_whose_process_died_once_is_tried_again(tmp_path):
    (done,) = Apart(1).run(act, [("die once", str(tmp_path / "died"))])
    assert done.error is None


def test_errors_of_a_task_come_back_with_their_trace():
    (done,) = Apart(1).run(act, [("raise", KeyError("a"))])
    assert isinstance(done.error, KeyError)
    assert "in act" in str(done.error.__cause__)


def test_a_caller_that_stops_early_leaves_no_process(tmp_path):
    running = Apart(1).run(act, [("a", 0), ("b", 0)])
    process = psutil.Process(next(running).result())
    running.close()
    assert not process.is_running()


def test_the_process_ends_with_this_one_in_whatever_way(tmp_path):
    note = tmp_path / "pid"
    if (parent := os.fork()) == 0:
        list(Apart(1).run(act, [("wait", str(note))]))
    while not note.is_file() or not note.read_text():
        time.sleep(0.02)
    process = psutil.Process(int(note.read_text()))
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    process.wait(10)


def test_two_copies_work_at_a_time_and_answer_in_order():
    tasks = [("a", 0), ("die", signal.SIGKILL), ("b", 0), ("c", 0)]
    done = list(Apart(1, workers=2).run(act, tasks))
    assert [each.task for each in done] == tasks
    assert [isinstance(each.error, Killing) for each in done] == [False, True, False, False]


def test_a_single_process_is_apart_only_in_the_program_if_asked_and_without_a_gpu(monkeypatch):
    monkeypatch.setattr(child, "_is_program", True)
    for wanted, kind in (({}, ThisProcess), ({"apart": True}, Apart)):
        with open_engine(workers=1, **wanted) as engine:
            assert isinstance(engine, kind)
    with open_engine(workers=1, resources={GPU: 1.0}, apart=True) as engine:
        assert isinstance(engine, ThisProcess)
    monkeypatch.undo()
    with open_engine(workers=1, apart=True) as engine:
        assert isinstance(engine, ThisProcess)
