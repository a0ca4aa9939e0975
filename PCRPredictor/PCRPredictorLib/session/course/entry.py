"""A visit as it lies on the table: its exam, what counts as its tumour, and what was measured."""

from __future__ import annotations

import datetime
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

import numpy as np

from ...exam import Exam, Lesion
from ...report.wording import Translate
from ...response.course import Use, Visit, VisitValues
from ...response.facts import ExamFacts
from ...visits.facts import facts_of
from ..history import LesionState, Snapshot

_next = count().__next__


@dataclass(frozen=True, eq=False)
class VisitEntry:
    """A visit of the patient on the table.

    Args:
        name: of the visit, as "T1".
        title: of the exam or the table that it was read from.
        exam: its phases; the tumour is in `lesions`. None if only values are known.
        lesions: of the tumour as it is drawn.
        use: what counts as the tumour: what is "drawn", none as it is "gone", or what enhances inside the outline of
            the "baseline".
        key: by which the frontend's scene knows the exam while it holds it, else None.
        place: where the scene holds the tumour, see `TumourState.place`.
        given: values from a table instead of an exam.
        clinical: known values of the patient as the exam or the table has them, by name.
        facts: from the exam's headers.
        date: of the exam, if known.
        day: after the first visit, if the user says it; it replaces the dates of all exams.
        measured: what was measured, or None.
        measured_from: the state that was measured, see `state`.
        voxels: state of the phases in the frontend's scene, None before they were in it.
        number: of the phases; no two have the same.
    """

    name: str
    title: str
    exam: Exam | None = None
    lesions: tuple[LesionState, ...] = ()
    use: Use = "drawn"
    key: Hashable = None
    place: Hashable = None
    given: VisitValues | None = None
    clinical: Mapping[str, object] = field(default_factory=dict)
    facts: ExamFacts = field(default_factory=ExamFacts)
    date: datetime.date | None = None
    day: int | None = None
    measured: Visit | None = None
    measured_from: Hashable = None
    voxels: Hashable = None
    number: int = field(default_factory=_next)

    @staticmethod
    def of_exam(name: str, title: str, exam: Exam, date: datetime.date | None = None) -> VisitEntry:
        """Return the entry of an exam that was read, with its tumour; its headers give the date if it is None."""
        facts, dates = facts_of(exam)
        date = date or dates.study or dates.acquisition
        return VisitEntry(name, title, replace(exam, mask=None, lesions=()), _lesions_of(exam), facts=facts, date=date)

    @property
    def content(self) -> tuple[Snapshot, ...]:
        """The voxels of each lesion that is not empty, in an order of their own."""
        found = (lesion.snapshot for lesion in self.lesions if lesion.snapshot.box)
        return tuple(sorted(found, key=lambda snapshot: (len(snapshot.bits), snapshot.bits)))

    @property
    def state(self) -> Hashable:
        """What the measurement depends on, apart from the baseline's outline; to be compared."""
        return self.name, self.given, self.use, self.drawn_state if self.use == "drawn" else self.number

    @property
    def drawn_state(self) -> Hashable:
        """What the exam is with its tumour as it is drawn; to be compared."""
        return self.number, *((snapshot.bits, str(snapshot.box)) for snapshot in self.content)

    @property
    def has_outline(self) -> bool:
        """True if a tumour is drawn."""
        return bool(self.content)

    @property
    def values(self) -> VisitValues | None:
        """What is known of the visit; None before it is measured."""
        return self.given or (self.measured.values if self.measured is not None else None)

    def with_voxels(self, phases: Sequence[np.ndarray], voxels: Hashable) -> VisitEntry:
        """Return the entry with the phases (k, j, i) as the scene holds them now; new ones if their state differs."""
        if self.exam is None or self.voxels is None or voxels == self.voxels:
            return replace(self, voxels=voxels)
        pre, early, late = phases
        return replace(self, exam=replace(self.exam, pre=pre, early=early, late=late), voxels=voxels, number=_next())

    def measured_exam(self) -> Exam:
        """Return the exam to be measured: with what is drawn, an empty mask if it is gone, or without a mask.

        Raises:
            ValueError: if there is no exam.
        """
        if self.use == "drawn":
            return self.drawn_exam()
        exam = self._exam()
        return exam if self.use == "baseline" else exam.with_lesions(())

    def drawn_exam(self) -> Exam:
        """Return the exam with its tumour as it is drawn, whatever counts.

        Raises:
            ValueError: if there is no exam.
        """
        return self._exam().with_lesions([Lesion(each.name, each.snapshot.mask) for each in self.lesions])

    def _exam(self) -> Exam:
        if self.exam is None:
            raise ValueError(f"{self.name} has no exam, only values")
        return self.exam

    def problem(self, is_first: bool, baseline: VisitEntry | None, _: Translate = str) -> str | None:
        """Return why this visit cannot be measured yet, a sentence with what to do, or None.

        Args:
            is_first: True for the first of all visits.
            baseline: the first visit with an exam.
        """
        if self.given is not None or (self.use == "drawn" and self.has_outline):
            return None
        if is_first:
            text = _("{visit} is the first visit and must have a tumour: open it and segment the tumour.")
        elif self.use == "drawn":
            text = _(
                "{visit}: no tumour is drawn; open it and segment the tumour, or choose that it is gone or measured "
                "inside the first tumour's outline."
            )
        elif self.use == "baseline" and (baseline is None or baseline is self or not baseline.has_outline):
            text = _("{visit}: there is no outline to measure inside; open the first visit and segment its tumour.")
        else:
            return None
        return text.format(visit=self.name)

    def visit(self) -> Visit:
        """Return the visit as it was measured, or with the values of a table."""
        return self.measured or Visit(self.name, self.given or VisitValues(), None, self.date)


def _lesions_of(exam: Exam) -> tuple[LesionState, ...]:
    if not exam.has_tumour:
        return ()
    lesions: Sequence[Lesion] = exam.lesions or (Lesion("tumour", exam.mask),)  # type: ignore[arg-type]
    return tuple(LesionState(lesion.name, lesion.name, Snapshot.of_mask(lesion.mask)) for lesion in lesions)
