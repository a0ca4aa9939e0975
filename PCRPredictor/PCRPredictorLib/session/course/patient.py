"""The clinical values of a patient with several visits: which are used, and where each comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...clinical import ClinicalSchema
from ...report.wording import Translate
from ...response.course import earliest_values
from .entry import VisitEntry


def choose_values(entries: Iterable[VisitEntry], entered: Mapping[str, object]) -> dict[str, object]:
    """Return the values that are known, by name: as entered, else of the earliest visit that has them.

    Args:
        entries: the visits in the order of time.
        entered: by the user; None and "" make a value unknown.
    """
    names = set(_by_name(entered))
    found = earliest_values(entry.clinical for entry in entries)
    kept = {name: value for name, value in found.items() if not names & set(_by_name({name: value}))}
    return {**kept, **{name: value for name, value in entered.items() if value not in (None, "")}}


def find_origins(entry: VisitEntry, values: Mapping[str, object], entered: Iterable[str]) -> dict[str, str]:
    """Return where the values come from that are used at a visit, as `ClinicalForm.begin` takes it.

    Args:
        entry: the visit.
        values: that are used.
        entered: names of those that the user entered.
    """
    used, own = _by_name(values), _by_name(entry.clinical)
    origins = entry.exam.provenance.clinical_from if entry.exam is not None else {}
    origins = {name: origin for name, origin in origins.items() if used.get(name) == own.get(name)}
    return {**origins, **dict.fromkeys((name.lower() for name in entered), "entered")}


def describe_differing(
    visit: str,
    values: tuple[Mapping[str, object], Mapping[str, object]],
    entered: Iterable[str],
    schema: ClinicalSchema,
    _: Translate = str,
) -> str:
    """Return which values of a visit differ from those known before, and which of them are used; "" if none do.

    Args:
        visit: its name.
        values: known before, and those of the visit.
        entered: names of those that the user entered.
        schema: that reads them.
    """
    (before, _problems), (now, _problems) = map(schema.parse_each, values)
    differing = [name for name, value in now.items() if None not in (value, before[name]) and before[name] != value]
    by_hand = [name for name in differing if name in set(entered)]
    others = [name for name in differing if name not in by_hand]
    texts = (
        (_("{visit}: its clinical values differ ({names}); those of the earliest visit are used."), others),
        (_("{visit}: its clinical values differ ({names}); those that were entered here are used."), by_hand),
    )
    return " ".join(text.format(visit=visit, names=", ".join(names)) for text, names in texts if names)


def _by_name(values: Mapping[str, object]) -> dict[str, object]:
    """Return clinical values with their names as a schema compares them."""
    return {name.strip().lower(): value for name, value in values.items()}
