"""The studies of one patient in a DICOM folder: told apart by UID and date, each read as one exam.

Images belong to one study if they share its UID, or lie in one frame of reference on one day: de-identification may
give a study several UIDs. Images of one UID that were acquired days apart are several studies if each has a dynamic
acquisition of its own: de-identification may give several studies one UID. A study without one is named and left aside.
"""

from __future__ import annotations

import datetime
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..dicom.acquisitions import find_sets, whole_phases
from ..dicom.exam import DicomExam, find_phases
from ..dicom.folder import ImageFile, OtherFile, drop_copies, read_folder
from ..dicom.headers import name_series, tag_text
from ..dicom.identity import check_patient
from ..errors import DataError, Notice
from ..formatting import count
from ..lesion.body import Side
from .dates import Dates, choose_dates, dates_in
from .facts import side_of

_LEAST = 3  # phases of an exam
_SHOWN = 3  # series in a description
_NIGHT = datetime.timedelta(days=1)  # an exam may last beyond midnight


@dataclass(frozen=True, eq=False)
class Study:
    """One study of the patient.

    Args:
        files: of the folder that belong to it.
        exam: its dynamic acquisition; None if it has none that can be used.
        fault: why it has none, as a sentence; else empty.
        may_be_exam: True if it has phases of an exam, although they may not be usable.
        series: names of its series.
        date: None if it is unknown.
        time: of the day, as it is written.
        side: of the breast, if the headers name one.
        day: days after the first study with an exam; None if a date is unknown.
    """

    files: tuple[Path, ...]
    exam: DicomExam | None
    fault: str
    may_be_exam: bool
    series: tuple[str, ...]
    date: datetime.date | None
    time: str
    side: Side | None = None
    day: int | None = None

    def describe(self) -> str:
        """Return day and content in words, without a date: "day 22: 6 phases, right breast"."""
        when = "unknown day" if self.day is None else f"day {self.day}"
        where = f", {self.side} breast" if self.side else ""
        if self.exam is not None:
            return f"{when}: {count(len(self.exam.phases), 'phase')}{where}"
        more = ", ..." if len(self.series) > _SHOWN else ""
        shown = ", ".join(self.series[:_SHOWN]) + more
        return f"{when}: {self.fault if self.may_be_exam else f'no dynamic series ({shown})'}{where}"


@dataclass(frozen=True, eq=False)
class Studies:
    """The studies of a folder in the order of time, with and without an exam.

    Args:
        folder: that was read.
        studies: of the patient.
        notices: warnings about the patient.
        lost: files without an image that belong to no study.
    """

    folder: Path
    studies: tuple[Study, ...]
    notices: tuple[Notice, ...] = ()
    lost: tuple[OtherFile, ...] = ()

    @property
    def exams(self) -> tuple[Study, ...]:
        """Return the studies that are, or may be, exams."""
        return tuple(study for study in self.studies if study.may_be_exam)

    @property
    def left_aside(self) -> tuple[Study, ...]:
        """Return the studies without a dynamic acquisition."""
        return tuple(study for study in self.studies if not study.may_be_exam)


def find_studies(folder: Path) -> Studies:
    """Return the studies of the patient whose files are in a folder.

    Raises:
        DataError: if the folder has no DICOM images, or those of several patients.
    """
    folder = Path(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of pydicom, about values that the standard does not allow
        images, others = read_folder(folder)
        notices = check_patient(folder, [image.header for image in images])
        groups = _join([part for same in _by_uid(images) for part in _by_day(same)])
        dates = choose_dates([_common(dates_in(image.header) for image in group) for group in groups])
        studies = [
            _as_study(folder, group, _beside(group, groups, others), date)
            for group, date in zip(groups, dates, strict=True)
        ]
    ordered = sorted(studies, key=lambda study: (study.date or datetime.date.max, study.time, study.files))
    used = {file for study in studies for file in study.files}
    lost = tuple(other for other in others if other.file not in used)
    return Studies(folder, tuple(_with_days(ordered)), tuple(notices), lost)


def _by_uid(images: Iterable[ImageFile]) -> list[list[ImageFile]]:
    groups = defaultdict(list)
    for image in images:
        groups[tag_text(image.header, "StudyInstanceUID")].append(image)
    return list(groups.values())


def _by_day(images: Sequence[ImageFile]) -> list[list[ImageFile]]:
    """Divide images of one UID that were acquired days apart, if each part has a dynamic acquisition."""
    days = defaultdict(list)
    for image in images:
        dates = dates_in(image.header)
        days[dates.acquisition or dates.study].append(image)
    known = sorted(day for day in days if day is not None)
    parts: list[list[datetime.date]] = []
    for day in known:
        if parts and day - parts[-1][-1] <= _NIGHT:
            parts[-1].append(day)
        else:
            parts.append([day])
    groups = [[image for day in part for image in days[day]] for part in parts]
    whole = [group for group in groups if _phases_in(group) >= _LEAST]
    if len(whole) < 2:
        return [list(images)]
    rest = [group for group in groups if group not in whole] + ([days[None]] if None in days else [])
    return [*whole, *rest]


def _join(groups: Sequence[list[ImageFile]]) -> list[list[ImageFile]]:
    """Return groups of images; those of one frame of reference and day are one study, unless both are whole exams."""
    joined: list[list[ImageFile]] = []
    for group in sorted(groups, key=len, reverse=True):
        frames, days = _frames(group), _days(group)
        for other in joined:
            near = not days or not _days(other) or min(abs(a - b) for a in days for b in _days(other)) <= _NIGHT
            if frames & _frames(other) and near and min(_phases_in(group), _phases_in(other)) < _LEAST:
                other += group
                break
        else:
            joined.append(list(group))
    return joined


def _frames(group: Iterable[ImageFile]) -> set[str]:
    return {tag_text(image.header, "FrameOfReferenceUID") for image in group} - {""}


def _days(group: Iterable[ImageFile]) -> set[datetime.date]:
    dates = [dates_in(image.header) for image in group]
    return {day for each in dates if (day := each.study or each.acquisition) is not None}


def _phases_in(images: Iterable[ImageFile]) -> int:
    """Return the number of whole phases of the largest acquisition among images."""
    sets, _ = find_sets(drop_copies(images)[0])
    return max((len(whole_phases(same)) for same in sets), default=0)


def _time(group: Iterable[ImageFile]) -> str:
    """Return the earliest time of a study, as it is written."""
    return min(filter(None, (tag_text(image.header, "StudyTime") for image in group)), default="")


def _common(dates: Iterable[Dates]) -> Dates:
    """Return the most frequent dates of a study's images."""
    studies, acquired = zip(*dates, strict=True)
    return Dates(*(_most([day for day in days if day is not None]) for days in (studies, acquired)))


def _most(days: Sequence[datetime.date]) -> datetime.date | None:
    counts = Counter(days)
    return max(counts, key=lambda day: (counts[day], -day.toordinal()), default=None)


def _beside(
    group: Sequence[ImageFile], groups: Sequence[Sequence[ImageFile]], others: Iterable[OtherFile]
) -> list[OtherFile]:
    """Return the files without an image that lie in folders of this study alone: they may be lost slices of it."""
    own = {image.file.parent for image in group}
    shared = {image.file.parent for other in groups if other is not group for image in other}
    return [other for other in others if other.file.parent in own - shared or len(groups) == 1]


def _as_study(
    folder: Path, images: Sequence[ImageFile], others: Sequence[OtherFile], date: datetime.date | None
) -> Study:
    files = tuple(sorted([*(image.file for image in images), *(other.file for other in others)]))
    sides = {side_of(image.header) for image in images} - {None}
    series = tuple(dict.fromkeys(name_series(image.header) for image in images))
    study = Study(files, None, "", True, series, date, _time(images), sides.pop() if len(sides) == 1 else None)
    try:
        return replace(study, exam=find_phases(folder, files=files))
    except DataError as error:
        fault = str(error).replace(f"{folder}: ", "")
    sets, _ = find_sets(images)
    return replace(study, fault=fault, may_be_exam=any(len(same) >= _LEAST for same in sets))


def _with_days(studies: Sequence[Study]) -> list[Study]:
    """Return the studies with the days since the first one with an exam."""
    exams = [study for study in studies if study.may_be_exam] or list(studies)
    first = exams[0].date if exams else None
    return [
        study if first is None or study.date is None else replace(study, day=(study.date - first).days)
        for study in studies
    ]
