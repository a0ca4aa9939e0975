"""The words of a command line before they are parsed: what a shell, a variable or a paste may have done to them."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

from ..errors import CallError

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


def _at_home(word: str) -> str:
    if (word != "~" and not word.startswith("~/")) or Path(word).exists():
        return word
    return str(Path(word).expanduser())
