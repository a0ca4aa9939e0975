"""Processes that a command starts are spared the Ctrl-C of its terminal, from their first moment on: it ends them."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.resource_tracker import ensure_running


@contextmanager
def spared_ctrl_c() -> Iterator[None]:
    """Start processes in the block, or threads that start them: none hears Ctrl-C. This one hears it after the block.

    A blocked signal is inherited, while a handler is not; Windows has no such thing.
    """
    if sys.platform == "win32":
        yield
        return
    ensure_running()  # of multiprocessing, which would end the block when it starts its first process
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
