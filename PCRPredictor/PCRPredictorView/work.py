"""What takes time, off the page's event loop: one thread, one thing after the other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from PCRPredictorLib.errors import DataError
from trame_server import Server
from trame_server.utils.typed_state import TypedState

T = TypeVar("T")
TOO_LARGE = "the exam takes more memory than this machine gives to a page; crop it, or close other programs"
WENT_WRONG = "this went wrong here; load the page again"


@dataclass
class WorkState:
    """What is going on, and what went wrong, each "" if nothing."""

    busy: str = ""
    problem: str = ""


class Work:
    """Runs functions on the thread, and says on the page what is going on."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="page")
        self._begun: set[asyncio.Task[None]] = set()
        self.state = TypedState(server.state, WorkState)

    def watch(self, state: TypedState, changes: Mapping[object, Callable[[Any], object]]) -> None:
        """Call functions when fields of a state change; what goes wrong in them is said, which trame does not do."""
        state.bind_changes({field: partial(self._guarded, function) for field, function in changes.items()})

    def _guarded(self, function: Callable[[Any], object], value: object) -> None:
        try:
            function(value)
        except Exception:
            self.wonder("a change could not be made")

    def begin(self, work: Coroutine[Any, Any, object]) -> None:
        """Let it go on by itself; what goes wrong in it is said."""
        task = asyncio.ensure_future(self._see_through(work))
        self._begun.add(task)  # nobody else holds on to it
        task.add_done_callback(self._begun.discard)

    async def _see_through(self, work: Coroutine[Any, Any, object]) -> None:
        try:
            await work
        except Exception:
            self.wonder("work could not be done")

    @property
    def is_busy(self) -> bool:
        """Whether something is going on; a second click then does nothing."""
        return bool(self.state.data.busy)

    async def run(self, what: str, function: Callable[[], T]) -> T | None:
        """What a function gives; None, and a sentence on the page, where it fails."""
        with self._server.state:
            self.state.data.busy, self.state.data.problem = what, ""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, function)
        except DataError as error:
            self.complain(str(error))
        except MemoryError:
            self.complain(TOO_LARGE)
        except Exception:
            self.wonder(f"{what.lower()} has failed")
        finally:
            with self._server.state:
                self.state.data.busy = ""
        return None

    async def share(self, function: Callable[[], T]) -> T:
        """What a function gives, run between the others without a word; nothing waits for it but its caller."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, function)

    def wonder(self, what: str) -> None:
        """Log the error that is being handled and that nobody foresaw, and say what to do."""
        logging.getLogger(__name__).exception(what)
        self.complain(WENT_WRONG)

    def forget_problem(self) -> None:
        """Something else is being done: what was wrong before is no news."""
        if self.state.data.problem:
            self.complain("")

    def complain(self, problem: str) -> None:
        """Say what is wrong."""
        with self._server.state:
            self.state.data.problem = problem
