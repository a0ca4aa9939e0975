"""What a session is doing and what went wrong: one piece of work at a time, and those who want to know."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ..report.wording import Translate
from .face import Worker

TOO_LARGE = "the exam takes more memory than this machine gives; crop it, or close other programs"


class Activity:
    """Runs work on the worker, and calls those who listen.

    Args:
        worker: where work runs.
        translate: a sentence into the face's language.

    Attributes:
        on_change: functions to call when anything of the session has changed.
        on_problem: functions to call with a sentence about what went wrong, and with "" when it is no news any more.
        doing: what is running, in words; "" if nothing.
        problem: what went wrong last; "" if it is no news any more.
        message: what was done last, in words.
    """

    def __init__(self, worker: Worker, translate: Translate = str) -> None:
        self._worker, self.translate = worker, translate
        self.on_change: list[Callable[[], object]] = []
        self.on_problem: list[Callable[[str], object]] = []
        self.doing = self.problem = self.message = ""
        self._job = 0

    def start(self, doing: str, work: Callable[[], Any], done: Callable[[Any], object]) -> None:
        """Run a function, then `done` with its result, unless it was cancelled; an error is reported."""
        self._job += 1
        self.forget_problem()
        self.doing = doing
        self._worker.start(work, partial(self._finish, self._job, done), partial(self._finish, self._job, self._fail))
        self.emit()

    def cancel(self) -> None:
        """Wait no longer for what is running; its result is dropped."""
        if self.doing:
            self._job += 1
            self.doing, self.message = "", self.translate("Cancelled.")
        self.emit()

    def report_problem(self, sentence: str) -> None:
        """Report what went wrong, or with "" that it is no news any more."""
        self.problem = sentence
        self.emit()  # first, as a dialog holds up what comes after it
        for listener in self.on_problem:
            listener(sentence)

    def forget_problem(self) -> None:
        """Something else is being done: what went wrong before is no news."""
        if self.problem:
            self.report_problem("")

    def emit(self) -> None:
        """Call those who listen."""
        for listener in self.on_change:
            listener()

    def _finish(self, job: int, act: Callable[[Any], object], found: Any) -> None:  # noqa: ANN401  result or error
        if job != self._job:  # cancelled
            return
        self.doing = ""
        act(found)
        self.emit()

    def _fail(self, error: Exception) -> None:
        self.report_problem(TOO_LARGE if isinstance(error, MemoryError) else str(error))
