"""When contrast was injected, and which phases came after it, as far as headers tell.

Contrast/Bolus Start Time is a time of day. In Enhanced MR it lies in the administration profile of an agent, and each
frame says whether an agent was administered. Other headers often name an agent only after it was given.
Sources: DICOM PS3.3 C.7.6.4 (Contrast/Bolus), C.7.6.4b (Enhanced Contrast/Bolus), C.7.6.16.2.12 (Contrast/Bolus Usage).
No private tag of a vendor for the time of the injection is documented in public.
"""

from collections.abc import Iterator, Sequence

import pydicom

from ..errors import Notice
from .headers import SECONDS_PER_DAY, tag_seconds
from .phases import DicomPhase

_NO_AGENT = {"", "NONE", "NO", "NO CONTRAST", "N/A", "NA", "UNKNOWN"}
_LONGEST = 3600.0  # s from an injection to the first phase; more is a clock that is wrong


def injection_time(phases: Sequence[DicomPhase], last: float) -> float | None:
    """Return the seconds from the first phase to the injection, negative if it came before; None if unknown.

    Args:
        phases: in the order of time.
        last: seconds of the last one. An injection after it, or an hour and more before the first, is not believed.
    """
    if not phases or (start := _time_of_day(phases[0])) is None:
        return None
    for phase in phases:
        for injected in _injections(phase.first):
            after = (injected - start) % SECONDS_PER_DAY
            if after < last:
                return after
            if after - SECONDS_PER_DAY > -_LONGEST:
                return after - SECONDS_PER_DAY
    return None


def find_first_contrast(phases: Sequence[DicomPhase]) -> int | None:
    """Return the position of the first phase whose header names an agent, if all later ones do and no earlier one."""
    given = [_has_agent(phase.first) for phase in phases]
    count = sum(given)
    is_step = count and count < len(phases) and all(given[-count:])
    return len(phases) - count if is_step else None


def about_injection(phases: Sequence[DicomPhase], injection: float | None) -> tuple[Notice, ...]:
    """Return a warning if contrast came before the first phase, which then shows it, or if its time cannot be used.

    Args:
        phases: in the order of time.
        injection: seconds after the first phase, None if it is unknown or not believed.
    """
    if injection is None and any(_written(phase.first) for phase in phases):
        text = "The time of the injection in the DICOM headers is not one during the exam; it counts as unknown."
        return (Notice("injection_unusable", text),)
    if injection is None or injection >= 0:
        return ()
    return (
        Notice(
            "injection_before_pre",
            f"The DICOM headers place the injection {-injection:.0f} s before the first phase, which was used as "
            "pre-contrast; check that the pre-contrast phase is in the folder.",
        ),
    )


def _time_of_day(phase: DicomPhase) -> float | None:
    for tag in ("AcquisitionTime", "AcquisitionDateTime"):
        if (time := phase.clock(tag)) is not None:
            return time % SECONDS_PER_DAY
    return None


def _injections(header: pydicom.Dataset) -> Iterator[float]:
    """Yield the times of day, in s, at which agents were injected."""
    for holder in _holders(header):
        if (time := tag_seconds(holder, "ContrastBolusStartTime")) is not None:
            yield time


def _written(header: pydicom.Dataset) -> bool:
    """Return True if the header has any time of an injection, valid or not."""
    return any(str(holder.get("ContrastBolusStartTime") or "").strip() for holder in _holders(header))


def _holders(header: pydicom.Dataset) -> Iterator[pydicom.Dataset]:
    """Yield the header and the administration profiles of its agents."""
    yield header
    for agent in header.get("ContrastBolusAgentSequence") or ():
        yield from agent.get("ContrastAdministrationProfileSequence") or ()


def _has_agent(header: pydicom.Dataset) -> bool:
    if (administered := str(header.get("ContrastBolusAgentAdministered") or "").upper()) in ("YES", "NO"):
        return administered == "YES"
    named = str(header.get("ContrastBolusAgent") or "").strip().upper() not in _NO_AGENT
    return named or bool(header.get("ContrastBolusAgentSequence"))
