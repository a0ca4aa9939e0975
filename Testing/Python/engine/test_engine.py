"""Tasks run one after the other in a process, and side by side on a cluster, by the same calls."""

import pytest
from PCRPredictorLib.engine.engine import ThisProcess
from PCRPredictorLib.engine.opening import open_engine
from PCRPredictorLib.errors import DataError
from support.long_tasks import double, fail, report_until_ended, workers_in_threads
from support.waiting import wait_until


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


def test_folder_that_all_workers_see_is_accepted_and_left_as_it_was(tmp_path):
    with workers_in_threads(2) as cluster, open_engine(cluster.scheduler_address) as engine:
        engine.check_folder(tmp_path)
        assert [each.result() for each in engine.run(double, [1])] == [2]
    assert not any(tmp_path.iterdir())


def test_task_ends_at_its_next_report_after_its_run(tmp_path):
    def interrupt(*_news):
        raise KeyboardInterrupt

    with workers_in_threads(1) as cluster, open_engine(cluster.scheduler_address) as engine:
        with pytest.raises(KeyboardInterrupt):
            list(engine.run(report_until_ended, [str(tmp_path / "ended")], interrupt))
        wait_until((tmp_path / "ended").exists, 20)


def test_lost_scheduler_ends_the_run_with_a_sentence(tmp_path):
    with (
        workers_in_threads(1) as cluster,
        open_engine(cluster.scheduler_address) as engine,
        pytest.raises(DataError, match=r"the connection to .* was lost; start it again and use --resume"),
    ):
        list(engine.run(report_until_ended, [str(tmp_path / "ended")], lambda *_news: cluster.close()))
