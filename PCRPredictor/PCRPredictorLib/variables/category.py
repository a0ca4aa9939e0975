"""A variable with a fixed list of values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from ..answers import read_word

_NEGATIONS = {"no", "not", "non", "without", "never", "nicht", "kein", "keine", "ohne", "pas", "sans", "sin", "senza"}
_NEGATIONS |= {"nie", "nunca", "mai", "niet", "geen", "sem", "nao", "bez", "ikke", "inte", "ei", "yok", "degil"}
_JOINED = re.compile(r"\s*(?:[+/,;&]|\band\b)\s*")


@dataclass(frozen=True)
class Category:
    """A variable with a fixed list of values.

    Args:
        name: key in tables and on the command line.
        label: shown to the user.
        codings: value to the ways of writing it, lower case. Of a longer text, only the words before the first
            bracket or comma count: "post (>12 months since LMP)" is "post". They must not deny or name two values.
        combined: a text may name several things, joined by "+", "/", "," or "and", as drugs are. All must be known, and
            the value is the first of the list that one of them is.
        optional: fitted last, so that a patient without it has the logit of a model that does not know it.
    """

    name: str
    label: str
    codings: Mapping[str, Sequence[str]]
    combined: bool = False
    optional: bool = False
    measured: ClassVar[bool] = False

    @property
    def width(self) -> int:
        """Return the number of network inputs: one per value, all 0 if it is missing."""
        return len(self.codings)

    @property
    def allowed(self) -> str:
        """Return the values that may be given, in words."""
        return ", ".join(self.codings) + ", or unknown"

    def parse(self, text: str) -> str:
        """Return the value, as the schema names it.

        Raises:
            ValueError: if it is outside the schema.
        """
        text = text.lower()
        for written in (text, text.removesuffix(".0"), read_word(text) or text):
            if (value := self._find(written)) is not None:
                return value
        return self._parse_combined(text) if self.combined else self._parse_words(text)

    def _parse_words(self, text: str) -> str:
        words = re.findall(r"[a-z]+", re.split(r"[(,;]", text)[0])
        found = {value for value in map(self._find, words) if value is not None}
        if len(found) != 1 or _NEGATIONS.intersection(words):
            raise ValueError
        return found.pop()

    def _parse_combined(self, text: str) -> str:
        parts = [part for part in _JOINED.split(text.strip()) if part]
        found = {self._find(part) for part in parts}
        if not found or None in found:
            raise ValueError
        return next(value for value in self.codings if value in found)

    def _find(self, written: str) -> str | None:
        return next((value for value, ways in self.codings.items() if written in {value.lower(), *ways}), None)

    def encode(self, value: float | str | None) -> list[float]:
        """Return a one-hot vector, all 0 if the value is missing."""
        return [float(value == known) for known in self.codings]

    def describe(self, value: float | str | None) -> str:
        """Return the value as text, with its unit."""
        return "unknown" if value is None else str(value)
