"""Measurements of the tumour in the words of report, panel, page and command line."""

from __future__ import annotations

from ..enhancement import FUNCTIONAL_ENHANCEMENT
from ..formatting import format_diameters, format_percent, format_volume
from ..prediction import Measurements
from .wording import Translate


def describe_measurements(measured: Measurements | None, _: Translate = str) -> dict[str, str]:
    """Return what is measured, by name, in the order of a report; nothing without measurements."""
    if measured is None:
        return {}
    functional = _("{volume} (mask's voxels with early enhancement of {least} or more)")
    rows = {
        _("Diameters"): _describe_diameters(measured, _),
        _("Tumour volume"): _("{volume} (mask)").format(volume=format_volume(measured.volume_ml)),
        _("Functional tumour volume"): functional.format(
            volume=format_volume(measured.functional_volume_ml), least=format_percent(FUNCTIONAL_ENHANCEMENT)
        ),
        _("Shape"): _describe_shape(measured, _),
        _("Place"): _describe_place(measured, _),
    }
    return {name: text for name, text in rows.items() if text}


def describe_measurements_briefly(measured: Measurements | None, _: Translate = str) -> str:
    """Return the measurements in one line; empty without measurements."""
    return "; ".join(f"{name}: {text}" for name, text in describe_measurements(measured, _).items())


def _describe_diameters(measured: Measurements, _: Translate) -> str:
    three = format_diameters((measured.longest_mm, *measured.across_mm))
    text = _("{three} (longest, across it, across both); longest within a slice {one} mm").format(
        three=three, one=f"{measured.longest_in_slice_mm:.0f}"
    )
    if measured.pieces < 2:
        return text
    apart = _("measured over all {count} separate pieces, with the gaps between them").format(count=measured.pieces)
    return f"{text}; {apart}"


def _describe_shape(measured: Measurements, _: Translate) -> str:
    pieces = _("1 piece") if measured.pieces == 1 else _("{count} pieces").format(count=measured.pieces)
    return _("{pieces}, sphericity {value}").format(pieces=pieces, value=f"{measured.sphericity:.2f}")


def _describe_place(measured: Measurements, _: Translate) -> str:
    """Return side and distances as far as they are known."""
    sides = {"left": _("left breast"), "right": _("right breast"), None: ""}
    parts = [sides[measured.side]]
    if (skin := measured.distance_to_skin_mm) is not None:
        parts.append(_("about {distance} mm from the skin").format(distance=f"{skin:.0f}"))
    if (nipple := measured.distance_to_nipple_mm) is not None:
        parts.append(_("roughly {distance} mm from the nipple").format(distance=f"{nipple:.0f}"))
    return ", ".join(part for part in parts if part)
