"""Numbers as text: the one definition of a value and of a value with its interval, for reports, cards and panels."""

import math
from collections.abc import Mapping

MISSING = "–"


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


def count(number: int, noun: str) -> str:
    """Return a count with its noun: "1 patient", "2 patients"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def format_volume(ml: float) -> str:
    """Return a volume with its unit, "0.47 ml" or "7.8 ml"."""
    return f"{ml:.{1 if ml >= 1 else 2}f} ml"
