"""The studies of a PACS, as it lists them (QIDO-RS): which may be breast DCE-MRI, and what lies beside the images.

Source: DICOM PS3.18 10.6.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from ..dicom.identity import plain_name
from ..errors import DataError
from ..files.limits import INSTANCES, STUDIES
from .connection import Connection
from .dicom_json import Row, is_tag, number, text, values_of
from .errors import PacsError
from .study import Series, Study

_PAGE = 500  # rows that are asked for at once; a PACS may send fewer
_UID = re.compile(r"\d+(\.\d+)*", re.ASCII)
_ENCODED = re.compile(r"[^A-Za-z0-9._~*?-]+")  # in a URL
_STUDY_FIELDS = ("StudyDescription", "ModalitiesInStudy", "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances")
_SERIES_FIELDS = (
    "SeriesDescription",
    "NumberOfSeriesRelatedInstances",
    "BodyPartExamined",
    "Manufacturer",
    "NumberOfTemporalPositions",
)


@dataclass(frozen=True)
class Query:
    """What a study must match; empty for any.

    Args:
        patient: PatientID; `*` and `?` stand for any characters.
        name: of the patient.
        date: YYYYMMDD, or a range such as 20240101-20240630, 20240101- or -20240630.
        description: of the study, a part of it.
        modality: that the study has.
        study: its UID.
    """

    patient: str = ""
    name: str = ""
    date: str = ""
    description: str = ""
    modality: str = ""
    study: str = ""


def check_uid(text: str, what: str = "--study") -> str:
    """Return a UID.

    Raises:
        DataError: if it is none.
    """
    if not is_uid(text):
        raise DataError(
            f"{what} must be a UID, numbers with dots between them, got {text[:80]!r}; pcr pacs find lists them"
        )
    return text


def is_uid(text: str) -> bool:
    """Return True for a UID, also one with leading zeros, which some scanners write."""
    return len(text) <= 64 and _UID.fullmatch(text) is not None


def find_studies(connection: Connection, query: Query = Query(), most: int = STUDIES) -> list[Study]:
    """Return the studies that match, the newest first, without their series.

    Args:
        most: number of studies that are read.

    Raises:
        PacsError: if the PACS cannot be asked.
        DataError: if a value is not what it must be.
    """
    filters = _filters(query)
    rows = _all(
        lambda limit, offset: connection.client.search_for_studies(
            fields=list(_STUDY_FIELDS), search_filters=dict(filters), limit=limit, offset=offset
        ),
        connection,
        ("StudyInstanceUID", "PatientID"),
        most,
    )
    found = [study for study in map(_as_study, rows) if is_uid(study.uid) and _matches(study, query)]
    return sorted(found, key=lambda study: (study.date, study.uid), reverse=True)


def find_study(connection: Connection, uid: str) -> Study:
    """Return a study with its series.

    Raises:
        PacsError: if the PACS cannot be asked.
        DataError: if there is no such study, or several patients share its UID.
    """
    found = find_studies(connection, Query(study=check_uid(uid)))
    if not found:
        raise DataError(f"the PACS at {connection.place} has no study {uid}; pcr pacs find lists its studies")
    if len({study.patient_id for study in found}) > 1:
        raise DataError(
            f"study {uid} is of {len(found)} patients in the PACS at {connection.place}; have it corrected there"
        )
    return with_series(connection, found[0])


def with_series(connection: Connection, study: Study) -> Study:
    """Return a study with its series, by their numbers; messages name them without the patient.

    Raises:
        PacsError: if the PACS cannot be asked.
        DataError: if it lists more than any study has.
    """
    rows = _all(
        lambda limit, offset: connection.client.search_for_series(
            study.uid, fields=list(_SERIES_FIELDS), limit=limit, offset=offset
        ),
        connection,
        ("SeriesInstanceUID",),
        INSTANCES,
    )
    series = [
        replace(one, shown=study.without_patient(one.description)) for one in map(_as_series, rows) if is_uid(one.uid)
    ]
    series.sort(key=lambda one: (one.number is None, one.number or 0, one.uid))
    return replace(study, series=tuple(series))


def find_instances(connection: Connection, study: str, series: str) -> dict[str, str]:
    """Return the SOP Instance UIDs of a series with their SOP classes.

    Raises:
        PacsError: if the PACS cannot be asked.
        DataError: if it lists more than any study has.
    """
    rows = _all(
        lambda limit, offset: connection.client.search_for_instances(study, series, limit=limit, offset=offset),
        connection,
        ("SOPInstanceUID",),
        INSTANCES,
    )
    return {
        text(row, "SOPInstanceUID"): text(row, "SOPClassUID") for row in rows if is_uid(text(row, "SOPInstanceUID"))
    }


def _all(search: Callable[[int, int], object], connection: Connection, identity: Sequence[str], most: int) -> list[Row]:
    """Return all rows of a search, page by page, until one brings nothing new: a PACS may ignore offset or limit."""
    rows: dict[tuple[str, ...], Row] = {}
    offset = 0
    while True:
        try:
            page = connection.attempt(lambda at=offset: _as_rows(search(_PAGE, at)))  # type: ignore[misc]
        except PacsError as problem:
            if problem.status != 404 or not rows:
                raise
            page = []  # some have no page after the last
        before = len(rows)
        for row in page:
            rows.setdefault(tuple(text(row, name) for name in identity), row)
        if len(rows) > most:
            raise DataError(f"the PACS at {connection.place} lists more than {most} rows; ask for fewer")
        if len(rows) == before:
            return list(rows.values())
        offset += len(page)


def _as_rows(answer: object) -> list[Row]:
    if not isinstance(answer, list) or not all(isinstance(row, Mapping) and any(map(is_tag, row)) for row in answer):
        raise ValueError("no list of data sets")  # but an error in JSON, for one
    return answer


def _as_study(row: Row) -> Study:
    return Study(
        text(row, "StudyInstanceUID"),
        text(row, "StudyDate"),
        text(row, "StudyDescription"),
        tuple(map(str, values_of(row, "ModalitiesInStudy"))),
        number(row, "NumberOfStudyRelatedSeries"),
        number(row, "NumberOfStudyRelatedInstances"),
        text(row, "PatientID"),
        text(row, "PatientName"),
        born=text(row, "PatientBirthDate"),
    )


def _as_series(row: Row) -> Series:
    return Series(
        text(row, "SeriesInstanceUID"),
        text(row, "Modality").upper(),
        number(row, "SeriesNumber"),
        text(row, "SeriesDescription"),
        number(row, "NumberOfSeriesRelatedInstances"),
        text(row, "BodyPartExamined"),
        text(row, "Manufacturer"),
        number(row, "NumberOfTemporalPositions") or 0,
    )


def _filters(query: Query) -> dict[str, str]:
    """Return the filters of a search, with `*` for characters that would have to be encoded.

    Some archives do not decode them, such as Orthanc with its plugin 1.7, or drop accents. They list too many studies
    then; those that do not match are left out here.
    """
    filters = {
        "PatientID": query.patient,
        "PatientName": query.name,
        "StudyDate": check_dates(query.date) if query.date else "",
        "StudyDescription": f"*{query.description}*" if query.description else "",
        "ModalitiesInStudy": query.modality.upper(),
        "StudyInstanceUID": query.study,
    }
    return {name: _ENCODED.sub("*", value) for name, value in filters.items() if value}


def check_dates(words: str) -> str:
    """Return a date or a range of dates as DICOM writes them; also dates with hyphens between year, month and day.

    Raises:
        DataError: if it is none.
    """
    plain = re.sub(r"(\d{4})-(\d{2})-(\d{2})", r"\1\2\3", words.strip())
    if not re.fullmatch(r"\d{8}|\d{8}-(\d{8})?|-\d{8}", plain):
        raise DataError(f"--date must be a date or a range, such as 20240131 or 20240101-20240630, got {words[:40]!r}")
    return plain


def _matches(study: Study, query: Query) -> bool:
    """Return False for a study that the PACS lists although it does not match: some ignore filters."""
    first, hyphen, last = check_dates(query.date).partition("-") if query.date else ("", "-", "")
    last = last if hyphen else first
    return (
        query.study in ("", study.uid)
        and (not query.modality or not study.modalities or query.modality.upper() in study.modalities)
        and (not study.description or query.description.lower() in study.description.lower())
        and (not query.patient or _fits(study.patient_id.lower(), query.patient.lower()))
        and (not query.name or any(_fits(plain_name(each), plain_name(query.name)) for each in _writings(study)))
        and (not study.date or (first or study.date) <= study.date <= (last or study.date))
    )


def _fits(value: str, pattern: str) -> bool:
    """Return True if a value is that of a pattern, in which `*` and `?` stand for any characters."""
    return fnmatchcase(value, pattern.replace("[", "[[]"))


def _writings(study: Study) -> list[str]:
    """Return a patient's name in each of its groups of letters."""
    return study.patient_name.split("=")
