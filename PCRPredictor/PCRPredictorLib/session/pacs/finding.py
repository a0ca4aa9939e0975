"""Find a study in the PACS and open it, with the tumour of its segmentation if it has one."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ...errors import DataError
from ...exam import Exam
from ...pacs.connection import Connection
from ...pacs.fetching import NONE, fetch_study
from ...pacs.rows import rows_of
from ...pacs.studies import Query, find_studies, find_study, with_series
from ...pacs.study import Study
from ...reading.sources import given_source
from ..session import Session
from .place import PacsPlace, check_stopped

_SHOWN = 25  # studies whose series are looked at
_LONGEST = 64  # characters of a field, as of a PatientID


@dataclass(frozen=True)
class Found:
    """What a search found.

    Args:
        studies: those that are shown, with their series, the newest first.
        total: number of all that match.
    """

    studies: tuple[Study, ...] = ()
    total: int = 0


class StudySearch:
    """Find studies, and open one of them in a session.

    Args:
        session: that the study is opened in.
        place: the PACS.
        folder: for what is fetched; only the study that is open is kept.

    Attributes:
        found: by the last search; None before one.
        note: about the study that was opened, a sentence; "" if nothing is to be said.
    """

    def __init__(self, session: Session, place: PacsPlace, folder: Path) -> None:
        self._session, self._place, self._folder = session, place, folder
        self.found: Found | None = None
        self.note = ""
        self._fetched = 0
        self._kept: Path | None = None

    def search(self, patient: str = "", date: str = "", description: str = "") -> None:
        """Look for MR studies; empty fields match any."""
        activity = self._session.activity
        if activity.doing:
            return
        given = [str(each).strip()[:_LONGEST] for each in (patient, date, description)]
        query = Query(patient=given[0], date=given[1], description=given[2], modality="MR")
        self._place.begin()
        work = partial(_search, self._place, query)
        activity.start(activity.translate("Searching the PACS"), work, self._on_found)

    def open(self, number: int) -> None:
        """Fetch and open a study by its number among those that were found; any other number does nothing."""
        session, studies = self._session, self.found.studies if self.found is not None else ()
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < len(studies):
            return
        if session.activity.doing:
            return
        self._fetched += 1
        self._place.begin()
        study, folder = studies[number], self._folder / f"study-{self._fetched}"
        notes: list[str] = []
        _ = session.activity.translate
        title = _("study of {date}").format(date=study.date or "?")
        session.open(
            partial(self._read, study.uid, folder, notes),
            " ".join(filter(None, (title, study.without_patient(study.description)))),
            partial(self._on_opened, folder, notes),
        )

    def rows(self, show_patient: bool = False) -> list[dict[str, object]]:
        """Return what was found as rows, see `pacs.rows`; only the patient's columns name the patient."""
        return rows_of(self.found.studies, show_patient) if self.found is not None else []

    def _read(self, uid: str, folder: Path, notes: list[str]) -> Exam:
        """Fetch and read a study; runs on the worker. Nothing is left if that fails."""
        try:
            connection = self._place.connect()
            study = find_study(connection, uid)
            several = len(study.segmentations) > 1
            fetched = fetch_study(connection, study, folder, segmentation=NONE if several else "")
            if several:
                count = len(study.segmentations)
                _ = self._session.activity.translate
                notes.append(
                    _("The study has {count} segmentations, of which none is taken: segment the tumour.").format(
                        count=count
                    )
                )
            exam = given_source([], fetched.folder).with_overrides(fetched.segmentation, {}, ()).read()
            check_stopped(connection.stopping)
            return exam
        except BaseException as error:
            shutil.rmtree(folder, ignore_errors=True)
            if isinstance(error, DataError):
                raise DataError(str(error).replace(str(folder), "the study")) from None
            raise

    def _on_found(self, found: Found) -> None:
        self.found = found

    def _on_opened(self, folder: Path, notes: list[str]) -> None:
        if self._kept is not None:
            shutil.rmtree(self._kept, ignore_errors=True)
        self._kept, self.note = folder, " ".join(notes)


def _search(place: PacsPlace, query: Query) -> Found:
    try:
        connection: Connection = place.connect()
        found = find_studies(connection, query)
    except DataError as error:  # the option of the command is a field here
        raise DataError(str(error).replace("--date", "the date")) from None
    return Found(tuple(with_series(connection, study) for study in found[:_SHOWN]), len(found))
