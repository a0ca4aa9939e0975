"""The course of a patient under treatment: the visits so far, and what was measured at each.

Visits have the names of I-SPY 2: T0 before treatment, T1 about three weeks after its start, T2 between the regimens,
T3 before surgery. Source: Li et al., Predicting breast cancer response to neoadjuvant treatment using multi-feature
MRI, npj Breast Cancer 2020.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..clinical import is_missing
from ..errors import Notice
from ..exam import VISITS as VISITS
from ..exam import Exam
from .facts import ExamFacts

Use = Literal["drawn", "gone", "baseline"]  # what counts as the tumour of a visit
WHEN = {
    "T0": "before treatment",
    "T1": "about three weeks after its start",
    "T2": "between the regimens",
    "T3": "before surgery",
}


@dataclass(frozen=True)
class Quantity:
    """Something that is measured at every visit.

    Args:
        name: of the field of `VisitValues`, the key in JSON files and the beginning of a table's column.
        label: shown to the user.
        unit: of the value, "" if it has none.
        when_gone: the value of a tumour that is gone; None if there is none then.
    """

    name: str
    label: str
    unit: str
    when_gone: float | None = None

    def column(self, visit: str) -> str:
        """Return the column of a table of visits, as "functional_volume_ml_T1"."""
        return f"{self.name}_{visit}"


QUANTITIES = (
    Quantity("functional_volume_ml", "Functional tumour volume", "ml", 0.0),
    Quantity("longest_diameter_mm", "Longest diameter", "mm", 0.0),
    Quantity("sphericity", "Sphericity", ""),
    Quantity("background_enhancement_percent", "Background enhancement of the other breast", "%"),
    Quantity("highest_ser", "Peak signal enhancement ratio", ""),
)


@dataclass(frozen=True)
class VisitValues:
    """What was measured at a visit; None if it is unknown. `lesion.functional` and `lesion.background` define each.

    Args:
        functional_volume_ml: volume of the tumour's voxels that enhance early by 70 % or more, 0 if it is gone.
        longest_diameter_mm: longest diameter within a slice of the tumour's largest piece, 0 if it is gone.
        sphericity: surface of a ball of the functional volume over the faces of its voxels, in (0, 0.81].
        background_enhancement_percent: early enhancement of the other breast's fibroglandular tissue.
        highest_ser: peak signal enhancement ratio in the tumour.
        gone: True if there is no tumour any more.
    """

    functional_volume_ml: float | None = None
    longest_diameter_mm: float | None = None
    sphericity: float | None = None
    background_enhancement_percent: float | None = None
    highest_ser: float | None = None
    gone: bool = False

    def get(self, name: str) -> float | None:
        """Return the value of the quantity of that name."""
        return getattr(self, name)


@dataclass(frozen=True, eq=False)
class Visit:
    """A visit of a patient.

    Args:
        name: one of `VISITS`.
        values: what was measured, or is known from a table.
        exam: that was measured, with the tumour's mask; None if only the values are known.
        date: of the exam; it reaches no report unless the user asks for it.
        notices: warnings about this visit.
        facts: what the source says about the exam.
    """

    name: str
    values: VisitValues
    exam: Exam | None = None
    date: datetime.date | None = None
    notices: tuple[Notice, ...] = ()
    facts: ExamFacts = field(default_factory=ExamFacts)


@dataclass(frozen=True, eq=False)
class Course:
    """The visits of a patient so far, in the order of `VISITS`.

    Args:
        visits: name to visit; T0 need not be among them.
        clinical: clinical variables as they were given.
        patient_id: identifier in the source, if known; it reaches no report unless the user asks for it.
    """

    visits: Mapping[str, Visit]
    clinical: Mapping[str, object] = field(default_factory=dict)
    patient_id: str | None = None

    def __iter__(self) -> Iterator[Visit]:
        """Iterate over the visits in the order of time."""
        return (self.visits[name] for name in VISITS if name in self.visits)

    @property
    def last(self) -> str:
        """Return the name of the latest visit."""
        return [visit.name for visit in self][-1]

    @property
    def days(self) -> dict[str, int | None]:
        """Return the day of each visit, 0 for the first whose date is known; None if a date is unknown."""
        dates = {visit.name: visit.date for visit in self}
        first = next((date for date in dates.values() if date is not None), None)
        return {name: None if first is None or date is None else (date - first).days for name, date in dates.items()}

    def until(self, name: str) -> Course:
        """Return the course as it was known at a visit."""
        known = VISITS[: VISITS.index(name) + 1]
        found = {visit.name: visit for visit in self if visit.name in known}
        return Course(found, self.clinical, self.patient_id)


@dataclass(frozen=True)
class Change:
    """How a quantity changed against an earlier visit.

    Args:
        percent: 100 * (now - before) / before, -100 for a tumour that is gone.
        log_ratio: natural logarithm of now / before; -inf for a tumour that is gone.
    """

    percent: float
    log_ratio: float


def earliest_values(visits: Iterable[Mapping[str, object]]) -> dict[str, object]:
    """Return a patient's clinical values by name: each of the earliest visit at which it is known.

    Args:
        visits: values of each visit in the order of time; case does not matter in names, `is_missing` says what is
            unknown.
    """
    found: dict[str, object] = {}
    for clinical in visits:
        names = {name.strip().lower() for name in found}
        known = {name: value for name, value in clinical.items() if not is_missing(value)}
        found |= {name: value for name, value in known.items() if name.strip().lower() not in names}
    return found


def change(before: float | None, now: float | None) -> Change | None:
    """Return the change of a quantity between two visits; None if one is unknown or the first is 0."""
    if before is None or now is None or before <= 0:
        return None
    return Change(100 * (now - before) / before, math.log(now / before) if now > 0 else -math.inf)
