"""Tasks run one after the other in a process, and side by side on a cluster, by the same calls."""

import pytest
from PCRPredictorLib.engine.engine import ThisProcess
from PCRPredictorLib.engine.opening import open_engine
from PCRPredictorLib.errors import DataError
from support.long_tasks import double, fail, workers_in_threads


@pytest.fixture(params=["process", "cluster"])
def engine(request):
    if request.param == "process":
        yield ThisProcess()
        return
    with workers_in_threads(2) as cluster, open_engine(cluster.scheduler_address) as engine:
        yield engine


def test_every_task_is_done_once_and_its_reports_are_heard(engine):
    heard = []
    done = {each.task: each.result() for each in engine.run(double, range(20), lambda *news: heard.append(news))}
    assert done == {task: 2 * task for task in range(20)}
    assert sorted(heard) == [(task, "doubled") for task in range(20)]


def test_error_of_a_task_does_not_end_the_others(engine):
    done = {each.task: each for each in engine.run(fail, ["", "the table is empty", "odd"])}
    assert done[""].result() == "fine"
    with pytest.raises(DataError, match="the table is empty"):
        done["the table is empty"].result()
    with pytest.raises(KeyError, match="odd"):
        done["odd"].result()


def test_tasks_are_read_as_they_are_needed(engine):
    read = []
    tasks = (read.append(task) or task for task in range(1000))
    running = engine.run(double, tasks)
    next(running)
    running.close()
    assert len(read) < 20


def test_folder_that_all_workers_see_is_accepted(engine, tmp_path):
    engine.check_folder(tmp_path)
    assert not any(tmp_path.iterdir())
