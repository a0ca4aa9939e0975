"""A patient followed under treatment, as a call asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import Notice
from ..response.checks import check_course
from ..response.course import Course
from ..response.model import ResponseModel
from ..response.prediction import ResponsePrediction
from ..visits.dates import with_days
from ..visits.given import GivenVisit, read_days
from ..visits.read import Report, read_course
from ..visits.table import CourseTable, only_course


@dataclass(frozen=True, eq=False)
class FollowUp:
    """A patient's visits and what they predict.

    Args:
        course: the visits, measured, with their exams if there are images.
        prediction: after each visit; `prediction.last` is that after the latest.
        notices: warnings about the course; those about a visit are in `course`, those of the model in `prediction`.
        model: that predicted.
    """

    course: Course
    prediction: ResponsePrediction
    notices: tuple[Notice, ...]
    model: ResponseModel

    def write(self, out: Path, *, show_patient_id: bool = False, dicom: bool = False) -> None:
        """Write the files of the follow-up; arguments and errors are those of `follow.files.write_follow_up`."""
        from ..follow.files import write_follow_up

        write_follow_up(
            self.course,
            self.prediction,
            out,
            model=self.model,
            notices=self.notices,
            show_patient_id=show_patient_id,
            dicom=dicom,
        )


def follow_exams(
    given: Sequence[GivenVisit],
    clinical: Mapping[str, object],
    model: ResponseModel,
    operating_point: str | None = None,
    *,
    one_patient: bool = False,
    report: Report = lambda _: None,
) -> FollowUp:
    """Read and measure the exams of a patient's visits, and predict from them.

    Args:
        given: two visits or more in the order of time.
        clinical: of the patient; it replaces what the exams' sources have.
        operating_point: name, or None for the first of the model.
        one_patient: accept exams whose headers name different patients.
        report: called with what is done now.

    Raises:
        DataError: if the exams cannot be read, compared or predicted.
    """
    course = read_course(given, clinical, one_patient, report)
    return _follow(course, check_course(course, one_patient), model, operating_point)


def follow_values(
    table: Path,
    found: CourseTable,
    clinical: Mapping[str, object],
    days: Mapping[str, Sequence[str]],
    model: ResponseModel,
    operating_point: str | None = None,
) -> FollowUp:
    """Predict from the measurements of one patient in a table.

    Args:
        table: for messages.
        found: its content.
        clinical: of the patient; it replaces what the table has.
        days: by visit one word, days after the first visit.
        operating_point: name, or None for the first of the model.

    Raises:
        DataError: if there is not one patient with two visits, or the visits cannot be predicted.
    """
    course = only_course(table, found)
    course = replace(course, clinical={**course.clinical, **clinical})
    course = with_days(course, read_days(days, course.visits))
    return _follow(course, check_course(course), model, operating_point)


def _follow(course: Course, notices: Sequence[Notice], model: ResponseModel, operating_point: str | None) -> FollowUp:
    return FollowUp(course, model.predict(course, operating_point), tuple(notices), model)
