"""A forked child that reads one input with limits of memory, CPU and time, so that any crash is seen."""

import contextlib
import os
import resource
import signal
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

from .format import Face

_UNCAUGHT = 99  # exit code of the child after an error that nobody caught


@dataclass(frozen=True)
class Ending:
    """How the reading of an input ended.

    Args:
        code: exit code; negative for a signal.
        out, err: what it wrote to standard output and standard error.
        megabytes: at most, beyond what it shares with its parent; pages of libraries that it touches count, too.
        seconds: of CPU.
    """

    code: int
    out: str
    err: str
    megabytes: float
    seconds: float


def load_program() -> None:
    """Import what the readers need, once for all children."""
    import matplotlib.pyplot  # noqa: F401
    import PCRTrainingLib.command_line
    import PCRTrainingLib.response.measure  # noqa: F401
    import torch
    from PCRPredictorLib import network, outputs  # noqa: F401
    from PCRPredictorLib.follow import files  # noqa: F401

    torch.set_num_threads(1)


def read_in_child(face: Face, work: Path, memory: int = 1500, seconds: int = 30) -> Ending:
    """Run a face on `work/in`, with results in `work/out` and temporary files in `work/tmp`.

    Args:
        face: what reads.
        work: folder; it is the current one.
        memory: MB that it may use beyond what it starts with; twice that ends in a `MemoryError`.
        seconds: of CPU that it may use; ten times that on the clock.
    """
    streams = work / "stdout", work / "stderr"
    before = _private(os.getpid())
    child = os.fork()
    if child == 0:
        _be_child(face, work, streams, memory, seconds)
    status, usage = _wait(child, 10 * seconds)
    texts = [stream.read_text(encoding="utf-8", errors="replace") for stream in streams]
    for stream in streams:
        stream.unlink()
    code = os.waitstatus_to_exitcode(status)
    used = usage.ru_maxrss / 1024 - before
    return Ending(code, *texts, max(used, 0.0), usage.ru_utime + usage.ru_stime)


def _be_child(face: Face, work: Path, streams: tuple[Path, Path], memory: int, seconds: int) -> None:
    """Run the face and end; never returns."""
    code = _UNCAUGHT
    try:
        os.setpgid(0, 0)
        for number, stream in enumerate(streams, 1):
            os.dup2(os.open(stream, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.stdout, sys.stderr = os.fdopen(1, "w", encoding="utf-8"), os.fdopen(2, "w", encoding="utf-8")
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        limit = (_size(os.getpid()) + 2 * memory) * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        resource.setrlimit(resource.RLIMIT_FSIZE, (2**30, 2**30))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.environ["TMPDIR"] = str(work / "tmp")
        import tempfile

        tempfile.tempdir = str(work / "tmp")
        os.chdir(work)
        code = face(work / "in", work / "out")
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
        os._exit(code & 0xFF)


def _wait(child: int, seconds: float) -> tuple[int, resource.struct_rusage]:
    """Wait for a child, and end it with its own children if it takes too long."""
    end = time.monotonic() + seconds
    pause = 0.002
    while True:
        found, status, usage = os.wait4(child, os.WNOHANG)
        if found:
            return status, usage
        if time.monotonic() > end:
            os.kill(child, signal.SIGKILL)
        time.sleep(pause)
        pause = min(pause * 1.3, 0.05)


def _size(process: int) -> int:
    """Return the address space of a process in MB."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[0]) * resource.getpagesize() >> 20


def _private(process: int) -> float:
    """Return the memory of a process in MB that is no file's: what a child has from its start on."""
    _, resident, of_files = Path(f"/proc/{process}/statm").read_text().split()[:3]
    return (int(resident) - int(of_files)) * resource.getpagesize() / 2**20
