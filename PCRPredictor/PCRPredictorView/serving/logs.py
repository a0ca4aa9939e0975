"""What goes wrong unexpectedly, on the terminal: a line each, no traces, and nothing that a browser says."""

from __future__ import annotations

import logging
import time

_TALKATIVE = ("aiohttp.server", "trame_server", "trame_slicer", "wslink")  # of every request that makes no sense
_LONGEST = 300  # characters
_AGAIN = 60.0  # seconds that a message is not repeated


class OneLine(logging.Formatter):
    """The message, and the kind of the error."""

    def format(self, record: logging.LogRecord) -> str:
        """A line."""
        error = record.exc_info[1] if record.exc_info else None
        kind = f" ({type(error).__name__})" if error is not None else ""
        return f"pcr view: {' '.join(record.getMessage().split())[:_LONGEST]}{kind}"


class NotAgain(logging.Filter):
    """Holds back what was said a moment ago: a flood of requests must not fill the disk."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to say it."""
        now, message = time.monotonic(), str(record.msg)
        self._said = {said: when for said, when in self._said.items() if now - when < _AGAIN}
        return self._said.setdefault(message, now) == now


def log_in_one_line() -> None:
    """For this process."""
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine())
    handler.addFilter(NotAgain())
    logging.basicConfig(level=logging.ERROR, handlers=[handler], force=True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
