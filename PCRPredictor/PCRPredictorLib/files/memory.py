"""Memory that may still be taken: of the machine, of its container or batch job, and by the limits of this process.

On Linux memory is given before it is there, and a process that takes too much is killed without a word. So what a file
will need is compared with what is free before it is read.

Sources: Linux kernel, Documentation/admin-guide/cgroup-v1/memory.rst and cgroup-v2.rst; getrlimit(2).
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ..errors import DataError
from .ledger import noted

try:
    import psutil
except ImportError:  # not yet installed in 3D Slicer
    psutil = None

_LEFT = 0.1  # of the free memory that is left to others
_CGROUPS = Path("/sys/fs/cgroup")
_UNLIMITED = 1 << 60  # bytes; what cgroups write for no limit is larger
_FILES = (  # of a group: its limit, what it uses, and the line of memory.stat that counts what can be taken back
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)
_LITTLE = 64 << 20  # bytes; less is not told to other processes
_copies = 1
_reserved = 0  # bytes that threads of this process are about to take
_lock = threading.Lock()


@contextmanager
def reserved(needed: int, name: str) -> Iterator[None]:
    """Reserve memory for the time in which a file is read; what is read at the same time counts together.

    That is what other threads read, and other processes of this user on this machine.

    Args:
        needed: bytes.
        name: of what needs it, for the message.

    Raises:
        DataError: if more is needed than is free.
    """
    global _reserved
    if not needed:  # of a header; to ask the system takes longer than to read it
        yield
        return
    needed *= _copies

    def check(of_others: int) -> None:
        free = free_memory()
        if free is not None and needed > (left := max(free - _reserved - of_others, 0)):
            raise DataError(
                f"{name}: needs {needed / 2**30:.2g} GB of memory, and {left / 2**30:.2g} GB may be used; close other "
                "programs, allow more, or crop the images"
            )

    with ExitStack() as stack:
        with _lock:
            if needed < _LITTLE:
                check(0)
            else:
                stack.enter_context(noted(needed, check))
            _reserved += needed
        try:
            yield
        finally:
            with _lock:
                _reserved -= needed


def expect_copies(number: int) -> None:
    """Reserve for everything that is read a multiple of its size, as this process goes on to hold copies of it."""
    global _copies
    _copies = number


def free_memory() -> int | None:
    """Return the bytes that this process may still take, None if the system does not report them."""
    found = [_free_of_machine(), *_free_of_groups(), *_free_of_process()]
    known = [free for free in found if free is not None]
    return int((1 - _LEFT) * max(min(known), 0)) if known else None


def total_memory() -> int | None:
    """Return the bytes of the machine, or of the container or batch job; None if the system does not report them."""
    found = [] if psutil is None else [int(psutil.virtual_memory().total)]
    if sys.platform == "linux":
        limits = [_number(folder / limit) for folder in _groups() for limit, _, _ in _FILES]
        found += [most for most in limits if most is not None and most < _UNLIMITED]
    return min(found, default=None)


def _free_of_machine() -> int | None:
    return None if psutil is None else int(psutil.virtual_memory().available)


def _free_of_groups() -> Iterator[int]:
    """Yield what each group of processes may still take to which this one belongs, such as a container or a job."""
    if sys.platform != "linux":
        return
    for folder in _groups():
        for limit, usage, cache in _FILES:
            most, used = _number(folder / limit), _number(folder / usage)
            if most is not None and used is not None and most < _UNLIMITED:
                yield most - used + _cached(folder / "memory.stat", cache)


def _groups() -> set[Path]:
    """Return the folders of the groups, and of those that hold them."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return set()
    found = set()
    for line in lines:
        number, controllers, place = (*line.split(":", 2), "", "")[:3]
        top = _CGROUPS if number == "0" else _CGROUPS / "memory"
        if number == "0" or "memory" in controllers.split(","):
            own = top / place.strip("/")
            found |= {top, *(each for each in (own, *own.parents) if top in each.parents)}
    return found


def _cached(file: Path, name: str) -> int:
    """Return the bytes of files that a group holds and gives back when it needs them."""
    try:
        lines = dict(line.split(None, 1) for line in file.read_text(encoding="ascii", errors="replace").splitlines())
        return int(lines.get(name, "0"))
    except (OSError, ValueError):
        return 0


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):  # no such limit, or the word "max"
        return None


def _free_of_process() -> Iterator[int]:
    """Yield what the limits of this process leave: of its addresses (`ulimit -v`) and of its data."""
    if sys.platform == "win32" or psutil is None:
        return
    import resource

    used = psutil.Process().memory_info()
    for kind, taken in ((resource.RLIMIT_AS, used.vms), (resource.RLIMIT_DATA, getattr(used, "data", used.rss))):
        most = resource.getrlimit(kind)[0]
        if most != resource.RLIM_INFINITY:
            yield most - taken
