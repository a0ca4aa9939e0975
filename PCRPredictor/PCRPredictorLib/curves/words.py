"""Curves and kinetic maps in sentences, for panel, page, report and command line.

Each function takes `_`, which translates a sentence: `slicer.i18n.tr` in Slicer, `str` elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable

from ..formatting import format_percent, format_value
from .curve import Curve, Kinetics
from .kinetic_map import KineticMap
from .phases import Phases
from .types import CurveType

Translate = Callable[[str], str]
_WHOLE = 20.0  # percent; from here no decimal is shown


def name_type(kind: CurveType, _: Translate = str) -> str:
    """Return a curve type as radiologists name it, "III (washout)"."""
    names = {CurveType.PERSISTENT: _("persistent"), CurveType.PLATEAU: _("plateau"), CurveType.WASHOUT: _("washout")}
    return f"{kind.numeral} ({names[kind]})"


def describe_curve(curve: Curve, _: Translate = str) -> str:
    """Return wash-in, wash-out, SER and type of a curve."""
    found = curve.kinetics
    parts = [_describe_wash_in(curve, found, _), _describe_wash_out(curve, found, _)]
    if found.ser is not None:
        parts.append(_("SER {value}").format(value=format_value(found.ser, 2)))
    parts.append(_("type {name}").format(name=name_type(found.type, _)) if found.type else _("no enhancement"))
    return ", ".join(filter(None, parts))


def describe_shares(kinetics: KineticMap, _: Translate = str) -> str:
    """Return the share of each curve type in the lesion, and what the noise leaves open."""
    if not kinetics.enhancing:
        return _("No voxel of the lesion enhances above the noise.")
    types = ", ".join(f"{name_type(kind, _)} {format_percent(share)}" for kind, share in kinetics.shares.items())
    decided = f"{types}."
    if kinetics.undecided == 1:
        decided = _("The noise leaves the curve type of every voxel open.")
    share = format_percent(kinetics.enhancing / kinetics.voxels)
    text = _("{share} of its voxels enhance above the noise; the type of {open} of these is too close to call.")
    return f"{decided} {text.format(share=share, open=format_percent(kinetics.undecided))}"


def describe_clock(phases: Phases, _: Translate = str) -> str:
    """Return what the times of a curve are counted from, as the title of an axis."""
    if phases.seconds is None:
        return _("Phase (times unknown)")
    return _("Time after injection (s)") if phases.since_injection else _("Time after the pre-contrast phase (s)")


def describe_enhancement(_: Translate = str) -> str:
    """Return the title of the axis of enhancement."""
    return _("Enhancement over pre-contrast (%)")


def _describe_wash_in(curve: Curve, found: Kinetics, _: Translate) -> str:
    if found.wash_in_percent is None:
        return _("wash-in unknown (no signal before contrast)")
    text = _("wash-in {percent}").format(percent=_signed(found.wash_in_percent))
    if found.wash_in_per_minute is None or found.wash_in_percent <= 0:
        return text if curve.seconds is not None else _("{text} (times unknown)").format(text=text)
    rate = _signed(found.wash_in_per_minute)
    if found.is_bound:
        return _("{text} (at least {rate} per minute, time of the injection unknown)").format(text=text, rate=rate)
    return _("{text} ({rate} per minute)").format(text=text, rate=rate)


def _describe_wash_out(curve: Curve, found: Kinetics, _: Translate) -> str:
    if found.wash_out_percent is None:
        return ""
    text = _("then {percent} from early to late").format(percent=_signed(found.wash_out_percent))
    if found.wash_out_per_minute is None:
        return text
    return _("{text} ({rate} per minute)").format(text=text, rate=_signed(found.wash_out_per_minute))


def _signed(percent: float) -> str:
    return f"{format_value(float(percent), 0 if abs(percent) >= _WHOLE else 1, signed=True)} %"
