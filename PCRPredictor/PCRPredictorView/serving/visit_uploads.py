"""What a browser sent for a visit of the follow-up: one exam, or a DICOM folder with several studies."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Exam
from PCRPredictorLib.session.course.reading import studies_in, study_of
from PCRPredictorLib.session.course.study import Study

from .uploads import in_users_words, uploaded_entry


def uploaded_studies(folder: Path, visit: str) -> Sequence[Study]:
    """Return what a browser sent as studies; an error is reported without the folder's name.

    Args:
        folder: where `uploads.receive` wrote it; what nothing needs any more is deleted.
        visit: that was chosen.

    Raises:
        DataError: if it holds no exam, or several patients.
    """
    try:
        source = uploaded_entry(folder, "uploaded exam")
        found = studies_in(folder / "dicom", visit) if (folder / "dicom").is_dir() else [study_of(source, visit)]
        if len(found) == 1:  # its mask and choice of phases count
            found = [study_of(source, visit)]
        return [replace(study, read=partial(_read, study, folder, len(found) == 1)) for study in found]
    except DataError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise DataError(in_users_words(folder, str(error))) from None


def _read(study: Study, folder: Path, is_only: bool) -> Exam:
    """Return the exam of a study; if it is the only one, its files are deleted but for headers that results need."""
    try:
        exam = study.read()
    except DataError as error:
        raise DataError(in_users_words(folder, str(error))) from None
    if is_only:
        for path in [path for path in folder.rglob("*") if path.is_file() and path not in exam.provenance.files]:
            path.unlink(missing_ok=True)
    return exam
