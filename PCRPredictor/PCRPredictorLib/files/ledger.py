"""Memory that other processes of this user are about to take: each notes it in a file's name, and holds the file.

Free memory is less only when it is used, so that several processes that read at once would each see it as theirs.
A file that nobody holds is of a process that has ended.
"""

import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from uuid import uuid4

_ALL = ".all"  # held while the others are counted and a new file is written
_UNUSABLE = (OSError, NotImplementedError)  # a folder that is read-only or full, or has no locks: then nothing is noted


@contextmanager
def noted(needed: int, check: Callable[[int], object]) -> Iterator[None]:
    """Note for a while that this process is about to take memory.

    Args:
        needed: bytes.
        check: called first with the bytes that the others have noted; it may raise.
    """
    from filelock import FileLock  # the panel, which reads headers, opens before packages are installed

    folder = _folder()
    if folder is None:
        check(0)
        yield
        return
    own = FileLock(folder / f"{os.getpid()}-{uuid4().hex}-{needed}")
    with ExitStack() as stack:
        try:
            stack.enter_context(FileLock(folder / _ALL))
            others = _count(folder)
        except _UNUSABLE:
            others = 0
        check(others)
        with suppress(*_UNUSABLE):
            own.acquire()
    try:
        yield
    finally:
        with suppress(*_UNUSABLE):  # or, on Windows, while it is counted
            own.release()
            Path(own.lock_file).unlink(missing_ok=True)


def _folder() -> Path | None:
    """Return the folder of this user's files, None if it cannot be used or somebody else has made it."""
    shared = "/tmp" if os.name == "posix" else tempfile.gettempdir()  # that of Windows is the user's own
    user = getattr(os, "getuid", int)()
    folder = Path(os.environ.get("XDG_RUNTIME_DIR", shared)) / f"breastpcr-{user}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    return folder if stat.S_ISDIR(found.st_mode) and found.st_uid == user else None


def _count(folder: Path) -> int:
    """Return what other processes have noted; remove what those that have ended have left."""
    from filelock import FileLock, Timeout

    total = 0
    for path in folder.iterdir():
        if path.name == _ALL or path.name.startswith(f"{os.getpid()}-"):
            continue
        with suppress(OSError, ValueError):
            try:
                with FileLock(path, timeout=0):
                    path.unlink(missing_ok=True)
            except Timeout:
                total += int(path.name.rpartition("-")[2])
    return total
