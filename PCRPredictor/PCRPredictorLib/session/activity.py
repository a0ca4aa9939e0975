"""The work of a session: one piece at a time, what went wrong, and the listeners that are called."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from ..errors import TOO_LARGE, DataError, trace_of
from ..report.wording import Translate
from .frontend import Worker

T = TypeVar("T")


class Activity:
    """Run work on the worker, report problems, and call the listeners.

    Args:
        worker: where work runs.
        translate: a sentence into the frontend's language.

    Attributes:
        on_change: functions to call when anything of the session has changed.
        on_error: what to do with errors of a kind instead of reporting them.
        on_problem: functions to call with a sentence about what went wrong, and with "" once it is withdrawn.
        doing: what is running, in words; "" if nothing.
        opening: title of the exam that is put in the place of the one that is shown, until that is done; "" if none.
        problem: what went wrong last; "" once it is withdrawn.
        details: where in the code it went wrong, to be copied into a report; "" unless it was unexpected.
        message: what was done last, in words.
    """

    def __init__(self, worker: Worker, translate: Translate = str) -> None:
        self._worker, self.translate = worker, translate
        self.on_change: list[Callable[[], object]] = []
        self.on_problem: list[Callable[[str], object]] = []
        self.on_error: dict[type[Exception], Callable[[Any], object]] = {}
        self.doing = self.opening = self.problem = self.details = self.message = ""
        self._job = 0

    def start(
        self,
        doing: str,
        work: Callable[[], Any],
        done: Callable[[Any], object],
        dropped: Callable[[], object] = int,
        opening: str = "",
    ) -> None:
        """Run a function, then `done` with its result, or `dropped` if it was cancelled; an error is reported."""
        self._job += 1
        self.forget_problem()
        self.doing, self.opening = doing, opening
        self._worker.start(work, *(partial(self._finish, self._job, act, dropped) for act in (done, self._fail)))
        self.emit()

    def attempt(self, read: Callable[[], T]) -> T | None:
        """Return the result of a quick function; None if work is running or, reported, if it raises DataError."""
        if self.doing:
            return None
        try:
            return read()
        except DataError as error:
            self.report_problem(str(error))
            return None

    def cancel(self) -> None:
        """Drop what is running, with its result."""
        if self.doing:
            self._job += 1
            self.doing, self.opening, self.message = "", "", self.translate("Cancelled.")
        self.emit()

    def report_problem(self, sentence: str, details: str = "") -> None:
        """Report what went wrong; "" withdraws the last report."""
        self.problem, self.details = sentence, details
        self.emit()  # first, as a dialog holds up what comes after it
        for listener in self.on_problem:
            listener(sentence)

    def forget_problem(self) -> None:
        """Withdraw the last problem and message, because something else is being done."""
        self.message = ""
        if self.problem:
            self.report_problem("")

    def succeed(self) -> None:
        """Call the listeners of changes; something was done, so that the last problem is withdrawn."""
        self.forget_problem()
        self.emit()

    def emit(self) -> None:
        """Call the listeners of changes."""
        for listener in self.on_change:
            listener()

    def _finish(self, job: int, act: Callable[[Any], object], dropped: Callable[[], object], found: Any) -> None:  # noqa: ANN401  result or error
        if job != self._job:  # cancelled
            dropped()
            return
        self.doing = ""
        act(found)
        if job == self._job:  # else it has opened another exam
            self.opening = ""
        self.emit()

    def _fail(self, error: Exception) -> None:
        if (act := self.on_error.get(type(error))) is not None:
            act(error)
            return
        self.report_problem(TOO_LARGE if isinstance(error, MemoryError) else str(error), trace_of(error))
