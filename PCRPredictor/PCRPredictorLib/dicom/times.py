"""Times of phases: the clock that distinguishes them, their order, and signs that the first phase is missing."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np
import pydicom

from ..errors import Notice
from .headers import DYNAMIC_BEGIN, ORDER_TAGS, SECONDS_PER_DAY, tag_integer, tag_text
from .phases import DicomPhase

_SHORTEST, _LONGEST = 60.0, 6 * 3600.0  # s; a clock that spans less or more records storage, not acquisition
_PAUSE = 240.0  # s between phases
_MOST_POSITIONS = 1000  # temporal positions; more is a damaged header
_PRE = re.compile(r"(?<![a-z])(pre|nativ|before|vor|unenhanced|non.?contrast|plain)", re.IGNORECASE)
_POST = re.compile(
    r"(?<![a-z])(post(?!er)|nach(?![a-z])|after|delayed|late(?![a-z]))|\d(st|nd|rd|th) pass|(first|second) pass",
    re.IGNORECASE,
)


def clock_times(phases: Sequence[DicomPhase]) -> list[float] | None:
    """Return the seconds of each phase on the first clock that distinguishes them, or None.

    Trigger time starts with its series (GE, Philips), so it orders only the phases of one series. With several series
    it is added to the acquisition time, which may be the same throughout a series. Philips' private clock
    (rordenlab/dcm2niix, issue 395) is used if the acquisition time is that of the series.
    """
    clocks: list[tuple[str, ...]]
    if len({_series(phase) for phase in phases}) > 1:
        clocks = [("AcquisitionDateTime",), ("AcquisitionTime",), ("AcquisitionTime", "TriggerTime")]
    else:
        clocks = [("TriggerTime",), ("AcquisitionDateTime",), ("AcquisitionTime",), (DYNAMIC_BEGIN,)]
    for tags in (*clocks, ("ContentTime",)):
        values = [value for phase in phases if (value := phase.clock(*tags)) is not None]
        values = _in_one_day(values)
        if len(set(values)) == len(phases) and _SHORTEST <= max(values) - min(values) <= _LONGEST:
            return values
    return None


def by_number(phases: Sequence[DicomPhase]) -> list[DicomPhase]:
    """Return phases in the order of their numbers."""
    return sorted(phases, key=lambda phase: [tag_integer(phase.first, tag) for tag in ORDER_TAGS])


def moment_of(phase: DicomPhase) -> tuple[float, int] | None:
    """Return when a phase was taken: seconds of the day with trigger times, and temporal position; None if unknown."""
    time = phase.clock("AcquisitionTime", "TriggerTime")
    return None if time is None else (round(time, 1), tag_integer(phase.first, "TemporalPositionIdentifier"))


def warn_of_order(phases: Sequence[DicomPhase]) -> list[Notice]:
    """Return warnings about phases in the order of time: numbers that contradict it, positions that are missing."""
    found = []
    for tag, words in (("SeriesNumber", "series"), ("TemporalPositionIdentifier", "temporal positions")):
        numbers = [tag_integer(phase.first, tag) for phase in phases]
        if len(set(numbers)) == len(numbers) and numbers != sorted(numbers):
            message = (
                f"The times of the phases contradict the numbers of their {words} ({', '.join(map(str, numbers))})."
            )
            found.append(Notice("phase_order_unclear", message))
    held = {tag_integer(phase.first, "TemporalPositionIdentifier") for phase in phases}
    announced = max(tag_integer(phase.first, "NumberOfTemporalPositions") for phase in phases)
    missing = sorted(set(range(1, announced + 1)) - held) if announced <= _MOST_POSITIONS else []
    if missing and len(held) == len(phases) and 0 not in held:
        message = (
            f"The headers announce {announced} phases; number {', '.join(map(str, missing))} is not in the folder."
        )
        found.append(Notice("phases_missing", message))
    return found


def repeated_acquisitions(phases: Sequence[DicomPhase]) -> list[tuple[str, str]]:
    """Return pairs of series that have the same temporal positions, as if one was broken off and repeated."""
    series: dict[tuple[str, str], list[DicomPhase]] = defaultdict(list)
    for phase in phases:
        series[_series(phase)].append(phase)
    held = [
        (found[0].series, {n for phase in found if (n := tag_integer(phase.first, "TemporalPositionIdentifier"))})
        for found in series.values()
    ]
    return [(one, other) for (one, a), (other, b) in combinations(held, 2) if len(a & b) > 1]


def has_long_pause(times: Sequence[float | None]) -> bool:
    """Return True if a pause of minutes divides phases into two dynamics of three or more, as a repeat does."""
    if None in times:
        return False
    steps = np.diff(np.array(times, float))
    inner = range(2, len(steps) - 2)
    return any(steps[k] > max(_PAUSE, 2.5 * np.delete(steps[1:], k - 1).max()) for k in inner)


def is_named_pre(name: str) -> bool:
    """Return True if a description is that of a pre-contrast phase."""
    return bool(_PRE.search(name))


def why_first_is_missing(phases: Sequence[DicomPhase], headers: Iterable[pydicom.Dataset]) -> str:
    """Return the sign that the first of the phases, in the order of time, is not the pre-contrast one; else nothing.

    Args:
        phases: in the order of time.
        headers: of all images in the folder: images of other kinds may have the first numbers of a series.
    """
    first, names = phases[0], [tag_text(phase.first, "SeriesDescription") for phase in phases]
    for tag, words in (("TemporalPositionIdentifier", "temporal positions"), ("AcquisitionNumber", "acquisitions")):
        numbers = sorted(tag_integer(phase.first, tag) for phase in phases)
        if numbers[0] > 1 and numbers == list(range(numbers[0], numbers[0] + len(phases))) and numbers[0] <= 3:
            return f"the numbers of its {words} start at {numbers[0]}"
    if len({_series(phase) for phase in phases}) == 1 and first.slices[0].frame is None:
        own = [h for h in headers if tag_text(h, "SeriesNumber") == tag_text(first.first, "SeriesNumber")]
        number = min((tag_integer(h, "InstanceNumber") for h in own), default=0)
        if number > 1 and (number - 1) % len(first.slices) == 0:
            return f"the numbers of its images start at {number}"
    if _POST.search(names[0]) and not any(map(is_named_pre, names)):
        return "its name is that of a phase after the injection"
    return ""


def _series(phase: DicomPhase) -> tuple[str, str]:
    """Return what distinguishes the series of phases; a UID per position does not, so its number counts as well."""
    uids = {tag_text(s.header, "SeriesInstanceUID") for s in phase.slices}
    return (uids.pop() if len(uids) == 1 else "", tag_text(phase.first, "SeriesNumber"))


def _in_one_day(values: Sequence[float]) -> list[float]:
    """Return times of a day, also past midnight; dates that differ by days are those of de-identification by series."""
    if not values or max(values) - min(values) <= SECONDS_PER_DAY / 2:
        return list(values)
    times = [value % SECONDS_PER_DAY for value in values]
    if max(times) - min(times) <= SECONDS_PER_DAY / 2:
        return times
    return [time + SECONDS_PER_DAY * (time < SECONDS_PER_DAY / 2) for time in times]
