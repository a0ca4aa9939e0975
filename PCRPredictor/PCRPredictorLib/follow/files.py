"""The files of a follow-up, all of them or none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..dicom.objects.follow_up import REPORT as DICOM_REPORT
from ..dicom.objects.follow_up import check_course_possible, segment_name, write_dicom_follow_up
from ..dicom.objects.results import DICOM
from ..errors import DataError, Notice
from ..registration.rigid import Registration
from ..response.course import VISITS, Course
from ..response.prediction import ResponsePrediction
from ..writing import whole_folder, write_csv, write_json, write_nifti
from .chart import save_chart
from .compare import compare, register_visits, why_not_compared
from .content import COLUMNS, to_json, to_rows
from .page import Pictures, render_follow_up
from .picture import save_comparison

if TYPE_CHECKING:
    from ..response.model import ResponseModel

RESULT, TABLE, REPORT, CHART, COMPARISON = "follow.json", "visits.csv", "report.html", "course", "comparison.png"


def mask_name(visit: str) -> str:
    """Return the name of the file with the tumour of a visit."""
    return f"tumour_{visit}.nii.gz"


def write_follow_up(
    course: Course,
    prediction: ResponsePrediction | None,
    out: Path,
    *,
    model: ResponseModel | None = None,
    registrations: Mapping[str, Registration] | None = None,
    notices: Iterable[Notice] = (),
    show_patient_id: bool = False,
    dicom: bool = False,
) -> None:
    """Write `follow.json`, `visits.csv`, `report.html`, `course.png` and `.svg`, of visits with images the tumour masks
    and, if there are two, `comparison.png` into a folder: all of them or none.

    Args:
        course: measured visits, with their exams if there are images.
        prediction: of the course; None to write what was measured.
        model: that predicted, for the bands of its trial and its limits.
        registrations: of the first visit with images to each later one, by visit; None to register them here.
        notices: warnings about the course.
        show_patient_id: name the patient in the report.
        dicom: also write `dicom/`, see `write_dicom_follow_up`.

    Raises:
        DataError: if the folder cannot be written or holds a tumour mask that is of no earlier follow-up, or results in
            DICOM are not possible.
    """
    _check_own_masks(out)
    if dicom:
        check_course_possible(course)
    notices, course = tuple(notices), _with_masks_as_measured(course)
    found = register_visits(course) if registrations is None else registrations
    with whole_folder(out) as folder:
        masks = _write_masks(course, folder)
        write_json(to_json(course, prediction, found, masks, notices), folder / RESULT)
        write_csv(COLUMNS, to_rows(course), folder / TABLE)
        save_chart(course, prediction, model.bands if model is not None else None, folder, CHART)
        comparison = compare(course, found)
        if comparison is not None:
            save_comparison(comparison, course, folder / COMPARISON)
        pictures = Pictures(
            (folder / f"{CHART}.svg").read_text(encoding="utf-8"),
            (folder / COMPARISON).read_bytes() if comparison is not None else None,
            why_not_compared(course),
        )
        card = model.card if model is not None else None
        page = render_follow_up(
            course, prediction, pictures, card=card, notices=notices, show_patient_id=show_patient_id
        )
        (folder / REPORT).write_text(page, encoding="utf-8")
        if dicom:
            (folder / DICOM).mkdir()
            write_dicom_follow_up(course, prediction, folder / DICOM, notices)
        leftover = _leftover_files(folder, out)
    for file in leftover:
        file.unlink()


def _with_masks_as_measured(course: Course) -> Course:
    """Return the course with an empty mask at each visit at which the tumour counts as gone, whatever was drawn."""
    visits = {visit.name: visit for visit in course}
    for name, visit in visits.items():
        if visit.exam is not None and visit.values.gone:
            empty = np.zeros(visit.exam.geometry.shape, np.uint8)
            visits[name] = replace(visit, exam=replace(visit.exam, mask=empty, lesions=()))
    return replace(course, visits=visits)


def _write_masks(course: Course, folder: Path) -> dict[str, str]:
    """Write the tumour of each visit with images, empty if it is gone; return the files' names by visit."""
    found = {}
    for visit in course:
        if visit.exam is not None and visit.exam.mask is not None:
            write_nifti(
                (np.asarray(visit.exam.mask) != 0).astype(np.uint8), visit.exam.geometry, folder / mask_name(visit.name)
            )
            found[visit.name] = mask_name(visit.name)
    return found


def _check_own_masks(out: Path) -> None:
    """Refuse to replace a mask that the user keeps under the name of ours."""
    for visit in VISITS:
        if (out / mask_name(visit)).is_file() and not (out / RESULT).is_file():
            raise DataError(
                f"{out / mask_name(visit)}: is there already, and of no earlier result; choose a different folder"
            )


def _leftover_files(new: Path, old: Path) -> list[Path]:
    """Return files of an earlier follow-up, maybe of a different patient, that the new one does not replace."""
    objects = (DICOM_REPORT, *(segment_name(visit) for visit in VISITS))
    names = (COMPARISON, *(mask_name(visit) for visit in VISITS), *(f"{DICOM}/{name}" for name in objects))
    return [old / name for name in names if (old / name).is_file() and not (new / name).exists()]
