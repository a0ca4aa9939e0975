"""Long work, off the page's event loop: one thread, one thing after the other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from PCRPredictorLib.errors import DataError
from trame_server import Server
from trame_server.utils.typed_state import TypedState

T = TypeVar("T")
WENT_WRONG = "this went wrong here; load the page again"


class Work:
    """The worker of a session (`session.frontend.Worker`).

    Args:
        server: of the page; what is changed by an answer reaches the browser at once.
        report_problem: called with a sentence if something unexpected goes wrong on the page's own thread.
    """

    def __init__(self, server: Server, report_problem: Callable[[str], object]) -> None:
        self._server, self._report_problem = server, report_problem
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="page")
        self._tasks: set[asyncio.Task[None]] = set()

    def start(
        self, function: Callable[[], T], done: Callable[[T], object], failed: Callable[[Exception], object]
    ) -> None:
        """Run a function on the thread, then `done` with its result or `failed` with an error for the user."""
        task = asyncio.ensure_future(self._run(function, done, failed))
        self._tasks.add(task)  # asyncio keeps no reference
        task.add_done_callback(self._tasks.discard)

    async def run_in_thread(self, function: Callable[[], T]) -> T:
        """Run a function on the thread and return its result; the caller handles errors."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, function)

    def watch(self, state: TypedState, changes: Mapping[object, Callable[[Any], object]]) -> None:
        """Call functions when fields of a state change; trame would hide their errors, here they are reported."""
        state.bind_changes({field: partial(self._guard, function) for field, function in changes.items()})

    def report_unexpected(self, what: str) -> None:
        """Log the error that is being handled, and report what to do."""
        logging.getLogger(__name__).exception(what)
        with self._server.state:
            self._report_problem(WENT_WRONG)

    async def _run(
        self, function: Callable[[], T], done: Callable[[T], object], failed: Callable[[Exception], object]
    ) -> None:
        try:
            answer = partial(done, await self.run_in_thread(function))
        except (DataError, MemoryError) as error:
            answer = partial(failed, error)
        except Exception:
            logging.getLogger(__name__).exception("work has failed")
            answer = partial(failed, DataError(WENT_WRONG))
        with self._server.state:
            self._guard(answer)

    def _guard(self, function: Callable[..., object], *values: object) -> None:
        try:
            function(*values)
        except Exception:
            self.report_unexpected("a change of the page has failed")
