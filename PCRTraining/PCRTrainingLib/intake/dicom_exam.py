"""One patient's DICOM files read as an exam: the study, and all of its phases."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from PCRPredictorLib.dicom.exam import DicomExam, find_phases, read_dicom_exam
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import VISITS, Exam
from PCRPredictorLib.visits.propose import ASIDE, propose_by_days

from .dicom_files import DicomPatient, Study

_SHOWN = 4  # studies in a message
FIRST, LAST = "first", "last"
EACH = "visits"  # instead of one of them: each study is a visit
_LARGE = 0.5  # of the files of an exam: a study with more, which cannot be read, may be an exam, too


@dataclass(frozen=True, eq=False)
class FoundExam:
    """A patient's exam: its phases, the folder with its files, and a sentence about the study if there were several.

    Args:
        study: that it was found in; None if it is of all files.
        day: after the first exam, None if a date is unknown.
    """

    exam: DicomExam
    folder: Path
    remark: str = ""
    study: Study | None = None
    day: int | None = None


def find_exam(patient: DicomPatient, which: str | None, place: Path) -> FoundExam:
    """Return the exam of a patient.

    Args:
        which: of several studies with an exam, FIRST or LAST; None refuses them.
        place: folder for links to the files.

    Raises:
        DataError: if the files hold no exam, or several of which none was chosen.
    """
    files = [file for study in patient.studies for file in study.files]
    folder = _gather([*files, *patient.others], place / "all")
    try:
        return FoundExam(find_phases(folder), folder)
    except DataError as error:
        if len(patient.studies) < 2:
            raise DataError(_without_path(error, folder)) from None
        whole = _without_path(error, folder)
    tried = [_try_study(study, place / str(k)) for k, study in enumerate(patient.studies)]
    exams = [found for found in tried if isinstance(found, FoundExam)]
    if not exams:
        raise DataError(whole)
    most = max(sum(len(phase.slices) for phase in found.exam.phases) for found in exams)
    possible = [
        k
        for k, study in enumerate(patient.studies)
        if isinstance(tried[k], FoundExam) or len(study.files) > _LARGE * most
    ]
    return _choose(patient.studies, tried, possible, which)


def find_visits(patient: DicomPatient, place: Path) -> dict[str, FoundExam]:
    """Return the exams of a patient by visit, told by the days between the studies; studies without one are left out.

    Args:
        place: folder for links to the files.

    Raises:
        DataError: if no study holds an exam, or it cannot be told which visit each exam is.
    """
    try:
        return {VISITS[0]: find_exam(patient, None, place / "one")}
    except DataError as error:
        if len(patient.studies) < 2:
            raise
        tried = [_try_study(study, place / str(k)) for k, study in enumerate(patient.studies)]
        exams = [
            replace(found, study=patient.studies[k]) for k, found in enumerate(tried) if isinstance(found, FoundExam)
        ]
        if not exams:
            raise error from None
    days = _days([found.study for found in exams if found.study is not None])
    names = propose_by_days(days) if len(exams) > 1 else (VISITS[0],)
    if names is None:
        shown = ", ".join("unknown" if day is None else str(day) for day in days)
        raise DataError(
            f"has {len(exams)} exams (days {shown}), of which it cannot be told which visits they are; give folders "
            "without the exams that are no visits"
        )
    left = len(patient.studies) - len(exams) + names.count(ASIDE)
    remark = f"studies left aside: {left} (no dynamic series, or long before the others)" if left else ""
    start = days[names.index(VISITS[0])]
    return {
        name: replace(found, remark=remark if name == VISITS[0] else "", day=_between(start, day))
        for name, found, day in zip(names, exams, days, strict=True)
        if name != ASIDE
    }


def _between(start: int | None, day: int | None) -> int | None:
    return None if start is None or day is None else day - start


def _days(studies: Sequence[Study]) -> list[int | None]:
    """Return the days of studies after the first; None if a date is unknown."""
    dates = [_day(study) for study in studies]
    return [None if date is None or dates[0] is None else (date - dates[0]).days for date in dates]


def read_phases(found: FoundExam) -> Iterator[tuple[list[int], Exam]]:
    """Yield all phases in turn, three at a time: their numbers, and an exam with these phases.

    A phase may be among two of the threes.

    Raises:
        DataError: if the pixels of a phase cannot be read.
    """
    count = len(found.exam.phases)
    for start in range(0, count, 3):
        numbers = list(range(count))[max(0, min(start, count - 3)) :][:3]
        yield numbers, read_dicom_exam(found.folder, numbers)


def _choose(
    studies: Sequence[Study], tried: Sequence[FoundExam | DataError], possible: Sequence[int], which: str | None
) -> FoundExam:
    if len(possible) > 1 and which is None:
        raise DataError(
            f"has {len(possible)} studies that may be the exam ({_describe(studies, tried, possible)}); choose the one "
            f"before therapy with --study {FIRST} or {LAST}, import each as a visit with --study {EACH}, or give each "
            "its PatientID if they are different patients"
        )
    moments = {studies[k].moment for k in possible}
    if len(possible) > 1 and ("" in moments or len(moments) < len(possible)):
        raise DataError("has several studies without different dates; give a folder with one study of this patient")
    chosen = possible[0] if which == FIRST else possible[-1]
    found = tried[chosen]
    if isinstance(found, DataError):
        raise found
    return FoundExam(found.exam, found.folder, f"study {chosen + 1} of {len(studies)} in the order of their dates")


def _describe(studies: Sequence[Study], tried: Sequence[FoundExam | DataError], possible: Sequence[int]) -> str:
    """Return what the studies hold, and the days between them but no date."""
    texts, begin = [], _day(studies[possible[0]])
    for k in possible[:_SHOWN]:
        found = tried[k]
        what = f"{len(found.exam.phases)} phases" if isinstance(found, FoundExam) else f"cannot be read: {found}"
        day = _day(studies[k])
        later = f", {(day - begin).days} days later" if begin and day and k != possible[0] else ""
        texts.append(f"study {k + 1}: {what}{later}")
    return "; ".join(texts) + ("; ..." if len(possible) > _SHOWN else "")


def _day(study: Study) -> datetime | None:
    with suppress(ValueError):
        return datetime.strptime(study.moment[:8], "%Y%m%d")
    return None


def _try_study(study: Study, place: Path) -> FoundExam | DataError:
    folder = _gather(study.files, place)
    try:
        return FoundExam(find_phases(folder), folder)
    except DataError as error:
        return DataError(_without_path(error, folder))


def _without_path(error: DataError, folder: Path) -> str:
    return str(error).replace(f"{folder}: ", "").replace(str(folder), "the files")


def _gather(files: Sequence[Path], place: Path) -> Path:
    """Return a new folder with links to these files alone: the archive's folders may hold several patients."""
    common = Path(os.path.commonpath([file.parent for file in files]))
    for file in files:
        link = place / file.relative_to(common)
        link.parent.mkdir(parents=True, exist_ok=True)
        _link(file.resolve(), link)
    return place


def _link(file: Path, link: Path) -> None:
    for make in (os.symlink, os.link):
        with suppress(OSError):  # Windows asks for a right, other disks for a copy
            make(file, link)
            return
    shutil.copyfile(file, link)
