"""Predictions of many patients' courses, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import DataError, Problem
from ..response.checks import check_course
from ..response.course import VISITS, Course
from ..response.model import ResponseModel
from ..writing import whole_folder, write_csv

TABLE = "predictions.csv"
_LAST = (
    "patient_id", "visits", "probability", "low", "high", "threshold", "decision", "decision_withheld", "base_rate",
)  # fmt: skip
COLUMNS = (*_LAST, *(f"probability_{visit}" for visit in VISITS), "warnings", "model", "error")


def write_predictions(
    courses: Sequence[Course],
    left_out: Sequence[Problem],
    model: ResponseModel,
    operating_point: str | None,
    out: Path,
) -> list[Problem]:
    """Predict every patient and write `predictions.csv`, all of it or nothing; a problem of one stops no other.

    Args:
        courses: of the patients.
        left_out: patients without a visit, who get a row with the reason.
        model: that predicts.
        operating_point: name; None for the first of the model.
        out: folder.

    Returns:
        The patients that could not be predicted.

    Raises:
        DataError: if the folder cannot be written, or no patient could be predicted.
    """
    rows = [_predict(course, model, operating_point) for course in courses]
    rows += [{"patient_id": problem.patient_id, "error": problem.reason} for problem in left_out]
    failed = [Problem(str(row["patient_id"]), str(row["error"])) for row in rows if row.get("error")]
    if len(failed) == len(rows):
        raise DataError(f"no patient could be predicted; the first: {failed[0].reason if failed else 'there is none'}")
    with whole_folder(out) as folder:
        write_csv(COLUMNS, [[row.get(name, "") for name in COLUMNS] for row in rows], folder / TABLE)
    return failed


def _predict(course: Course, model: ResponseModel, operating_point: str | None) -> dict[str, object]:
    """Return the row of a patient."""
    row: dict[str, object] = {"patient_id": course.patient_id or "", "visits": " ".join(v.name for v in course)}
    try:
        notices = check_course(course)
        found = model.predict(course, operating_point)
    except DataError as error:
        return {**row, "error": str(error)}
    last = found.last
    codes = [notice.code for notice in (*notices, *found.notices, *last.notices)]
    return {
        **row,
        "probability": last.probability,
        "low": last.interval[0],
        "high": last.interval[1],
        "threshold": last.operating_point.threshold,
        "decision": last.decision or "",
        "decision_withheld": last.decision_withheld or "",
        "base_rate": found.model.base_rate,
        **{f"probability_{each.visit}": each.probability for each in found.visits},
        "warnings": " ".join(dict.fromkeys(codes)),
        "model": f"{found.model.name} {found.model.version}",
    }
