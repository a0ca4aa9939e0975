"""The words of a command line before they are parsed: what a shell, a variable or a paste may have done to them."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

from ..errors import CallError

_OF_ALL = ("--help", "--version", "--install-completion", "--show-completion")  # options of pcr itself
_WINDOWS = re.compile(r"[A-Za-z]:\\")


def tidy_words(words: Sequence[str], once: Collection[str]) -> list[str]:
    """Return the words with `~` as the user's folder, which a shell leaves as it is in quotes.

    Args:
        once: options that have one value.

    Raises:
        CallError: if a word is empty, a path is of another system, or an option of `once` is given twice.
    """
    given = Counter(word.split("=")[0] for word in words if word.startswith("--"))
    if twice := [name for name in given if name in once and given[name] > 1]:
        raise CallError(f"{twice[0]} must be given once, got it {given[twice[0]]} times; leave one out")
    for before, word in zip(["", *words], words, strict=False):
        if not word and before != "--out":
            raise CallError(f"a word of the command is empty, after {before or 'its name'}; is a variable not set?")
        if sys.platform != "win32" and _WINDOWS.match(word):
            raise CallError(f"{word} is a path of Windows; give it as this system names it, such as /mnt/c/...")
    return [_at_home(word) for word in words]


def check_values(words: Sequence[str], valued: Collection[str]) -> None:
    """Refuse an option that is followed by the next option, or by nothing, instead of its value.

    Args:
        valued: options that have a value.

    Raises:
        CallError: naming it.
    """
    for word, after in zip(words, [*words[1:], ""], strict=False):
        if word in valued and (not after or after.startswith("--")) and word != "--out":
            raise CallError(f"{word} must be followed by its value, got {after or 'nothing'}; see --help")


def misplaced_option(words: Sequence[str], commands: Collection[str]) -> str:
    """Return what is wrong with a call whose first word is an option of a command; "" if nothing is.

    Args:
        words: of the command line, without `pcr`.
        commands: their names.
    """
    command = next((word for word in words if word in commands), None)
    if not words or not words[0].startswith("-") or words[0].startswith(_OF_ALL) or command is None:
        return ""
    return f"{words[0]} must be written behind the command; write pcr {command} {words[0]} ..., got pcr {words[0]} ..."


def explain_number(text: str, given: Sequence[str]) -> str:
    """Return what typer says of a value that is no number, with the value and what to do.

    Args:
        text: of typer.
        given: words of the option or argument.
    """
    problem = text.partition(", unable to parse")[0]
    got = f"{problem}, got {' '.join(given)}" if given else problem
    has_comma = any("," in word for word in given)
    return f"{got}; write 0.5 for a decimal, and several values with blanks between them" if has_comma else got


def _at_home(word: str) -> str:
    if (word != "~" and not word.startswith("~/")) or Path(word).exists():
        return word
    return str(Path(word).expanduser())
