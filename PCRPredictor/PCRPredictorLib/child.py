"""What a command tells the program that started it, the Slicer module: a JSON object a line on standard output.

Only while the environment variable BREASTPCR_CHILD is set. A child also ends when its standard input is closed, which
happens when its parent closes it, ends or crashes: on every system, and through the launchers that Slicer starts with.
"""

from __future__ import annotations

import _thread
import json
import os
import sys
import threading
import time

CHILD = "BREASTPCR_CHILD"
_asked = threading.Event()  # to end
_PATIENCE, _ATTEMPTS = 3.0, 4  # seconds that an interrupted command has to tidy up, and how often it is asked


def is_child() -> bool:
    """Whether a program listens."""
    return bool(os.environ.get(CHILD))


def tell(event: str, **values: object) -> None:
    """Tell the parent; does nothing without one.

    Raises:
        KeyboardInterrupt: if the parent has asked for the end: the interrupt itself may have been lost.
    """
    if _asked.is_set():
        raise KeyboardInterrupt
    if is_child():
        sys.stdout.write(json.dumps({"event": event, **values}) + "\n")
        sys.stdout.flush()


def end_with_parent() -> None:
    """From now on, closing standard input interrupts this command as Ctrl-C does."""
    threading.Thread(target=_wait_for_the_end, daemon=True).start()


def _wait_for_the_end() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    _asked.set()
    for _ in range(_ATTEMPTS):  # an interrupt is lost where Python happens to ignore errors, as in an import's callback
        _thread.interrupt_main()
        time.sleep(_PATIENCE)
    os._exit(130)
