"""Ctrl-C and SIGTERM: the first ends the watch after the study that is being predicted, a second one at once."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

_SLICE = 0.5  # seconds; on Windows a wait is not ended by Ctrl-C


class Stopped(Exception):
    """End a watch because that was asked for."""


@dataclass
class Stopping:
    """Whether the end was asked for.

    Args:
        say: called with a sentence if a study is being predicted then.
        busy: True while a study is being predicted.
    """

    say: Callable[[str], None] = lambda _: None
    busy: bool = False
    _asked: threading.Event = field(default_factory=threading.Event)

    @property
    def asked(self) -> bool:
        """Return True if the end was asked for."""
        return self._asked.is_set()

    def ask(self) -> None:
        """Ask for the end."""
        self._asked.set()

    def wait(self, seconds: float) -> None:
        """Wait.

        Raises:
            Stopped: if the end is asked for before or meanwhile.
        """
        end = time.monotonic() + seconds
        while not self._asked.is_set() and (left := end - time.monotonic()) > 0:
            self._asked.wait(min(left, _SLICE))
        if self._asked.is_set():
            raise Stopped

    def hear(self) -> bool:
        """Take a signal; return False if it is not the first."""
        if self._asked.is_set():
            return False
        self._asked.set()
        if self.busy:
            self.say("stops after this study; once more: at once")
        return True


@contextmanager
def stopping_on_signals(stopping: Stopping) -> Iterator[Stopping]:
    """Let Ctrl-C and SIGTERM ask for the end; in the main thread alone, as Python demands.

    Raises:
        KeyboardInterrupt: at the second one, as the handlers that were there do.
    """
    if threading.current_thread() is not threading.main_thread():
        yield stopping
        return

    def hear(number: int, frame: FrameType | None) -> None:
        if not stopping.hear():
            handler = before[signal.Signals(number)]
            (handler if callable(handler) else signal.default_int_handler)(number, frame)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, hear)
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
