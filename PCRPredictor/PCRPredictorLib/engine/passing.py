"""Failures for a reason that may pass: a file that is not there for a moment, a connection, memory."""

import errno

from ..errors import TOO_LARGE

_NAMES = (
    *("EAGAIN", "EBUSY", "EIO", "EMFILE", "ENFILE", "ENODEV", "ENOENT", "ENOLCK", "ENOMEM", "ENXIO", "ESTALE"),
    *("ECONNABORTED", "ECONNREFUSED", "ECONNRESET", "EHOSTDOWN", "EHOSTUNREACH", "ENETDOWN", "ENETRESET"),
    *("ENETUNREACH", "ENOTCONN", "EREMOTEIO", "ETIMEDOUT"),
)
_NUMBERS = {getattr(errno, name) for name in _NAMES if hasattr(errno, name)}
_HELD, _NETWORK = {32, 33}, {53, 55, 59, 64, 67, 121, 1231, 1236}  # of Windows: by a program; a drive that is gone


def may_pass(error: BaseException, *, missing_files: bool = True) -> bool:
    """Return True if an error, or one that it was raised for, is of the system and may not occur again.

    Args:
        missing_files: a file that is not there may come back, as on a drive that is gone for a moment.
    """
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        if _is_passing(each) and (missing_files or not isinstance(each, FileNotFoundError)):
            return True
        waiting += [each.__cause__, each.__context__]
    return False


def _is_passing(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in _NUMBERS or getattr(error, "winerror", None) in _HELD | _NETWORK
    return isinstance(error, MemoryError) or str(error) == TOO_LARGE
