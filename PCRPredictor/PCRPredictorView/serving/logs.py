"""Unexpected errors on the terminal: one line each, no traces, and nothing that a browser has sent."""

from __future__ import annotations

import logging
import time

_SILENT = ("aiohttp.server", "trame_server", "trame_slicer", "wslink")  # log every malformed request
_LONGEST = 300  # characters
_AGAIN = 60.0  # seconds for which a message is not repeated


class OneLine(logging.Formatter):
    """Writes the message and the kind of the error."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        error = record.exc_info[1] if record.exc_info else None
        kind = f" ({type(error).__name__})" if error is not None else ""
        return f"pcr view: {' '.join(record.getMessage().split())[:_LONGEST]}{kind}"


class NoRepeats(logging.Filter):
    """Drops recent messages: a flood of requests must not fill the disk."""

    def __init__(self) -> None:
        super().__init__()
        self._recent: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Report if a message is not a repeat."""
        now, message = time.monotonic(), str(record.msg)
        self._recent = {text: when for text, when in self._recent.items() if now - when < _AGAIN}
        return self._recent.setdefault(message, now) == now


def log_in_one_line() -> None:
    """Set up the logging of this process."""
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine())
    handler.addFilter(NoRepeats())
    logging.basicConfig(level=logging.ERROR, handlers=[handler], force=True)
    for name in _SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
