"""Memory that other processes of this user are about to take: each notes it in a file, which it holds while it does.

Free memory is less only when it is used, so that several processes that read at once would each see it as theirs.
A file that nobody holds is of a process that has ended. Where files cannot be held, as on Windows, nothing is noted.
"""

import contextlib
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_ALL = ".all"  # held while the others are counted and a new file is written


@contextmanager
def noted(needed: int, check: Callable[[int], object]) -> Iterator[None]:
    """Note for a while that this process is about to take memory.

    Args:
        needed: bytes.
        check: called first with the bytes that the others have noted; it may raise.
    """
    folder = _folder()
    if fcntl is None or folder is None:
        check(0)
        yield
        return
    with (folder / _ALL).open("ab") as everything:
        fcntl.flock(everything, fcntl.LOCK_EX)
        check(_count(folder))
        number, name = tempfile.mkstemp(prefix=f"{os.getpid()}-", dir=folder)
        fcntl.flock(number, fcntl.LOCK_EX)
        os.write(number, str(needed).encode())
    try:
        yield
    finally:
        Path(name).unlink(missing_ok=True)
        os.close(number)


def _folder() -> Path | None:
    """Return the folder of this user's files, None if it cannot be used or somebody else has made it."""
    if fcntl is None:
        return None
    folder = Path(os.environ.get("XDG_RUNTIME_DIR", "/tmp")) / f"breastpcr-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    return folder if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() else None


def _count(folder: Path) -> int:
    """Return what other processes have noted; remove what those that have ended have left."""
    total = 0
    for path in folder.iterdir():
        if path.name == _ALL or path.name.startswith(f"{os.getpid()}-"):
            continue
        with contextlib.suppress(OSError, ValueError), path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                path.unlink(missing_ok=True)
            except BlockingIOError:
                total += int(file.read(32) or 0)
    return total
