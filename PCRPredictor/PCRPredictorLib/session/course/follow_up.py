"""The visits of the patient on the table: added, shown, ordered, removed. What follows from them is the analysis's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from ...dicom.identity import SeveralStudies
from ...errors import DataError
from ...exam import Exam
from ...response.course import VISITS, Course, Use, VisitValues, earliest_values
from ..frontend import ExamScene
from ..session import Session
from .entry import VisitEntry
from .patient import choose_values, describe_differing, find_origins
from .study import Study

T = TypeVar("T")
Again = Callable[[VisitEntry], bool]


class FollowUp:
    """A patient's visits, the open exam among them.

    Args:
        session: with the exam that is open and its clinical values, which are the patient's.
        scene: that session's.
        again: shows a visit whose exam the frontend still holds and returns True, or returns False.

    Attributes:
        entries: the visits by name, in the order of time.
        question: several studies to choose from, after `ask`; else empty.
    """

    def __init__(self, session: Session, scene: ExamScene, again: Again = lambda _entry: False) -> None:
        self.session, self._scene, self._again = session, scene, again
        self.entries: dict[str, VisitEntry] = {}
        self.question: tuple[Study, ...] = ()
        self._entered: dict[str, object] = {}  # clinical values, while a visit was open
        self._said: list[str] = []  # of visits that were read, to be said again once one is shown
        session.activity.on_change.insert(0, self._follow)
        session.activity.on_error[SeveralStudies] = self._ask_about

    @property
    def active(self) -> str:
        """The visit whose exam is open; "" if it is a different exam or none."""
        key = self._key()
        return next((name for name, entry in self.entries.items() if key is not None and entry.key == key), "")

    @property
    def clinical(self) -> dict[str, object]:
        """The patient's clinical values that are known: as entered, else of the earliest visit that has them."""
        entered = self.session.clinical.entered if self.active else {}
        return choose_values(self.entries.values(), {**self._entered, **entered})

    @property
    def baseline(self) -> VisitEntry | None:
        """The first visit that has an exam; the others are compared with it."""
        return next((entry for entry in self.entries.values() if entry.exam is not None), None)

    @property
    def next_visit(self) -> str:
        """The first name that comes after every visit so far; the first free one if there is none, or ""."""
        last = max((VISITS.index(name) for name in self.entries), default=-1)
        free = [name for name in VISITS if name not in self.entries]
        return next((name for name in VISITS[last + 1 :]), free[0] if free else "")

    def problem_of(self, entry: VisitEntry) -> str | None:
        """Return why a visit cannot be measured yet, or None."""
        is_first = entry is next(iter(self.entries.values()))
        return entry.problem(is_first, self.baseline, self.session.activity.translate)

    def add_open(self, name: str) -> None:
        """Take the exam that is open as a visit, with its tumour as it is drawn."""
        if self.active and self.active != name:
            text = "This exam is {visit} already; change its visit in the list, or open a different exam to add it."
            self.session.activity.report_problem(self.session.activity.translate(text).format(visit=self.active))
            return
        if (exam := self._attempt(name, self._read_open, is_open=True)) is None:
            return
        known = self.entries[name].clinical if name in self.entries else self.session.clinical.known
        title = self.session.title or self.session.activity.translate("open exam")
        self._take(replace(VisitEntry.of_exam(name, title, exam), key=self._key()), known)

    def add(self, name: str, study: Study, taken: Callable[[], object] | None = None) -> bool:
        """Read an exam as a visit and show it; return False, and report it, if that is not possible now.

        Args:
            name: of the visit.
            study: the exam.
            taken: called once it is read, instead of showing it.
        """
        _, activity = self.session.activity.translate, self.session.activity
        if self._attempt(name, lambda: True) is None:
            return False

        def done(exam: Exam) -> None:
            entry = VisitEntry.of_exam(name, study.title, exam, study.date)
            self._take(replace(entry, key=study.key, place=study.place), exam.clinical)
            self._said += filter(None, [activity.problem])
            (taken or partial(self.show, name))()

        activity.start(_("Reading {visit}").format(visit=name), study.read, done)
        return True

    def add_values(self, values: Mapping[str, VisitValues], clinical: Mapping[str, object], title: str) -> None:
        """Take visits of which only values are known, from a table.

        Args:
            values: of each visit by its name.
            clinical: of the patient.
            title: of the table.
        """
        if taken := [name for name in values if name in self.entries]:
            self._refuse_taken(taken[0])
            return
        for name, found in values.items():
            self._take(VisitEntry(name, title, given=found), clinical)

    def read_values(self, read: Callable[[], tuple[Course, Sequence[str]]], title: str) -> None:
        """Read a table of one patient and take its visits; what was recognised in it is the message.

        Args:
            read: gives the course and sentences about the table, or raises DataError; runs on the worker.
            title: of the table.
        """
        _, activity = self.session.activity.translate, self.session.activity

        def done(found: tuple[Course, Sequence[str]]) -> None:
            course, remarks = found
            self.add_values({visit.name: visit.values for visit in course}, course.clinical, title)
            activity.message = "; ".join(remarks)

        if activity.doing:
            activity.report_problem(_("Wait until the running work is done, then add the visit."))
            return
        activity.start(_("Reading {visit}").format(visit=title), read, done)

    def ask(self, find: Callable[[], Sequence[Study]]) -> None:
        """Find the studies in one place; a single one is read, several are put into `question`.

        Args:
            find: gives the studies or raises DataError; runs on the worker.
        """
        _, activity = self.session.activity.translate, self.session.activity
        if activity.doing:
            activity.report_problem(_("Wait until the running work is done, then add the visit."))
            return
        activity.start(_("Looking for exams"), find, self.ask_among)

    def ask_among(self, studies: Sequence[Study]) -> None:
        """Read the study if there is one, else ask which visit each is."""
        if len(studies) == 1:
            self.add(studies[0].visit or self.next_visit, studies[0])
        else:
            self.question = tuple(studies)
            self.session.activity.message = self.session.activity.translate(
                "Several studies were found: choose the visit of each under Follow-up."
            )
            self.session.activity.emit()

    def answer(self, chosen: Sequence[str]) -> None:
        """Read the studies of `question` as visits.

        Args:
            chosen: the visit of each study, "" to leave it out; empty to leave all of them out.
        """
        _, report = self.session.activity.translate, self.session.activity.report_problem
        used = [name for name in chosen if name]
        if len(set(used)) < len(used):
            report(_("Each visit can be one study only; choose a different visit for each."))
            return
        if taken := [name for name in used if name in self.entries]:
            self._refuse_taken(taken[0])
            return
        pairs = [(name, study) for name, study in zip(chosen, self.question, strict=False) if name]
        self.question = ()
        self._read_studies(sorted(pairs, key=lambda pair: VISITS.index(pair[0])))
        self.session.activity.emit()

    def show(self, name: str) -> None:
        """Open the exam of a visit in the session, with its tumour."""
        session, entry = self.session, self.entries[name]
        if entry.exam is None or name == self.active or session.activity.doing:
            session.activity.emit()
            return
        exam = replace(entry.drawn_exam(), clinical=self.clinical)
        if self._again(entry):
            self._fill_form(entry)
            session.update()
            self._say()
        else:
            session.open(lambda: exam, f"{name}: {entry.title}", partial(self._on_shown, name))

    def use(self, name: str, use: Use) -> None:
        """Choose what counts as the tumour of a visit."""
        self._put(replace(self.entries[name], use=use))

    def set_day(self, name: str, day: int | None) -> None:
        """Say how many days after the first visit one was; None to go by the exams' dates."""
        if day != self.entries[name].day:
            self._put(replace(self.entries[name], day=day))

    def remove(self, name: str) -> None:
        """Take a visit off the table; its exam stays open if it is."""
        self.entries.pop(name, None)
        self._entered = self._entered if self.entries else {}
        self.session.activity.succeed()

    def rename(self, name: str, new: str) -> None:
        """Give a visit a different name; if it is taken, both visits change places."""
        moved, other = self.entries.pop(name), self.entries.pop(new, None)
        self.entries[new] = replace(moved, name=new)
        if other is not None:
            self.entries[name] = replace(other, name=name)
        self._sort()
        self.session.activity.succeed()

    def clear(self) -> None:
        """Take every visit off the table, for a different patient or a scene that closes."""
        self.entries, self.question, self._entered, self._said = {}, (), {}, []
        self.session.activity.succeed()

    def _attempt(self, name: str, read: Callable[[], T], *, is_open: bool = False) -> T | None:
        """Return what `read` gives; None, and it is reported, if the visit cannot be added now."""
        _, activity = self.session.activity.translate, self.session.activity
        entry = self.entries.get(name)
        if activity.doing:
            activity.report_problem(_("Wait until the running work is done, then add the visit."))
        elif name not in VISITS:
            activity.report_problem(_("All four visits are there; remove one first."))
        elif entry is not None and not (is_open and name == self.active):
            self._refuse_taken(name)
        else:
            return activity.attempt(read)
        return None

    def _refuse_taken(self, name: str) -> None:
        text = self.session.activity.translate(
            "There is an exam for {visit} already; remove it first or choose a different visit."
        )
        self.session.activity.report_problem(text.format(visit=name))

    def _read_open(self) -> Exam:
        """Return the open exam, with or without a tumour; raises DataError."""
        if (provenance := self._scene.provenance()) is None:
            raise DataError(self.session.activity.translate("Open the exam of the visit first, then add it."))
        if self._scene.fingerprint() is not None:
            return self._scene.read().exam
        phases, geometry = self._scene.phases()
        pre, early, late = phases
        return Exam(pre, early, late, geometry, provenance=provenance)

    def _read_studies(self, pairs: Sequence[tuple[str, Study]]) -> None:
        """Read one study after the other, and show the last one."""
        if pairs:
            (name, study), *others = pairs
            then = partial(self._read_studies, others) if others else None
            self.add(name, study, then)

    def _ask_about(self, error: SeveralStudies) -> None:
        """Ask which visit each study of a folder is, which was opened as if it held one exam."""
        from .reading import studies_in  # needs packages that Slicer may lack when a panel opens

        self.ask(partial(studies_in, error.folder))

    def _on_shown(self, name: str) -> None:
        if name in self.entries:
            self._fill_form(self.entries[name])
            self._said += filter(None, [self.session.activity.problem])
            self._put(replace(self.entries[name], key=self._key()))
            self._say()

    def _say(self) -> None:
        """Report what was said of the visits that were read: showing one has withdrawn it."""
        if self._said:
            self.session.activity.report_problem(" ".join(dict.fromkeys(self._said)))
        self._said = []

    def _take(self, entry: VisitEntry, clinical: Mapping[str, object]) -> None:
        """Put a visit on the table; say which clinical values are used if some differ, see `clinical`."""
        activity, known, mine = self.session.activity, self.clinical, earliest_values([clinical])
        self._put(replace(entry, clinical=mine))
        schema = self.session.clinical.schema
        if text := describe_differing(entry.name, (known, mine), self._entered, schema, activity.translate):
            activity.report_problem(text)

    def _put(self, entry: VisitEntry) -> None:
        self.entries[entry.name] = entry
        self._sort()
        self.session.activity.succeed()

    def _sort(self) -> None:
        self.entries = {name: self.entries[name] for name in VISITS if name in self.entries}

    def _key(self) -> object:
        """Return which exam the scene holds, None if none."""
        return self._scene.volumes_key() if self._scene.provenance() is not None else None

    def _fill_form(self, entry: VisitEntry) -> None:
        """Fill the form with the patient's values, for the visit that is open."""
        values = self.clinical
        self.session.clinical.begin(values, find_origins(entry, values, self._entered))

    def _follow(self) -> None:
        """Note the strokes in the exam that is open and the values that are entered; its form has the patient's."""
        name, form = self.active, self.session.clinical
        if not name:
            return
        self._entered |= form.entered
        if form.schema.parse_each(self.clinical)[0] != form.schema.parse_each(form.known)[0]:
            self._fill_form(self.entries[name])
        if self.session.tumour.is_halfway:
            return
        now, fingerprint = self.session.tumour.history.now, self._scene.fingerprint()
        if now is not None and fingerprint is not None and fingerprint.identity == self.session.tumour.history.exam:
            entry = replace(self.entries[name], lesions=now.lesions, place=now.place)
            self.entries[name] = entry.with_voxels(self._scene.phases()[0], fingerprint.voxels)
