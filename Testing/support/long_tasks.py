"""Tasks for an engine, whose processes import them by name."""

import os
import signal
import time
from pathlib import Path

from PCRPredictorLib.engine.tasks import Ended
from PCRPredictorLib.errors import DataError

from support.waiting import wait_until


def work_long(file, _report):
    """Create the file, then work for longer than any test waits."""
    Path(file).touch()
    time.sleep(60)


def fail_or_work_long(file, _report):
    """Work long if given a file; without one, fail as soon as the other task has begun."""
    if file:
        work_long(file, _report)
    wait_until(lambda: list(Path(os.environ["TEST_FOLDER"]).iterdir()))
    raise DataError("the disk is full; free some space")


def die_once(file, report):
    """Be killed, as for want of memory, when first tried."""
    if not Path(file).exists():
        Path(file).touch()
        report("dying")
        os.kill(os.getpid(), signal.SIGKILL)
    return "second try"


def find_process(_task, _report):
    """Return the number of the process that performs this."""
    return os.getpid()


def report_until_ended(file, report):
    """Report again and again; leave a file when the run has ended."""
    try:
        while True:
            report("still here")
            time.sleep(0.02)
    except Ended:
        Path(file).touch()
        raise


def double(task, report):
    """Twice the number."""
    report("doubled")
    return 2 * task


def fail(task, report):
    """Fail with the task's text as the sentence, or in a way that no one expects."""
    if task == "odd":
        raise KeyError(task)
    if task:
        raise DataError(task)
    return "fine"


def workers_in_threads(number, **options):
    """A Dask cluster inside this process, which starts in a second."""
    from distributed import LocalCluster

    inside = {"processes": False, "dashboard_address": "127.0.0.1:0", "threads_per_worker": 1}
    return LocalCluster(n_workers=number, **inside | options)
