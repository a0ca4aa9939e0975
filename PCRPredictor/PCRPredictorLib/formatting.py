"""Numbers as text: the one definition of a value and of a value with its interval; text from outside, made harmless."""

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from decimal import Context, Decimal

MISSING = "–"
_MOST_DIGITS = 20  # decimals of a percentage; two different numbers differ in them
_EXACT = Context(prec=200)  # more digits than a float has
# Characters that control a terminal, or turn or hide what follows; those that letters of some scripts need are left.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
_LONGEST = 1000  # characters of a sentence
# A cell that a spreadsheet computes, and one of ours that must be told from it. Source: OWASP, CSV Injection.
_COMPUTED = re.compile(r"'*(\s*[=+\-@\uff0b\uff0d\uff1d\uff20].|[\t\r])", re.DOTALL)
_ESCAPE = re.compile(r"\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U000[0-9a-f]{5})")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)


def make_visible(text: str) -> str:
    r"""Return text in which a character that controls a terminal, or turns or hides text, is shown, such as \x1b.

    Line breaks and tabs stay. Source: Boucher and Anderson, Trojan Source, USENIX Security 2023.
    """
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def as_line(text: str, longest: int = _LONGEST) -> str:
    """Return text from outside as one line that a terminal can show: see `make_visible`; the middle is left out of a
    text of more than `longest` characters.
    """
    line = make_visible(" ".join(text.splitlines()) if "\n" in text or "\r" in text else text).replace("\t", " ")
    if len(line) <= longest:
        return line
    end = longest // 3
    return f"{line[: longest - end - 5]} ... {line[-end:]}"


def as_cell(value: object) -> object:
    r"""Return a value for a table, which a spreadsheet does not compute and a terminal can show.

    Text that a spreadsheet would compute gets the apostrophe that makes it text. Characters that control a terminal, or
    are no text, are written as \x1b (`make_visible`); a backslash that stands before such letters as \x5c.
    """
    if not isinstance(value, str):
        return value
    if not value.isprintable() or "\\" in value:
        value = _ESCAPE.sub(lambda found: rf"\x5c{found[0][1:]}", value).replace("\r", r"\x0d")
        value = make_visible(value)
    return f"'{value}" if _COMPUTED.match(value) and not _NUMBER.fullmatch(value) else value


def from_cell(text: str) -> str:
    """Return the text that `as_cell` was given."""
    if text.startswith("'") and _COMPUTED.match(text) and not _NUMBER.fullmatch(text):
        text = text[1:]
    return _ESCAPE.sub(lambda found: chr(int(found[0][2:], 16)), text) if "\\" in text else text


def first_few(values: Iterable[object], most: int = 5) -> str:
    """Return the first values of a list in words, with ", ..." if there are more than `most`."""
    shown = [str(value) for value in values]
    return ", ".join(shown[:most]) + (", ..." if len(shown) > most else "")


def format_value(value: object, digits: int = 2, *, signed: bool = False) -> str:
    """Return "0.71", "0.71 (0.64 to 0.78)" or "auc 0.71, patients 40"; a dash if the value is missing.

    Args:
        value: a number; one with its interval, as `value`, `low` and `high`; several by name. Counts and text stay as
            they are. None and nan are missing. An interval without a bound is the value alone.
        digits: decimals.
        signed: write a plus before what is not negative.
    """
    if isinstance(value, Mapping):
        if "value" not in value:
            return ", ".join(f"{name.replace('_', ' ')} {format_value(found, digits)}" for name, found in value.items())
        text, low, high = (format_value(value.get(key), digits, signed=signed) for key in ("value", "low", "high"))
        return text if MISSING in (text, low, high) else f"{text} ({low} to {high})"
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return MISSING
    if not isinstance(value, float):
        return str(value)
    rounded = round(value, digits) + 0.0  # never "−0.00"
    return format(rounded, f"{'+' if signed else ''}.{digits}f").replace("-", "−")


def describe_duration(seconds: float) -> str:
    """Return "40 s", "12 min" or "3.5 hours"."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} hours"


def count(number: int, noun: str) -> str:
    """Return a count with its noun: "1 patient", "2 patients"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def as_whole(value: object) -> object:
    """Return a number without a fraction as an integer, and anything else as it is: 27.0 is 27."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def format_entered(value: object) -> str:
    """Return a value that was entered as text, a whole number without ".0"; "" for one that is unknown."""
    return "" if value is None else f"{value:.15g}" if isinstance(value, float) else str(value)


def format_volume(ml: float) -> str:
    """Return a volume with its unit, "0.47 ml" or "7.8 ml"."""
    return f"{ml:.{1 if ml >= 1 else 2}f} ml"


def format_diameters(three_mm: Iterable[float]) -> str:
    """Return the diameters of `lesion.measurements.diameters_of` with their unit, "28 × 26 × 23 mm"."""
    return " × ".join(f"{size:.0f}" for size in three_mm) + " mm"


def format_percent(share: float) -> str:
    """Return a share in [0, 1] as "26 %", with decimals if it would read 0 or 100 % and is neither."""
    return f"{_percent(share, _least_digits(share))} %"


def format_beside(share: float, threshold: float) -> tuple[str, str]:
    """Return a share and the threshold that it is compared with, both in [0, 1], as "26 %" and "26.2 %".

    They have as many decimals as it takes to read as they compare: 0.2618 is below 0.26185, so "26 %" and "26.2 %", and
    0.264 is above it, so "26.4 %" and "26.2 %".
    """
    least = _least_digits(share)
    for digits in range(_MOST_DIGITS):
        shown = _percent(share, max(digits, least)), _percent(threshold, max(digits, 1))
        if _order(share, threshold) == _order(*map(Decimal, shown)):
            break
    return f"{shown[0]} %", f"{shown[1]} %"


def _least_digits(share: float) -> int:
    """Return how many decimals keep a share from reading 0 or 100 % if it is neither."""
    return next((n for n in range(_MOST_DIGITS) if share in (0, 1) or 0 < float(_percent(share, n)) < 100), 0)


def _percent(share: float, digits: int) -> str:
    return format(_EXACT.multiply(Decimal(float(share)), 100), f".{digits}f")


def _order(one: float | Decimal, other: float | Decimal) -> int:
    return (one > other) - (one < other)


def name_result(*content: object) -> str:
    """Return a name of twelve hexadecimal digits for a result, which depends on its numbers and names no patient."""
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
