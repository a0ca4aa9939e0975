"""Work off the user interface's thread: one persistent worker that touches neither Qt nor MRML."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import qt
from PCRPredictorLib.errors import trace_of

_INTERVAL_MS = 30
_YIELD_S = 0.01  # Slicer holds Python's lock while it is idle: a moment of sleep lets the worker run


class Background:
    """Runs one function after the other; results come back on the user interface's thread.

    A cancelled job runs to its end, because a network cannot be interrupted safely, but its result is dropped.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="BreastPCR")
        self._jobs: list[tuple[Future, Callable[[Any], None], Callable[[Exception], None]]] = []
        self._timer = qt.QTimer()
        self._timer.setInterval(_INTERVAL_MS)
        self._timer.connect("timeout()", self._deliver_all)

    @property
    def busy(self) -> bool:
        """Whether a result is awaited."""
        return bool(self._jobs)

    def start(
        self,
        function: Callable[[], Any],
        done: Callable[[Any], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Run a function on the worker, then call `done` with its result or `failed` with its error."""
        self._jobs.append((self._pool.submit(function), done, failed))
        self._timer.start()

    def cancel(self) -> None:
        """Drop every job that is running or waiting."""
        for future, _, _ in self._jobs:
            future.cancel()
        self._jobs.clear()
        self._timer.stop()

    def close(self) -> None:
        """Drop everything, and end the worker."""
        self.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _deliver_all(self) -> None:
        time.sleep(_YIELD_S)
        for job in [job for job in self._jobs if job[0].done()]:
            if job not in self._jobs:  # cancelled by the delivery of the one before
                continue
            self._jobs.remove(job)
            self._deliver(*job)
        if not self._jobs:
            self._timer.stop()

    @staticmethod
    def _deliver(future: Future, done: Callable[[Any], None], failed: Callable[[Exception], None]) -> None:
        error = future.exception()
        if error is None:
            done(future.result())
            return
        if trace := trace_of(error):  # into Slicer's Error Log, where it can be selected and copied
            logging.error("BreastPCR: work has failed: %s", trace)
        failed(error if isinstance(error, Exception) else RuntimeError(str(error)))
