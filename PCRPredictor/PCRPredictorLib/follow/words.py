"""A follow-up in the words of report, command, panel and page.

Each function takes `_`, which translates a sentence: `slicer.i18n.tr` in Slicer, `str` elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..errors import Notice
from ..formatting import MISSING, format_beside, format_percent, format_value, format_volume
from ..registration.rigid import Registration
from ..report.wording import Translate, describe_frequencies_at, describe_rates, describe_side_of
from ..response.course import QUANTITIES, VISITS, Change, Course, change
from ..response.prediction import ResponsePrediction, VisitPrediction

_SHOWN_CHANGES = ("functional_volume_ml", "longest_diameter_mm")


def label_quantity(name: str, _: Translate = str) -> str:
    """Return the name of a quantity that is measured at every visit."""
    labels = {
        "functional_volume_ml": _("Functional tumour volume"),
        "longest_diameter_mm": _("Longest diameter within a slice"),
        "sphericity": _("Sphericity"),
        "background_enhancement_percent": _("Background enhancement of the other breast"),
        "highest_ser": _("Peak signal enhancement ratio"),
    }
    return labels[name]


def describe_when(visit: str, _: Translate = str) -> str:
    """Return when a visit is, by the schedule of the trial."""
    when = {
        "T0": _("before treatment"),
        "T1": _("about three weeks after its start"),
        "T2": _("between the regimens"),
        "T3": _("before surgery"),
    }
    return when[visit]


def describe_day(days: int | None, _: Translate = str) -> str:
    """Return "day 22", counted from the first visit; "" if it is unknown."""
    return "" if days is None else _("day {days}").format(days=days)


def format_quantity(name: str, value: float | None) -> str:
    """Return a value with its unit, as "12.4 ml", "34 mm", "0.62" or "31 %"; a dash if it is unknown."""
    if value is None:
        return MISSING
    unit = next(quantity.unit for quantity in QUANTITIES if quantity.name == name)
    if unit == "ml":
        return "0 ml" if value == 0 else format_volume(value)
    text = f"{value:.2f}" if not unit else f"{value:.0f} {unit}"
    return text.replace("-", "−")


def format_change(found: Change | None) -> str:
    """Return a change as "−75 %" or "+12 %"; "" if there is none."""
    return "" if found is None else f"{format_value(found.percent, 0, signed=True)} %"


def describe_change(name: str, before: float | None, now: float | None, _: Translate = str) -> str:
    """Return how a quantity changed, as "12.4 ml to 3.1 ml, −75 %"; "" if a value is unknown."""
    if before is None or now is None:
        return ""
    values = {"before": format_quantity(name, before), "now": format_quantity(name, now)}
    if (by := change(before, now)) is None:
        return _("{before} to {now}").format(**values)
    return _("{before} to {now}, {change}").format(**values, change=format_change(by))


def describe_changes(course: Course, _: Translate = str) -> str:
    """Return how volume and diameter changed from the first visit to the last; "" with a single visit."""
    visits = list(course)
    if len(visits) < 2:
        return ""
    first, last = visits[0], visits[-1]
    names = {"functional_volume_ml": _("volume"), "longest_diameter_mm": _("longest diameter within a slice")}
    found = {names[q]: describe_change(q, first.values.get(q), last.values.get(q), _) for q in _SHOWN_CHANGES}
    known = "; ".join(f"{name} {text}" for name, text in found.items() if text)
    if not known:
        return _(
            "Volume and diameter are not known at both {first} and {last}: how the tumour changed is unknown."
        ).format(first=first.name, last=last.name)
    days = course.days[last.name]
    if days is None or course.days[first.name] is None:
        return _("{first} to {last}: {changes}.").format(first=first.name, last=last.name, changes=known)
    return _("{first} to {last}, {days} days: {changes}.").format(
        first=first.name, last=last.name, days=days, changes=known
    )


def describe_gone(course: Course, _: Translate = str) -> str:
    """Return at which visits no tumour is left and what that means; "" if there always is one."""
    names = [visit.name for visit in course if visit.values.gone]
    if not names:
        return ""
    return _(
        "No tumour was marked at {visits}: volume and diameter count as 0, and it has no sphericity. What cannot be "
        "seen on MRI can still be there: this is no proof of a pathological complete response."
    ).format(visits=join(names, _))


def describe_probability(after: VisitPrediction, base_rate: float | None, _: Translate = str) -> str:
    """Return the probability after a visit, with its range and that of the training patients."""
    text = _("Probability of pCR after {visit}: {value}").format(visit=after.visit, value=_with_range(after, _))
    if base_rate is None:
        return text + "."
    rate = format_percent(base_rate)
    return text + _("; of the training patients, {rate} had pCR.").format(rate=rate)


def format_probability(after: VisitPrediction) -> str:
    """Return a probability with as many digits as its place beside the threshold needs."""
    return format_beside(after.probability, after.operating_point.threshold)[0]


def describe_briefly(after: VisitPrediction, _: Translate = str) -> str:
    """Return the probability for a table, or that no decision is given."""
    return _("no decision") if after.reasons_against else format_probability(after)


def describe_decision(after: VisitPrediction, base_rate: float | None = None, _: Translate = str) -> str:
    """Return on which side of the threshold the probability is and what that meant in training; "" if none is given.

    Args:
        base_rate: share of the training patients with pCR, None if unknown.
    """
    if after.reasons_against:
        return ""
    point = after.operating_point
    side = describe_side_of(after.probability, point, _)
    text = f"{after.visit}: {side}{describe_frequencies_at(after.probability, point, base_rate, _)}"
    rates = describe_rates(point, _)
    return f"{text} {_('In training: {rates}.').format(rates=rates)}" if rates else text


def describe_course(prediction: ResponsePrediction, _: Translate = str) -> str:
    """Return the probability after each visit in a sentence, as "Probability ...: T0 31 %, T1 46 %."."""
    each = ", ".join(f"{after.visit} {format_probability(after)}" for after in prediction.visits)
    return _("Probability of pCR after each visit: {each}.").format(each=each)


def describe_clinical_alone(prediction: ResponsePrediction, _: Translate = str) -> str:
    """Return the probability from clinical values alone, without any exam; "" if it is unknown."""
    if prediction.clinical_probability is None:
        return ""
    text = _("From clinical values alone it would be {value}.")
    return text.format(value=format_percent(prediction.clinical_probability))


def describe_not_read(prediction: ResponsePrediction, _: Translate = str) -> str:
    """Return what was measured but has no part in the model; "" if there is nothing."""
    if not prediction.not_read:
        return ""
    return _("Measured, but not read by this model: {names}.").format(names=", ".join(prediction.not_read))


def describe_missing(course: Course, after: VisitPrediction, _: Translate = str) -> list[str]:
    """Return which earlier visits are missing, a sentence each; what else is unknown is in the model's warnings."""
    known = VISITS[: VISITS.index(after.visit) + 1]
    skipped = [name for name in known if name not in course.visits]
    if not skipped:
        return []
    return [_("No exam at {visits}: the probability rests on the other visits.").format(visits=join(skipped, _))]


def describe_not_for(_: Translate = str) -> str:
    """Return what a follow-up must not be used for."""
    return _(
        "Not for: stopping, shortening or changing a treatment, leaving out surgery or radiotherapy, or telling a "
        "patient that the tumour is gone. What happens to patients whose treatment is changed because of this number "
        "was never studied."
    )


def describe_values(course: Course, _: Translate = str) -> dict[str, dict[str, str]]:
    """Return the table of measurements: label to visit to value, with the change against the first value."""
    found = {}
    for quantity in QUANTITIES:
        first = next((v.values.get(quantity.name) for v in course if v.values.get(quantity.name) is not None), None)
        row, seen = {}, False
        for visit in course:
            value = visit.values.get(quantity.name)
            by = format_change(change(first, value)) if seen else ""
            row[visit.name] = format_quantity(quantity.name, value) + (f" ({by})" if by else "")
            seen = seen or value is not None
        found[label_quantity(quantity.name, _)] = row
    return found


def describe_registration(visit: str, registration: Registration | None, _: Translate = str) -> str:
    """Return how well the baseline lies on a visit, and whether its outline is drawn there."""
    if registration is None:
        return _("{visit}: was not registered to the baseline, so its outline is not drawn.").format(visit=visit)
    if not registration.holds:
        text = _("{visit}: the registration does not hold, so the baseline's outline is not drawn. {message}")
        return text.format(visit=visit, message=registration.message)
    return f"{visit}: {registration.message}"


def describe_planes(first: str, plane: str, visit: str, other: str, _: Translate = str) -> str:
    """Return that a visit was acquired in a different plane than the first; "" if it was not."""
    if plane == other:
        return ""
    text = _("{visit} has {other} slices and {first} has {plane} ones: the pictures do not show the same plane.")
    return text.format(visit=visit, other=other, first=first, plane=plane)


def describe_scale(_: Translate = str) -> str:
    """Return how the one display scale of all visits is chosen."""
    return _(
        "One display scale: each exam is divided by the median of its pre-contrast signal in tissue, as scanners scale "
        "differently; black and white are the same at all visits."
    )


def describe_comparison(_: Translate = str) -> str:
    """Return what the comparison shows, with its scale and outlines."""
    text = _("The visits side by side: early phase, subtraction, and its maximum intensity projection (MIP).")
    return f"{text} {describe_scale(_)} {describe_outlines(_)}"


def describe_outlines(_: Translate = str) -> str:
    """Return what the outlines of the comparison mean."""
    return _(
        "Green, solid: tumour of the visit. Yellow, dashed: the baseline's tumour, carried over by rigid registration."
    )


def describe_chart(course: Course, prediction: ResponsePrediction | None, _: Translate = str) -> str:
    """Return the chart in words, for those who cannot see it."""
    parts = [_("Chart over the visits.")]
    for name in _SHOWN_CHANGES:
        each = ", ".join(f"{visit.name} {format_quantity(name, visit.values.get(name))}" for visit in course)
        parts.append(f"{label_quantity(name, _)}: {each}.")
    if prediction is not None:
        ranges = ", ".join(f"{after.visit} {_with_range(after, _)}" for after in prediction.visits)
        parts.append(_("Probability of pCR after each visit: {each}.").format(each=ranges))
    return " ".join(parts)


def list_warnings(
    course: Course, prediction: ResponsePrediction | None, notices: Iterable[Notice] = ()
) -> list[tuple[str, Notice]]:
    """Return every warning once, with the visits that it is about, as "T0 and T1"; those that forbid a decision first.

    "" stands for the patient or the course, and for visits that the warning names itself. A warning that the model
    repeats at each visit is of the last one. Those that stand beside the probability, as no decision is given after
    the last visit, are left out.
    """
    found: dict[Notice, list[str]] = {notice: [] for notice in notices}
    for visit in course:
        for notice in dict.fromkeys(visit.notices):
            found.setdefault(notice, []).append(visit.name)
    if prediction is not None:
        found |= {notice: [] for notice in prediction.notices}
        found |= {notice: [prediction.last.visit] for notice in prediction.last.notices if notice not in found}
    shown = prediction.last.reasons_against if prediction is not None else ()
    listed = [
        ("" if _names(notice, visits) else join(visits), notice)
        for notice, visits in found.items()
        if notice not in shown
    ]
    return sorted(listed, key=lambda each: not each[1].blocks_decision)


def _names(notice: Notice, visits: Iterable[str]) -> bool:
    """Return whether a warning names all these visits itself."""
    return all(re.search(rf"\b{re.escape(visit)}\b", notice.message) for visit in visits)


def _with_range(after: VisitPrediction, _: Translate) -> str:
    low, high = map(format_percent, after.interval)
    text = _("{value} (the model's fits agree within {low} to {high})")
    if after.missing_interval is not None:
        text = _("{value} ({lowest} to {highest} by what is unknown; the model's fits agree within {low} to {high})")
    lowest, highest = map(format_percent, after.missing_interval or after.interval)
    return text.format(value=format_probability(after), low=low, high=high, lowest=lowest, highest=highest)


def join(names: Iterable[str], _: Translate = str) -> str:
    """Return "T1", "T1 and T2" or "T1, T2 and T3"."""
    *others, last = list(names)
    return _("{others} and {last}").format(others=", ".join(others), last=last) if others else last
