"""Where an exam comes from, in the words of the panel, the page in the browser, the report and the command line.

Each function takes `_`, which translates a sentence: `slicer.i18n.tr` in Slicer, `str` elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..exam import PHASE_NAMES, LeftAside, Provenance
from .wording import Translate

_NAMED = 3  # of those that share a reason
_REASONS = 6


def describe_times(provenance: Provenance, _: Translate = str) -> str:
    """Return when early and late were acquired; empty if unknown."""
    if provenance.phase_times is None:
        return ""
    early, late = (f"{seconds:.0f}" for seconds in provenance.phase_times[1:])
    if provenance.injection is None:
        text = _("early {early} s, late {late} s after the pre-contrast one; time of the injection unknown")
        return text.format(early=early, late=late)
    text = _("early {early} s, late {late} s after the pre-contrast one, and {first} s, {last} s after the injection")
    first, last = (f"{seconds - provenance.injection:.0f}" for seconds in provenance.phase_times[1:])
    return text.format(early=early, late=late, first=first, last=last)


def describe_phases(provenance: Provenance, _: Translate = str) -> str:
    """Return which of the phases found were taken, and when they were acquired; empty if both are unknown."""
    parts, picked = [], provenance.picked
    if picked is not None and picked.found > len(picked.phases):
        parts.append(picked.positions)
        if len(set(picked.series)) == len(picked.series) and None not in picked.series:
            series = dict(zip(PHASE_NAMES, picked.series, strict=True))
            parts.append(_("series {pre}, {early} and {late}").format(**series))
    return "; ".join((*parts, *filter(None, [describe_times(provenance, _)])))


def describe_left_aside(items: Iterable[LeftAside], _: Translate = str) -> list[str]:
    """Return a line for each reason for which files or series were not used, with their names or their number.

    What may be a phase comes first.
    """
    groups: dict[tuple[bool, str], list[LeftAside]] = {}
    for item in items:
        groups.setdefault((not item.looks_like_phase, item.reason), []).append(item)
    ordered = sorted(groups.items(), key=lambda group: group[0][0])
    lines = [f"{_list_names(group, _)}: {reason}" for (_usual, reason), group in ordered]
    if (more := len(lines) - _REASONS) > 0:
        rest = sum(item.files for _key, group in ordered[_REASONS:] for item in group)
        lines[_REASONS:] = [_("{count} more reasons ({files} files)").format(count=more, files=rest)]
    return lines


def _list_names(items: list[LeftAside], _: Translate) -> str:
    """Return the names of some items, and the number of the others and of all files."""
    names = ", ".join(item.name for item in items[:_NAMED])
    if (more := len(items) - _NAMED) > 0:
        names = _("{names} and {count} more").format(names=names, count=more)
    files = sum(item.files for item in items)
    return _("{names} ({files} files)").format(names=names, files=files) if files > len(items) else names
