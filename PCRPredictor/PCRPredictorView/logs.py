"""What goes wrong unexpectedly, on the terminal: a line each, no traces, and nothing that a browser says."""

from __future__ import annotations

import logging

_TALKATIVE = ("aiohttp.server", "trame_server", "trame_slicer", "wslink")  # of every request that makes no sense
_LONGEST = 300  # characters


class OneLine(logging.Formatter):
    """The message, and the kind of the error."""

    def format(self, record: logging.LogRecord) -> str:
        """A line."""
        error = record.exc_info[1] if record.exc_info else None
        kind = f" ({type(error).__name__})" if error is not None else ""
        return f"pcr view: {' '.join(record.getMessage().split())[:_LONGEST]}{kind}"


def log_in_one_line() -> None:
    """For this process."""
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine())
    logging.basicConfig(level=logging.ERROR, handlers=[handler], force=True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
