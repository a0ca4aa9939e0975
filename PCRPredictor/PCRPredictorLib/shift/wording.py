"""The shift of a cohort in sentences and tables, for the command, the pages and Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..formatting import MISSING, count, format_value
from ..variables.number import YEARS
from .compare import NOTABLE

FEW = 30  # patients; with fewer, a difference of half a standard deviation may be chance
_NAMED = 4  # variables in a sentence
_NOTABLY = f"by {NOTABLE:g} standard deviations (SD) or more, beyond chance,"
_READ_VARIABLES = (
    "Numbers are medians with the 5th to 95th percentile. Difference: in standard deviations (SD), with its 95 % "
    "interval; below 0.1 it is negligible, above 0.5 large; of a category, the value whose share differs most, in "
    "percentage points. Without a difference, a variable is named if more than a tenth of the patients are outside, "
    "beyond chance. Outside: share of the patients outside the 1st to 99th percentile (5th to 95th "
    "if no others are known) of the training patients; 2 % are expected (10 %)."
)
_POINT_HEAD = (
    "Operating point",
    "Threshold",
    "At or above, here",
    "In training",
    "Sensitivity here",
    "Promised",
    "Specificity here",
    "Promised",
)
_READ_POINTS = "Shares have Wilson's 95 % intervals. Promised: on the patients on whom the threshold was fixed."


@dataclass(frozen=True)
class ShiftTable:
    """A table of text; the first column names the row."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


def describe_shift(shift: Mapping[str, Any]) -> list[str]:
    """Return what `compare_cohort` found in a few sentences.

    Patients that the model was trained on come first, then the effect on the first operating point.
    """
    training, left_out = shift["training"], _about_known(shift)
    if left_out and not shift["patients"]:
        return [left_out, "No other patient is left, so that there is nothing to compare."]
    sentences = [left_out, _about_above(shift["points"][0], training), *_about_labels(shift)]
    sentences += [_about_variables(shift["variables"])]
    if shift["patients"] < FEW:
        sentences.append(f"{count(shift['patients'], 'patient')} are few: small and medium differences may be chance.")
    return [sentence for sentence in (*sentences, training["missing"]) if sentence]


def shift_tables(shift: Mapping[str, Any]) -> list[ShiftTable]:
    """Return the variables, the largest difference first, and the operating points."""
    head = ("Variable", "Patients", "Here", "Training", "Difference", "Outside the training range")
    rows = [_variable_row(variable) for variable in shift["variables"]]
    return [
        ShiftTable("Operating points here", _POINT_HEAD, _point_rows(shift), _READ_POINTS),
        ShiftTable("Variables beside those of the training patients", head, rows, _READ_VARIABLES),
    ]


def percent(value: object) -> str:
    """Return a share as "61 %", one with its interval as "61 % (50 to 71 %)", a dash if it is unknown."""
    if isinstance(value, Mapping):
        low, high = value["low"], value["high"]
        text = percent(value["value"])
        return text if low is None or text == MISSING else f"{text} ({100 * low:.0f} to {100 * high:.0f} %)"
    return MISSING if value is None else f"{100 * float(value):.0f} %"  # type: ignore[arg-type]


def _about_known(shift: Mapping[str, Any]) -> str:
    """Return how many patients the model was trained on; they are in no number of the shift."""
    known = shift.get("known") or {"images": 0, "names": 0}
    if not (total := known["images"] + known["names"]):
        return ""
    how = f"{known['images']} by their images, {known['names']} by the identifier alone" if known["names"] else ""
    of = f"{total} of these {total + shift['patients']} patients" if shift["patients"] else "all of these patients"
    text = f"The model was trained on {of}{how and f' ({how})'} and knows their outcome: do not rely on its "
    text += "predictions of them, which have a warning in predictions.csv. They are left out of all that follows."
    rename = " Patients that only have the same identifier count again once they are renamed." if how else ""
    return text + rename


def _about_above(point: Mapping[str, Any], training: Mapping[str, Any]) -> str:
    if point["above"] is None:
        return ""
    text = f"At this cohort {percent(point['above'])} are at or above the threshold of {point['name']!r}"
    if point["above_training"] is None:
        return f"{text}."
    return f"{text}; {percent(point['above_training'])} of {training['fixed_on']} were."


def _about_labels(shift: Mapping[str, Any]) -> list[str]:
    if not shift["labelled"]:
        return ["No label is known, so that sensitivity and specificity here are not known either."]
    text = f"Of {count(shift['labelled'], 'labelled patient')} {percent(shift['prevalence'])} had pCR"
    if shift["training"]["prevalence"] is not None:
        text += f"; {percent(shift['training']['prevalence'])} of {shift['training']['fixed_on']} had"
    if shift["mean_probability"] is not None:
        text += f". The mean prediction is {percent(shift['mean_probability'])}"
    point = shift["points"][0]
    rates = [_rate(name, point) for name in ("sensitivity", "specificity") if point[name] is not None]
    return [f"{text}.", *([f"At {point['name']!r}: {'; '.join(rates)}."] if rates else [])]


def _rate(name: str, point: Mapping[str, Any]) -> str:
    here, promised = point[name], point["promised"][name]
    text = f"{name} {percent(here)}"
    if promised is None:
        return text
    kept = here["low"] <= promised <= here["high"]
    return f"{text}, promised {percent(promised)}" + ("" if kept else ", which is outside the interval")


def _about_variables(variables: Sequence[Mapping[str, Any]]) -> str:
    compared = [variable for variable in variables if variable["difference"] or variable["outside"]]
    if not compared:
        return ""
    large = [variable for variable in compared if _is_notable(variable)]
    if not large:
        return f"Of {count(len(compared), 'variable')}, none differs {_NOTABLY} from the training patients'."
    named = [_name(variable) for variable in large[:_NAMED]]
    more = f", and {len(large) - _NAMED} more" if len(large) > _NAMED else ""
    differ = "differs" if len(large) == 1 else "differ"
    found = count(len(compared), "variable")
    return f"{len(large)} of {found} {differ} {_NOTABLY} from the training patients': {', '.join(named)}{more}."


def _is_notable(variable: Mapping[str, Any]) -> bool:
    """Return True if a difference is neither small nor perhaps chance, or more patients are outside than expected."""
    difference, outside = variable["difference"], variable["outside"]
    if difference is not None:
        low, high = difference["low"], difference["high"]
        return abs(difference["value"]) >= NOTABLE and (low is None or low > 0 or high < 0)
    return outside is not None and outside["low"] > 0.1


def _name(variable: Mapping[str, Any]) -> str:
    parts = []
    if (value := variable.get("category")) is not None:
        parts.append(f"{value} {percent(_share_of(variable['here'], value))} here")
        parts.append(f"{percent(_share_of(variable['training'], value))} in training")
    elif variable["difference"] is not None:
        parts.append(f"{format_value(variable['difference']['value'], 1, signed=True)} SD")
    if variable["outside"] is not None and variable["outside"]["value"] > 0:
        parts.append(f"{percent(variable['outside']['value'])} outside the training range")
    return f"{variable['label']} ({', '.join(parts)})"


def _variable_row(variable: Mapping[str, Any]) -> list[str]:
    unknown = f" ({variable['unknown']} unknown)" if variable["unknown"] else ""
    return [
        f"{variable['label']}, {variable['unit']}" if variable["unit"] else str(variable["label"]),
        f"{variable['patients']}{unknown}",
        _values(variable["here"], variable["unit"]),
        _values(variable["training"], variable["unit"]),
        _shown_difference(variable),
        percent(variable["outside"]),
    ]


def _shown_difference(variable: Mapping[str, Any]) -> str:
    """Return a difference of numbers in standard deviations, of categories in percentage points of a share."""
    difference, value = variable["difference"], variable.get("category")
    if value is not None:
        points = 100 * (_share_of(variable["here"], value) - _share_of(variable["training"], value))
        return f"{value} {format_value(points, 0, signed=True)} points"
    return MISSING if difference is None else format_value(difference, 2, signed=True)


def _share_of(known: Mapping[str, Any], value: str) -> float:
    return float(known["shares"].get(value, 0.0))


def _values(known: Mapping[str, Any] | None, unit: str) -> str:
    if known is None:
        return MISSING
    if known["shares"]:
        return ", ".join(f"{name} {percent(value)}" for name, value in known["shares"].items())
    form = ".0f" if unit == YEARS else ".3g"
    at = {int(level): format(value, form).replace("-", "−") for level, value in known["percentiles"].items()}
    if not at:
        return MISSING
    low, high = at.get(5, at.get(1)), at.get(95, at.get(99))
    return f"{at[50]} ({low} to {high})" if 50 in at else f"{low} to {high}"


def _point_rows(shift: Mapping[str, Any]) -> list[list[str]]:
    return [
        [
            point["name"],
            format_value(point["threshold"]),
            percent(point["above"]),
            percent(point["above_training"]),
            percent(point["sensitivity"]),
            percent(point["promised"]["sensitivity"]),
            percent(point["specificity"]),
            percent(point["promised"]["specificity"]),
        ]
        for point in shift["points"]
    ]
