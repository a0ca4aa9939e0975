"""Tasks for the processes of a run, which import them by name."""

import os
import time
from pathlib import Path

from PCRPredictorLib.errors import DataError

from support.waiting import wait_until


def work_long(file, _device, _progress):
    """Create the file, then work for longer than any test waits."""
    Path(file).touch()
    time.sleep(60)


def fail_or_work_long(file, _device, _progress):
    """Work long if given a file; without one, fail as soon as the other task has begun."""
    if file:
        work_long(file, _device, _progress)
    wait_until(lambda: list(Path(os.environ["TEST_FOLDER"]).iterdir()))
    raise DataError("the disk is full; free some space")


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
