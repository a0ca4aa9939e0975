"""Results sent to a PACS: what it lacks, each checked, so that sending twice stores once (STOW-RS)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pydicom
import requests

from ..dicom.datasets import read_dataset
from ..dicom.headers import tag_text
from ..errors import DataError
from ..formatting import count
from .connection import Connection
from .errors import PacsError
from .studies import find_instances

_TAGS = ["SOPInstanceUID", "SOPClassUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality", "SeriesDescription"]
_DUPLICATE = 0x0111  # of PS3.4 table B.2-1 and PS3.7 annex C
_FULL = range(0xA700, 0xA800)
_CHECKS = 4  # times that the PACS is asked whether what it has taken is there: some list it a moment later


@dataclass(frozen=True)
class Item:
    """A result that is sent.

    Args:
        file: on this computer.
        state: "missing" in the PACS, "there" already, or "stored" just now.
    """

    file: Path
    uid: str
    study: str
    series: str
    modality: str
    description: str
    size: int
    state: Literal["missing", "there", "stored"] = "missing"

    def __str__(self) -> str:
        return f"{self.modality} {self.description} ({self.size / 1e6:.2f} MB)"


def plan(connection: Connection, files: Sequence[Path]) -> list[Item]:
    """Return the objects in files, and whether the PACS has each; nothing is sent.

    Raises:
        PacsError: if the PACS cannot be asked.
        DataError: if a file is no DICOM object.
    """
    return _with_states(connection, [_read(file) for file in files], "there")


def store(
    connection: Connection, files: Sequence[Path], on_sent: Callable[[Item], object] = lambda _: None
) -> list[Item]:
    """Send the objects that the PACS lacks, one after the other, and check that all are there.

    Args:
        files: in the order in which they are sent; a report last, so that what it refers to is there.
        on_sent: called with each object that the PACS has just taken.

    Raises:
        PacsError: if one is not stored; the message says how many are. Sending again sends only what is missing.
        DataError: if a file is no DICOM object.
    """
    items = plan(connection, files)
    done = sum(item.state == "there" for item in items)
    for item in items:
        if item.state == "there":
            continue
        try:
            connection.attempt(lambda each=item: _send(connection, each))  # type: ignore[misc]
        except PacsError as problem:
            raise PacsError(_partly(problem, done, len(items)), may_pass=problem.may_pass) from None
        done += 1
        on_sent(item)
    return _checked(connection, items)


def target(connection: Connection, item: Item) -> str:
    """Return the URL that an object is sent to."""
    return f"{connection.configuration.url}/studies/{item.study}"


def _read(file: Path) -> Item:
    try:
        header = read_dataset(file, stop_before_pixels=True, specific_tags=_TAGS)
    except Exception:  # whatever a file that is none raises
        raise DataError(f"{file}: is no DICOM object; predict again") from None
    uid, _, study, series, modality, description = (tag_text(header, name) for name in _TAGS)
    if not (uid and study and series):
        raise DataError(f"{file}: is no DICOM object of a study; predict again")
    return Item(file, uid, study, series, modality, description, file.stat().st_size)


def _with_states(connection: Connection, items: Sequence[Item], state: Literal["there", "stored"]) -> list[Item]:
    """Return the items; those that the PACS lists and that were missing get a state."""
    there: dict[tuple[str, str], set[str]] = {}
    for item in items:
        if (key := (item.study, item.series)) not in there:
            there[key] = _listed(connection, *key)
    return [replace(item, state=state) if item.uid in there[item.study, item.series] else item for item in items]


def _listed(connection: Connection, study: str, series: str) -> set[str]:
    """Return the instances of a series in the PACS; some answer 404 if there is no such series."""
    try:
        return set(find_instances(connection, study, series))
    except PacsError as problem:
        if problem.status == 404:
            return set()
        raise


def _send(connection: Connection, item: Item) -> None:
    """Send one object.

    Raises:
        PacsError: if the PACS says that it has not stored it.
        requests.RequestException: if it cannot be reached.
    """
    data = read_dataset(item.file)
    try:
        answer = connection.client.store_instances([data], study_instance_uid=item.study)
    except requests.HTTPError as error:
        if error.response is None or error.response.status_code not in (202, 409):
            raise
        answer = _answer_of(error.response)
        if "FailedSOPSequence" not in answer:
            raise
    for failed in answer.get("FailedSOPSequence") or ():
        reason = int(failed.get("FailureReason") or 0)
        if reason == _DUPLICATE:
            continue
        if reason in _FULL:
            raise PacsError(f"the PACS at {connection.place} is full; free some space on it", may_pass=True)
        raise PacsError(
            f"the PACS at {connection.place} refuses {item} (reason {reason:04X}H of DICOM); ask its administrator"
        )


def _answer_of(response: requests.Response) -> pydicom.Dataset:
    try:
        return pydicom.Dataset.from_json(response.json())
    except Exception:  # whatever an answer that is none raises
        return pydicom.Dataset()


def _checked(connection: Connection, items: Sequence[Item]) -> list[Item]:
    """Return the items with their states.

    Raises:
        PacsError: if one is not there.
    """
    sent = [item for item in items if item.state != "there"]
    for number in range(_CHECKS if sent else 0):
        found = _with_states(connection, sent, "stored")
        missing = [item for item in found if item.state == "missing"]
        if not missing:
            states = {item.uid: item for item in found}
            return [states.get(item.uid, item) for item in items]
        if number < _CHECKS - 1:
            connection.wait(float(2**number))
    if sent:
        problem = f"the PACS at {connection.place} has taken {missing[0]}, but does not list it"
        raise PacsError(_partly(problem, len(items) - len(missing), len(items)), may_pass=True)
    return list(items)


def _partly(problem: object, done: int, total: int) -> str:
    return f"{problem}; {done} of {count(total, 'object')} stored"
