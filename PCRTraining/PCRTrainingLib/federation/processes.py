"""Ending the processes of NVIDIA FLARE that a command has started."""

import os
import signal
import subprocess
import sys
from contextlib import suppress


def end_group(process: subprocess.Popen) -> None:
    """End a process that was started in its own session, with all that it started."""
    if sys.platform == "win32":
        process.kill()
    else:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
    process.wait()
