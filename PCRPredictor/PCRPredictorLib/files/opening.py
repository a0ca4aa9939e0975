"""Files from outside are opened here: a pipe under a file's name would wait for ever, a device has no end."""

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

_NO_FILE = "it is a pipe, a device or a socket, not a file"


def open_file(path: Path) -> BufferedReader:
    """Open a file to be read.

    Raises:
        OSError: if it cannot be opened, or is no file; a pipe or a device is not touched.
    """
    _check_kind(path.stat().st_mode)
    return open(path, "rb", opener=_open)


def read_content(path: Path, most: int) -> bytes:
    """Return the content of a file, whatever size the system says it has.

    Args:
        most: bytes that it may have.

    Raises:
        OSError: see `open_file`.
        ValueError: if it has more; the message fits into a sentence.
    """
    with open_file(path) as stream:
        content = stream.read(most + 1)
        if len(content) > most:
            raise ValueError(f"it has {os.fstat(stream.fileno()).st_size >> 20} MB, at most {most // 10**6} are read")
    return content


def _open(path: str, flags: int) -> int:
    """Open without waiting for the other end of a pipe."""
    number = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    try:
        _check_kind(os.fstat(number).st_mode)  # it may have been replaced since
    except OSError:
        os.close(number)
        raise
    return number


def _check_kind(mode: int) -> None:
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # a folder has its own error
        raise OSError(errno.EINVAL, _NO_FILE)
