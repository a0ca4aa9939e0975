"""The pool of a run: no process survives when the run ends early."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from PCRPredictorLib.errors import DataError
from PCRTrainingLib.progress import Progress
from PCRTrainingLib.training.workers import Worker
from support.long_tasks import fail_or_work_long
from support.waiting import wait_until

RUN = """
import signal

from PCRTrainingLib.training.workers import Worker
from PCRTrainingLib.progress import Progress
from support.long_tasks import work_long

signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's background job ignores
Worker(processes=2).run_tasks(work_long, {files!r}, 1, Progress())
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_pool_ends_with_a_run_that_is_interrupted_or_killed(how, tmp_path):
    files = [str(tmp_path / "one"), str(tmp_path / "two")]
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    code = [sys.executable, "-c", RUN.format(files=files)]
    run = subprocess.Popen(code, env={**os.environ, "PYTHONPATH": path}, stderr=subprocess.DEVNULL)
    wait_until(lambda: len(list(tmp_path.iterdir())) == 2 or run.poll() is not None)
    family = psutil.Process(run.pid).children(recursive=True)
    assert len(family) >= 3  # two workers and what they report to
    run.send_signal(how)
    run.wait(20)
    _gone, left = psutil.wait_procs(family, 20)
    assert left == []


def test_error_of_a_fold_is_raised_at_once_and_ends_the_others(tmp_path, monkeypatch):
    monkeypatch.setenv("TEST_FOLDER", str(tmp_path))
    started = time.monotonic()
    with pytest.raises(DataError, match="the disk is full; free some space"):
        Worker(processes=2).run_tasks(fail_or_work_long, ["", str(tmp_path / "one")], 1, Progress())
    assert time.monotonic() - started < 50  # the other one sleeps for a minute
