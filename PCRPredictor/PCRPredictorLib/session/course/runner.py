"""The steps of a follow-up that take long; they run on the worker and touch no scene."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...errors import DataError, Notice, within_memory
from ...exam import Exam
from ...lesion.sides import separate_sides
from ...registration.rigid import Registration, register
from ...report.wording import Translate
from ...response.checks import SAYS_ONE_PATIENT, check_course
from ...response.course import Course, Visit, VisitValues
from ...visits.dates import with_days
from ...visits.facts import with_facts
from ...visits.measured import measure_in_course
from .entry import VisitEntry

_DPI = 144  # of the chart, which panel and page draw smaller
_TICK = "tick “One patient, although headers differ”"

if TYPE_CHECKING:
    from ...response.model import ResponseModel
    from ...response.prediction import ResponsePrediction


@dataclass(frozen=True, eq=False)
class Answer:
    """What is known of the visits.

    Args:
        course: that was measured.
        notices: warnings about it.
        prediction: after each visit; None if the visits were only measured.
        model: that predicted.
        chart: the chart as PNG, b"" without one.
        problem: why nothing follows, "" if it does.
    """

    course: Course
    notices: tuple[Notice, ...] = ()
    prediction: ResponsePrediction | None = None
    model: ResponseModel | None = None
    chart: bytes = b""
    problem: str = ""

    def at(self, point: str) -> Answer:
        """Return the answer with the decisions at the operating points of a name, where a visit has it."""
        if self.prediction is None or not point:
            return self
        return replace(self, prediction=self.prediction.with_operating_point(point))


class CourseRunner:
    """Register, measure and predict.

    Args:
        translate: a sentence into the frontend's language; it is called on the worker.
    """

    def __init__(self, translate: Translate = str) -> None:
        self._translate = translate

    def register(self, baseline: Exam, exam: Exam) -> Registration:
        """Return how a baseline exam lies in a later one; raises DataError."""
        with within_memory():
            return register(baseline, exam)

    def measure(self, entry: VisitEntry, first: Visit | None) -> Visit:
        """Return a visit as it is measured, see `visits.measured.measure_in_course`.

        Args:
            entry: with an exam.
            first: the patient's first visit with an exam as it was measured, None if this is it.

        Raises:
            DataError: if the exam cannot be measured, or the baseline's outline cannot be brought over.
        """
        exam = separate_sides(entry.measured_exam())
        with within_memory():
            return measure_in_course(Visit(entry.name, VisitValues(), exam, entry.date), entry.use, first)

    def conclude(
        self, course: Course, model: ResponseModel | None, days: Mapping[str, int | None], one_patient: bool = False
    ) -> Answer:
        """Return what follows from measured visits: warnings and, with a model, the probability after each visit.

        Args:
            course: the visits.
            model: that predicts, or None.
            days: after the first visit as the user says, by visit.
            one_patient: accept exams whose patient identifiers differ.
        """
        try:
            course = with_days(with_facts(course), days)
            notices = tuple(check_course(course, one_patient))
            prediction = model.predict(course) if model is not None else None
            chart = self._draw(course, prediction, model)
        except DataError as error:
            return Answer(course, problem=str(error).replace(SAYS_ONE_PATIENT, _TICK))
        return Answer(course, notices, prediction, model, chart)

    def _draw(self, course: Course, prediction: ResponsePrediction | None, model: ResponseModel | None) -> bytes:
        from ...follow.chart import draw_chart  # loads matplotlib

        file = io.BytesIO()
        figure = draw_chart(
            course, prediction, model.bands if model is not None else None, self._translate, narrow=True
        )
        figure.savefig(file, format="png", dpi=_DPI)
        return file.getvalue()
