"""Ctrl-C ends a command at any moment in one line and with exit code 130; `start` is where the program `pcr` begins.

An interrupt may be lost, as in an import's callback, or become a different error. So it is raised again until the
command ends, and any error after it is its consequence. Little is imported here: it must be heard first.
"""

from __future__ import annotations

import _thread
import atexit
import os
import signal
import sys
import threading
import time
from contextlib import contextmanager
from importlib import import_module

TYPE_CHECKING = False  # without loading `typing`
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any, NoReturn

INTERRUPTED = 130  # exit code
RESUME = "--resume"
_GO_ON = {  # word that makes a command go on after a stop; "" for those that go on if they are given again
    **dict.fromkeys(("train", "select", "experiment"), RESUME),
    **dict.fromkeys(("import", "federate"), ""),
}
_SIGNALS = (signal.SIGINT, signal.SIGTERM)  # SIGTERM ends as Ctrl-C does, with nothing left behind
_AGAIN_S, _ATTEMPTS = 1.0, 15  # until a lost interrupt is raised again; after the last one, the process just ends
_END_S = 3.0  # that a process may take to end after its line
_heard = False  # that the user wants the command to end
_words: Sequence[str] = ()  # of the command line, without pcr


def was_interrupted() -> bool:
    """Return True if the user has asked this command to end."""
    return _heard


@contextmanager
def hearing(words: Sequence[str]) -> Iterator[None]:
    """Hear Ctrl-C during the block, if it runs in the main thread; the handlers that were there return after it.

    Args:
        words: of the command line, without `pcr`.
    """
    global _heard, _words
    _words = words
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _interrupt) for number in _SIGNALS}
    hooks = sys.unraisablehook, threading.excepthook
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        sys.unraisablehook, threading.excepthook = hooks
        if _heard:
            _log(True)
        _heard = False


def _interrupt(_number: int, _frame: object) -> None:
    """Raise the interrupt, unless the command is ending by one already."""
    global _heard
    first, _heard = not _heard, True
    if first:
        _log(False)  # errors of libraries, callbacks and threads have the end as their cause
        sys.unraisablehook = threading.excepthook = _ignore
        _thread.start_new_thread(_insist, ())  # not by `threading`, whose lock the main thread may hold
    if first or not _is_ending():
        raise KeyboardInterrupt


def _ignore(_error: object) -> None:
    pass


def _log(wanted: bool) -> None:
    """Switch the log of all libraries on or off, if it is loaded."""
    disable = getattr(sys.modules.get("logging"), "disable", None)
    if disable is not None:
        disable(0 if wanted else 50)


def _is_ending() -> bool:
    """Return True if the main thread, which calls this, is tidying up after an interrupt."""
    error = sys.exc_info()[1]
    while error is not None:
        if isinstance(error, KeyboardInterrupt | SystemExit):
            return True
        error = error.__context__
    return False


def _insist() -> None:
    for _ in range(_ATTEMPTS):
        time.sleep(_AGAIN_S)
        if not _heard:
            return
        _thread.interrupt_main()
    write_interrupted()
    os._exit(INTERRUPTED)


def write_interrupted() -> None:
    """Write the line that an interrupted command ends with to standard error."""
    os.write(2, f"pcr: {describe_interrupt(_words)}\n".encode(errors="backslashreplace"))


def describe_interrupt(words: Sequence[str]) -> str:
    """Return what an interrupted command says: how to go on, if what was done is kept.

    Args:
        words: of the command line, without `pcr`.
    """
    more = _GO_ON.get(next((word for word in words if not word.startswith("-")), ""))
    if words[:1] == ["predict"] and any(word.partition("=")[0] == "--cohort" for word in words):
        more = RESUME
    if words[:2] == ["pacs", "watch"]:
        more = ""
    if more is None:
        return "interrupted; give the command again to begin anew"
    words = [*words, *([more] if more and more not in words else [])]
    return f"interrupted; what was done is kept, go on with: {as_command(words)}"


def as_command(words: Sequence[str]) -> str:
    """Return a command line of `pcr` that can be pasted into a shell."""
    import shlex
    import subprocess

    return f"pcr {subprocess.list2cmdline(words) if sys.platform == 'win32' else shlex.join(words)}"


def start() -> NoReturn:
    """Run the program `pcr`: hear Ctrl-C, then load everything else."""
    global _words
    _words = sys.argv[1:]
    for number in _SIGNALS:
        signal.signal(number, _interrupt)
    code = INTERRUPTED
    try:
        command_line: Any = import_module("PCRTrainingLib.command_line")
        command_line.use_utf8()
        command_line.silence_libraries()
        import_module("PCRPredictorLib.child").begin_program()
        code = command_line.run(command_line.app)
    except BaseException:
        if not _heard:
            raise
        write_interrupted()
    finally:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)  # all that is left to do is to end
    if code == INTERRUPTED:
        _thread.start_new_thread(_end_soon, ())
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # the line is the last one, whatever libraries have to say
        _end_now()
    sys.exit(code)


def _end_now() -> NoReturn:
    """End the process after its threads and what was registered for its end, without taking the interpreter down.

    Python would then end threads that still work wherever they are; in C++ code of torch, this aborts the process.
    """
    try:
        getattr(threading, "_shutdown", lambda: None)()  # waits for threads that are no daemons, and pools
        atexit._run_exitfuncs()
        sys.stdout.flush()
    finally:
        os._exit(INTERRUPTED)


def _end_soon() -> None:
    """End the process although threads of libraries still work."""
    time.sleep(_END_S)
    os._exit(INTERRUPTED)
