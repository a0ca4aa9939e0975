"""What follows from the visits on the table: measured, predicted, stale or not, written into files."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...response.checks import find_other_patients
from ...response.course import Course, Visit
from .entry import VisitEntry
from .follow_up import FollowUp
from .response_choice import ResponseChoice
from .runner import Answer, CourseRunner

if TYPE_CHECKING:
    from ...registration.rigid import Registration


class Analysis:
    """Measure the visits, and predict from them.

    Args:
        follow_up: the visits.
        runner: of the long steps.
        blocked: gives the reason why nothing can be measured or predicted, whatever the visits, or None.

    Attributes:
        model: the response model that predicts.
        answer: what is shown, or None.
        one_patient: True to accept exams whose patient identifiers differ.
    """

    def __init__(
        self,
        follow_up: FollowUp,
        runner: CourseRunner | None = None,
        blocked: Callable[[], str | None] = lambda: None,
    ) -> None:
        self.visits, self._activity = follow_up, follow_up.session.activity
        self._runner = runner if runner is not None else CourseRunner(self._activity.translate)
        self._blocked = blocked
        self.model = ResponseChoice()
        self.answer: Answer | None = None
        self.one_patient = False
        self._answered: Hashable = None
        self._point = ""
        self._registered: dict[str, tuple[Hashable, Registration]] = {}
        self._activity.on_change.insert(1, self._forget)

    @property
    def is_stale(self) -> bool:
        """True if visits, masks, clinical values or the model have changed since the answer."""
        return self.answer is not None and self._answered != self._inputs()

    @property
    def is_from_dicom(self) -> bool:
        """True if the answer can be written as DICOM, too."""
        exams = [visit.exam for visit in self.answer.course if visit.exam is not None] if self.answer else []
        return bool(exams) and all(exam.provenance.files for exam in exams)

    @property
    def can_save(self) -> bool:
        """True if there is an answer whose files can be written."""
        return self.answer is not None and not self._activity.doing

    @property
    def is_one_patient(self) -> bool:
        """True if the visits are of one patient by their headers, or if these may differ."""
        facts = {entry.name: entry.facts for entry in self.visits.entries.values()}
        return self.one_patient or not any(find_other_patients(facts))

    def is_current(self, entry: VisitEntry) -> bool:
        """Return True if a visit's values are known and its tumour has not changed since."""
        return entry.given is not None or (entry.measured is not None and entry.measured_from == self._state(entry))

    def problem(self, *, with_model: bool = False) -> str | None:
        """Return why nothing can be measured now or, with the model, predicted, a sentence with what to do, or None."""
        _ = self._activity.translate
        if self._activity.doing:
            return _("Wait until the running work is done, or cancel it.")
        if not self.visits.entries:
            return _("Add the visits first: the exam that is open, or exams from files.")
        if (problem := self._blocked()) is not None:
            return problem
        problems = map(self.visits.problem_of, self.visits.entries.values())
        if (problem := next(filter(None, problems), None)) is not None or not with_model:
            return problem
        if len(self.visits.entries) < 2:
            return _("A follow-up needs two visits or more: add a later exam.")
        return None if self.model.model is not None else self.model.problem or _("Choose a response model.")

    def measure(self) -> None:
        """Measure every visit whose tumour has changed, and check the course."""
        self._start(with_model=False)

    def predict(self) -> None:
        """Measure what has changed, check the course, and predict the probability after each visit."""
        self._start(with_model=True)

    def choose_model(self, path: Path | None) -> None:
        """Choose the response model in a folder; it is read when it is needed."""
        if path != self.model.path:
            self.model.choose(path)
            self._activity.emit()

    @property
    def points(self) -> list[str]:
        """The names of the operating points after the last visit; empty without a prediction."""
        prediction = self.answer.prediction if self.answer is not None else None
        return [point.name for point in prediction.last.operating_points] if prediction is not None else []

    @property
    def point(self) -> str:
        """The operating point at which it is decided; "" without a prediction."""
        prediction = self.answer.prediction if self.answer is not None else None
        return prediction.last.operating_point.name if prediction is not None else ""

    def choose_point(self, name: str) -> None:
        """Decide at the operating points of that name, now and after further predictions."""
        self._point = name
        if self.answer is not None and name != self.point:
            self.answer = self.answer.at(name)
            self._activity.emit()

    def allow_headers_to_differ(self, allowed: bool) -> None:
        """Take the exams as one patient's although identifiers differ, as after de-identification, or refuse them."""
        self.one_patient = allowed
        self._activity.emit()

    def registration(self, name: str) -> Registration | None:
        """Return how the baseline lies in the exam of a visit; None if it was not asked for or masks have changed."""
        state, found = self._registered.get(name, (None, None))
        return found if found is not None and state == self._pair(name) else None

    def register(self, name: str, done: Callable[[], object] = lambda: None) -> None:
        """Bring baseline and a later visit together; they can be shown linked then.

        Args:
            name: of the later visit.
            done: called once it is done.
        """
        _, baseline, entry = self._activity.translate, self.visits.baseline, self.visits.entries.get(name)
        if self._activity.doing:
            return
        if baseline is None or entry is None or entry is baseline or entry.exam is None:
            self._activity.report_problem(_("Two visits with exams are needed to compare; add the missing one first."))
            return
        if self.registration(name) is not None:
            done()
            return
        work = partial(self._runner.register, baseline.drawn_exam(), entry.exam)
        self._activity.start(
            _("Registering the exams"), work, partial(self._on_registered, name, self._pair(name), done)
        )

    def save(self, folder: Path, write: Callable[..., object], **options: object) -> None:
        """Write the files of `pcr follow`.

        Args:
            folder: that is made or replaced.
            write: `follow.write_follow_up`, passed in: it draws, which a session must not.
            options: of that function.
        """
        _, answer = self._activity.translate, self.answer
        if self._activity.doing:
            return
        if answer is None:
            self._activity.report_problem(_("There is nothing of the follow-up to write; measure or predict first."))
            return
        work = partial(write, answer.course, answer.prediction, folder, **self.options(answer), **options)
        self._activity.start(_("Saving"), work, partial(self._on_saved, folder))

    def options(self, answer: Answer) -> dict[str, Any]:
        """Return what `follow.files.write_follow_up` is given beside course and prediction, for any frontend."""
        later = [visit.name for visit in answer.course if visit.exam is not None][1:]
        found = {name: registration for name in later if (registration := self.registration(name)) is not None}
        known = found if len(found) == len(later) and not self.is_stale else None
        named = {"show_patient_id": self.visits.session.named}
        return {"model": answer.model, "notices": answer.notices, "registrations": known, **named}

    def _start(self, *, with_model: bool) -> None:
        if self._activity.doing:  # a second click
            return
        if (problem := self.problem(with_model=with_model)) is not None:
            self._activity.report_problem(problem)
            return
        self._measure_next(with_model)

    def _measure_next(self, with_model: bool) -> None:
        _ = self._activity.translate
        if not (waiting := self._unmeasured()):
            self._conclude(with_model)
            return
        entry, baseline = waiting[0], self.visits.baseline
        first = None if baseline is None or baseline is entry else baseline.measured
        work = partial(self._runner.measure, entry, first)
        done = partial(self._on_measured, entry.name, self._state(entry), with_model)
        self._activity.start(_("Measuring {visit}").format(visit=entry.name), work, done)

    def _conclude(self, with_model: bool) -> None:
        entries = self.visits.entries.values()
        course = Course({entry.name: entry.visit() for entry in entries}, self.visits.clinical, _patient_of(entries))
        model = self.model.model if with_model else None
        work = partial(self._runner.conclude, course, model, self._days(), self.one_patient)
        doing = self._activity.translate("Predicting" if with_model else "Checking the visits")
        self._activity.start(doing, work, partial(self._on_concluded, self._inputs()))

    def _days(self) -> dict[str, int | None]:
        """Return the days after the first visit that the user gives, by visit."""
        return {entry.name: entry.day for entry in self.visits.entries.values()}

    def _unmeasured(self) -> list[VisitEntry]:
        return [entry for entry in self.visits.entries.values() if not self.is_current(entry)]

    def _state(self, entry: VisitEntry) -> Hashable:
        """Return what the measurement of a visit depends on: the first visit gives breast and outline."""
        baseline = self.visits.baseline
        return entry.state, None if baseline is None or baseline is entry else baseline.state

    def _pair(self, name: str) -> Hashable:
        """Return what the registration of a visit depends on."""
        baseline, entry = self.visits.baseline, self.visits.entries[name]
        return (baseline.number, entry.number) if baseline is not None else None

    def _inputs(self) -> Hashable:
        """Return what the answer depends on, to be compared."""
        visits = tuple((entry.name, self._state(entry)) for entry in self.visits.entries.values())
        clinical = tuple(sorted((name, str(value)) for name, value in self.visits.clinical.items()))
        return visits, clinical, self.model.checksum, self.one_patient, tuple(self._days().items())

    def _forget(self) -> None:
        """Forget the answer once a visit that it names is gone, and registrations of visits that are gone."""
        names = set(self.visits.entries)
        if self.answer is not None and not {visit.name for visit in self.answer.course} <= names:
            self.answer = None
        self._registered = {name: found for name, found in self._registered.items() if name in names}

    def _on_measured(self, name: str, state: Hashable, with_model: bool, measured: Visit) -> None:
        entry = self.visits.entries.get(name)
        if entry is None or self._state(entry) != state:  # edited meanwhile
            self._activity.report_problem(
                self._activity.translate("{visit} was changed meanwhile; measure again.").format(visit=name)
            )
            return
        self.visits.entries[name] = replace(entry, measured=measured, measured_from=state)
        self._measure_next(with_model)

    def _on_concluded(self, inputs: Hashable, answer: Answer) -> None:
        if answer.problem:  # what was shown stays
            self._activity.report_problem(answer.problem)
            return
        self.answer, self._answered = answer.at(self._point), inputs
        self._activity.message = self._activity.translate("Done.")

    def _on_registered(self, name: str, pair: Hashable, done: Callable[[], object], found: Registration) -> None:
        self._registered[name] = pair, found
        done()

    def _on_saved(self, folder: Path, _nothing: object) -> None:
        self._activity.message = self._activity.translate("Saved in {folder}").format(folder=folder)


def _patient_of(entries: Iterable[VisitEntry]) -> str | None:
    known = (entry.exam.provenance.patient_id for entry in entries if entry.exam is not None)
    return next(filter(None, known), None)
