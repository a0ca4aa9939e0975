"""Dialogs about what went wrong: a sentence, and, if nobody expected it, details that can be copied."""

from __future__ import annotations

import re
from typing import Any

import qt
import slicer
from PCRPredictorLib.errors import TOO_LARGE, trace_of

_FRAME = re.compile(r'File "(?:[^"]*[/\\])?([^"/\\]+)", line (\d+), in (\S+)')
_KIND = re.compile(r"^(\w+(?:\.\w+)*)(?::|$)")


def show_problem(problem: str | Exception, title: str, details: str = "") -> None:
    """Show one message.

    Args:
        problem: a sentence, or an error.
        title: of the dialog.
        details: to be copied into a report; those of an error are its kind and places.
    """
    if isinstance(problem, Exception):
        details = details or trace_of(problem)
        problem = TOO_LARGE if isinstance(problem, MemoryError) else str(problem) or type(problem).__name__
    more: dict[str, Any] = {"textFormat": qt.Qt.PlainText} | ({"detailedText": details} if details else {})
    slicer.util.errorDisplay(problem, windowTitle=title, **more)


def trace_in(output: str) -> str:
    """Return kind and places of the error that a child process wrote, "" if it reported a sentence only.

    What the error says is left out: it may hold a patient's name.
    """
    places = [f"{name}, line {line}, in {function}" for name, line, function in _FRAME.findall(output)]
    if not places:
        return ""
    kind = _KIND.match(output.strip().splitlines()[-1])
    return "\n".join([kind[1] if kind else "Error", *places])
