"""A sign of life of long work in a file or a pipe, where no bar moves: a line every few seconds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

from ..child import is_child
from ..formatting import as_line

EVERY_S = 9.0
SAME = 7  # times that a line must be due to be printed again if nothing has changed


@contextmanager
def lines_elsewhere(out: Console, describe: Callable[[], str]) -> Iterator[None]:
    """Print a line every `EVERY_S` during the block, unless a terminal shows bars, or a panel follows the events.

    A line that says the same as the last one is printed less often.

    Args:
        out: to print on.
        describe: returns the line.
    """
    if out.is_terminal or is_child():
        yield
        return
    ended = threading.Event()

    def print_lines() -> None:
        said, times = "", 0
        while not ended.wait(EVERY_S):
            line = as_line(describe())
            said, times = line, times + 1 if line == said else 0
            if times % SAME == 0:
                out.print(line, soft_wrap=True, markup=False)

    thread = threading.Thread(target=print_lines, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
