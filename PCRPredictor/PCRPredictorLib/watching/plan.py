"""What a watch would do, of each study that the PACS lists now: nothing is fetched, written or sent."""

from __future__ import annotations

from collections.abc import Iterator

from ..archive.journal import Entry, parse_entry
from ..errors import DataError
from ..pacs.connection import Connection
from ..pacs.studies import Query, find_studies, with_series
from ..pacs.study import Study
from .candidates import fingerprint, why_not, with_counts
from .one import Settings
from .records import JOURNAL


def plan(connection: Connection, settings: Settings, query: Query) -> Iterator[str]:
    """Yield a sentence per study, the oldest first.

    Raises:
        PacsError: if the PACS cannot be asked.
        DataError: if it tells of none of the studies.
    """
    kept, told, problem = _kept(settings), False, None
    for study in reversed(find_studies(connection, query)):
        try:
            said = _describe(connection, with_series(connection, study), settings, kept.get(study.uid))
            told = True
        except DataError as error:
            said, problem = f"cannot be looked into: {error}", error
        yield f"study {study.uid}: {said}"
    if problem is not None and not told:
        raise problem


def _describe(connection: Connection, study: Study, settings: Settings, entry: Entry | None) -> str:
    if reason := why_not(study, settings.find_tumour):
        return f"not predicted, {reason}"
    if entry is not None and not entry.passing and entry.inputs == fingerprint(with_counts(connection, study)):
        state, ended = (entry.rows[0].get(name, "") for name in ("state", "ended"))
        return f"{state} already, {ended}" + (f": {entry.error}" if entry.error else "")
    tumour = " and ".join(map(str, study.segmentations)) or "a tumour that is found"
    place = f"sent to {connection.place}" if settings.store else f"written to {settings.folder_of(study.uid)}"
    return f"would be predicted with {tumour}, and its results {place}"


def _kept(settings: Settings) -> dict[str, Entry]:
    """Return what a journal holds of each study; it is read only, for a watch may be writing it."""
    try:
        lines = (settings.out / JOURNAL).read_bytes().splitlines()[1:]
    except OSError:
        return {}
    found = {}
    for line in lines:
        try:
            entry = parse_entry(line)
        except ValueError:  # being written, or damaged
            continue
        found[entry.patient] = entry
    return found
