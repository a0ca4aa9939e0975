"""Tasks for the processes of a run; these import them by name."""

import os
import time
from pathlib import Path

from PCRPredictorLib.errors import DataError

from support.waiting import wait_until


def work_long(file, _device, _progress):
    """A task that says it has begun, and takes longer than a test waits."""
    Path(file).touch()
    time.sleep(60)


def fail_or_work_long(file, _device, _progress):
    """A task that fails once the other has begun, and the other."""
    if file:
        work_long(file, _device, _progress)
    wait_until(lambda: list(Path(os.environ["TEST_FOLDER"]).iterdir()))
    raise DataError("the disk is full; free some space")
