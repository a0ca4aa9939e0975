"""Processes of this machine: none survives when the run ends early, and one that is killed is replaced."""

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from PCRPredictorLib.engine.local import Local, find_gpus, silence_dask
from PCRPredictorLib.errors import DataError
from support.long_tasks import die_once, fail_or_work_long, find_process
from support.waiting import wait_until

RUN = """
import signal

from PCRPredictorLib.engine.opening import open_engine
from support.long_tasks import work_long

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's background job ignores
    with open_engine(workers=2) as engine:
        list(engine.run(work_long, {files!r}))
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_processes_end_with_a_run_that_is_interrupted_or_killed(how, tmp_path):
    files = [str(tmp_path / "one"), str(tmp_path / "two")]
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    code = [sys.executable, "-c", RUN.format(files=files)]
    run = subprocess.Popen(code, env={**os.environ, "PYTHONPATH": path}, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: len(list(tmp_path.iterdir())) == 2 or run.poll() is not None)
    family = psutil.Process(run.pid).children(recursive=True)
    assert len(family) >= 2
    run.send_signal(how)
    _output, errors = run.communicate(timeout=20)
    _gone, left = psutil.wait_procs(family, 20)
    assert left == []
    assert errors.count("Traceback") <= 1  # of the run itself


@pytest.mark.slow
def test_task_of_a_worker_that_died_is_given_to_another_and_an_error_ends_the_others_at_once(tmp_path, monkeypatch):
    monkeypatch.setenv("TEST_FOLDER", str(tmp_path))
    (tmp_path / "died").mkdir()
    before = set(listening())  # of other tests, such as a PACS
    with Local(2, None, [], print) as engine:
        done = [each.result() for each in engine.run(die_once, [str(tmp_path / "died" / name) for name in "ab"])]
        assert done == ["second try", "second try"]
        assert [each.result() for each in engine.run(find_process, [0])] != [os.getpid()]  # it might kill this process
        assert {address.ip for address in set(listening()) - before} == {"127.0.0.1"}
        started = time.monotonic()
        with pytest.raises(DataError, match="the disk is full; free some space"):
            for each in engine.run(fail_or_work_long, ["", str(tmp_path / "one")]):
                each.result()
    assert time.monotonic() - started < 30  # the other one sleeps for a minute


def listening():
    """Return the addresses at which this process and its children can be reached."""
    this = psutil.Process()
    open_ = [each for process in (this, *this.children(recursive=True)) for each in process.net_connections()]
    return [each.laddr for each in open_ if each.status == psutil.CONN_LISTEN]


def test_single_task_needs_no_other_process():
    with Local(4, None, [], print) as engine:
        (pid,) = [each.result() for each in engine.run(find_process, [0])]
    assert pid == os.getpid()


def test_gpus_are_those_that_the_environment_allows(monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    assert find_gpus({}) == ["0", "1"]
    assert find_gpus({"CUDA_VISIBLE_DEVICES": "3,5"}) == ["3", "5"]


def test_loggers_of_dask_reach_no_terminal_even_with_their_level_back():
    silence_dask()
    logger = logging.getLogger("distributed")
    assert [type(handler) for handler in logger.handlers] == [logging.NullHandler]
    assert not logger.propagate
    assert all(logging.getLogger(name).propagate for name in ("asyncio", "tornado"))  # others use these
