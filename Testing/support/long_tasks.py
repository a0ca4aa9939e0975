"""Tasks for the processes of a run; these import them by name."""

import os
import time
from pathlib import Path

from PCRPredictorLib.errors import DataError


def work_long(file, _device, _progress):
    """A task that says it has begun, and takes longer than a test waits."""
    Path(file).touch()
    time.sleep(60)


def fail_or_work_long(file, _device, _progress):
    """A task that fails once the other has begun, and the other."""
    if file:
        work_long(file, _device, _progress)
    while not list(Path(os.environ["TEST_FOLDER"]).iterdir()):
        time.sleep(0.05)
    raise DataError("the disk is full; free some space")
