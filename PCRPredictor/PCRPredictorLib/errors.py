"""What is reported to users: the exception whose message is written for them, and warnings."""

from dataclasses import dataclass


class DataError(ValueError):
    """Report data that cannot be used, in one sentence: what is wrong and what to do.

    The command line prints the message and exits with 1; panel and page show it once.
    """


@dataclass(frozen=True)
class Notice:
    """Warn the reader of a result: `code` for programs, `message` in plain words for a radiologist."""

    code: str
    message: str
