"""Events that a command sends to the program that started it, the Slicer module: one JSON object per line of stdout.

They are sent only if the environment variable BREASTPCR_CHILD is set. A child also ends when its standard input is
closed, that is, when its parent closes it, ends or crashes. This works on every system and through Slicer's launchers.
"""

import _thread
import json
import os
import sys
import threading
import time

CHILD = "BREASTPCR_CHILD"
_asked_to_end = threading.Event()
_is_program = False
_END_TIMEOUT_S, _ATTEMPTS = 3.0, 4  # time an interrupted command has to tidy up, and the number of interrupts


def begin_program() -> None:
    """Note that this process is the program `pcr`, not one that uses the library."""
    global _is_program
    _is_program = True


def is_program() -> bool:
    """Return True if this process is the program `pcr`."""
    return _is_program


def is_child() -> bool:
    """Return True if this command was started by a program that reads its events."""
    return bool(os.environ.get(CHILD))


def emit(event: str, **values: object) -> None:
    """Send an event to the parent, if there is one.

    Raises:
        KeyboardInterrupt: if the parent has asked this command to end; the interrupt itself may have been lost.
    """
    if _asked_to_end.is_set():
        raise KeyboardInterrupt
    if is_child():
        sys.stdout.write(json.dumps({"event": event, **values}) + "\n")
        sys.stdout.flush()


def end_with_parent() -> None:
    """Interrupt this command, as Ctrl-C does, as soon as its standard input is closed."""
    threading.Thread(target=_interrupt_when_closed, daemon=True).start()


def _interrupt_when_closed() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    _asked_to_end.set()
    for _ in range(_ATTEMPTS):  # an interrupt is lost if Python happens to ignore errors, as in an import's callback
        _thread.interrupt_main()
        time.sleep(_END_TIMEOUT_S)
    os._exit(130)
