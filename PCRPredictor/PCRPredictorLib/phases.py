"""Choice of the pre-contrast, early and late phase among several, by their times and names."""

import re
from collections.abc import Sequence

import numpy as np

from .errors import DataError

EARLY_SECONDS = 120.0
_TIMES = re.compile(r"[-\d.,;\s]+")
_LONGEST_TIMES = 1000  # characters of a list of times
_PEAK_SECONDS = 60.0  # from the arrival of the contrast to the middle of the early phase
_WORDS = (  # in order of acquisition; a name is looked through from the first row to the last
    (r"pre|before|native|unenhanced|baseline|plain", 0.0),
    (r"early|first|peak", 1.0),
    (r"late|delayed|last", 1000.0),
)
_NOT_A_PHASE = re.compile(r"subtract|\bsub\b|minus|\bmip\b|attention|(?<![a-z])t2|stir|dwi|\badc\b", re.IGNORECASE)


def pick_phases(
    times: Sequence[float | None], injection: float | None = None, first_post: int | None = None
) -> tuple[int, int, int]:
    """Return the positions of the pre, early and late phase.

    Pre is the first phase and late the last. Early is one in between, from the first phase after contrast on:

    - If the time of the injection is known, early is nearest to 120 s after it.
    - If not, early is nearest to 120 s after the first phase, as in I-SPY2, where contrast is injected at once. But the
      injection may have come long after the first phase. The contrast is therefore taken to arrive when the first
      phase after it begins, and the middle of early is not before 60 s after that.
    - Without times, early is the first phase after contrast.

    Args:
        times: of the beginning of each phase in s, in order, None if unknown.
        injection: seconds on the same clock.
        first_post: position of the first phase after contrast; by default the first one after the injection, or the
            second of all.

    Raises:
        DataError: if there are fewer than three phases.
    """
    if len(times) < 3:
        raise DataError(f"an exam must have at least 3 phases, got {len(times)}; add the missing ones")
    known = [time for time in times if time is not None]
    first = find_first_post(times, injection) if first_post is None else first_post
    first = min(max(first, 1), len(times) - 2)
    early = first
    if len(known) == len(times):
        target = _early_target(known, first) if injection is None else injection + EARLY_SECONDS
        early = min(range(first, len(times) - 1), key=lambda k: abs(known[k] - target))
    return 0, early, len(times) - 1


def parse_times(text: object) -> list[float]:
    """Return the seconds of a list in a table's cell; empty if it is not one or they do not rise.

    People write "[0, 178.5, 265]", "0 178.5 265" or "0; 178,5; 265".
    """
    written = str(text)
    inner = written.strip().strip("[]()").strip()
    if len(written) > _LONGEST_TIMES or not _TIMES.fullmatch(inner):
        return []
    parts = inner.replace(",", ".").split(";") if ";" in inner else re.split(r"\s*,\s*|\s+", inner)
    try:
        times = [float(part) for part in parts]
    except ValueError:
        return []
    return times if all(np.diff(times) > 0) else []


def find_first_post(times: Sequence[float | None], injection: float | None = None) -> int:
    """Return the position of the first phase after contrast: the first that began after the injection, else 1.

    Args:
        times: of the beginning of each phase in s, in order, None if unknown.
        injection: seconds on the same clock, None if unknown.
    """
    if injection is None or None in times:
        return 1
    return next((k for k, time in enumerate(times) if k and time is not None and time >= injection), 1)


def _early_target(times: Sequence[float], first_post: int) -> float:
    """Return when early should begin if the time of the injection is unknown; the phases are equally long."""
    length = float(np.median(np.diff(times[first_post:])))
    return max(times[0] + EARLY_SECONDS, times[first_post] + max(0.0, _PEAK_SECONDS - length / 2))


def guess_phases(names: Sequence[str], times: Sequence[float | None]) -> tuple[int, int, int] | None:
    """Return the positions of the pre, early and late phase among volumes of an exam, or None if that is unclear.

    Times decide if all are known and different; else words such as "pre" and "delayed"; else the numbers at the end of
    the names. Of more than three volumes, early and late are chosen as from files (`pick_phases`).

    Args:
        names: of the volumes.
        times: of acquisition in s on one clock, None if unknown.
    """
    candidates = [k for k, name in enumerate(names) if may_be_phase(name)]
    if len(candidates) < 3:
        return None
    known = [times[k] for k in candidates]
    if None not in known and len(set(known)) == len(known):
        order = sorted(candidates, key=lambda k: times[k] or 0.0)
        chosen = pick_phases([times[k] for k in order])
    else:
        if (places := order_names([names[k] for k in candidates])) is None:
            return None
        order = [candidates[k] for k in places]
        chosen = pick_phases([None] * len(order))
    pre, early, late = (order[k] for k in chosen)
    return pre, early, late


def order_names(names: Sequence[str]) -> list[int] | None:
    """Return the positions of names in the order of acquisition that they suggest, None if they suggest none."""
    places = [_place(name) for name in names]
    if None in places or len(set(places)) < len(places):
        return None
    return [k for _, k in sorted(zip(places, range(len(names)), strict=True))]


def may_be_phase(name: str) -> bool:
    """Return False for the name of a derived image, or of one of a different kind, such as T2."""
    return not _NOT_A_PHASE.search(name)


def _place(name: str) -> float | None:
    """Return the place in the order of acquisition that a name suggests."""
    for words, place in _WORDS:
        if re.search(rf"(?<![a-z])({words})", name, re.IGNORECASE):
            return place
    numbers = re.findall(r"\d+", name)
    return float(numbers[-1]) + 0.5 if numbers else None
