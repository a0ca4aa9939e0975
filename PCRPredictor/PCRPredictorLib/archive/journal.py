"""The rows of an archive as they come, `predictions.jsonl`: one line of JSON per patient, written to the disk at once.

The first line says what was asked; the others are in the order in which the patients were finished. What a killed
process was writing is cut off when the file is opened again. Of two lines of a patient the later one counts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from filelock import FileLock, Timeout

from ..errors import DataError
from ..files.json_text import parse_json
from .rows import Row

JOURNAL, FORMAT = "predictions.jsonl", 1
GO_ON = "go on with --resume"
_LOCK = ".lock"


@dataclass(frozen=True)
class Entry:
    """What is kept of a patient.

    Args:
        patient: identifier.
        rows: of the table.
        facts: numbers, categories and probability, see `shift.facts.PatientFacts`; None without a prediction.
        inputs: hash of what it was read from, see `identify`; "" if a file was not there.
        passing: it failed for a reason that may pass, so that it is tried again when the run is resumed.
    """

    patient: str
    rows: list[Row]
    facts: Mapping[str, Any] | None = None
    inputs: str = ""
    passing: bool = False

    @property
    def error(self) -> str:
        """Return why the patient failed; "" if it did not."""
        return self.rows[0].get("error", "")


@dataclass
class Journal:
    """The entries of an archive. In memory are the place of each patient's line and the hash of its inputs.

    Args:
        path: of the file.
        file: open to read and to append.
        places: patient to the first byte of the last line, and the hash of the inputs, "" if it must be done again.
        go_on: what the user does to go on once there is space.
    """

    path: Path
    file: BinaryIO
    places: dict[str, tuple[int, str]] = field(default_factory=dict)
    go_on: str = GO_ON

    def append(self, entry: Entry) -> None:
        """Write an entry to the disk.

        Raises:
            DataError: if it cannot be written.
        """
        try:
            place = self.file.seek(0, os.SEEK_END)
            _write_line(self.file, vars(entry))
        except OSError as error:
            raise _cannot_write(self.path, error, self.go_on) from error
        self._note(place, entry)

    def read(self, patient: str) -> Entry | None:
        """Return the entry of a patient, None if there is none.

        Raises:
            ValueError: if its line was changed since the file was opened.
        """
        if patient not in self.places:
            return None
        self.file.seek(self.places[patient][0])
        return parse_entry(self.file.readline())

    def inputs_of(self, patient: str) -> str:
        """Return the hash of the inputs that a patient was finished with, "" if it was not."""
        return self.places.get(patient, (0, ""))[1]

    def _note(self, place: int, entry: Entry) -> None:
        self.places[entry.patient] = place, "" if entry.passing else entry.inputs


@contextmanager
def hold_folder(out: Path) -> Iterator[None]:
    """Lock the folder of results for this process; a new folder that stays empty is removed.

    Raises:
        DataError: if a different process holds it, or it cannot be written.
    """
    made, lock = not out.exists(), FileLock(out / _LOCK)
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise DataError(f"{out}: another run is writing here; wait for it or choose a different folder") from None
    except OSError as error:
        raise DataError(
            f"{out}: cannot be written ({error.strerror or error}); choose a folder that you may write to"
        ) from error
    try:
        yield
    finally:
        lock.release()
        if made and [path.name for path in out.iterdir()] == [_LOCK]:
            (out / _LOCK).unlink()
            out.rmdir()


def parse_entry(line: bytes) -> Entry:
    """Return the entry of a line, checked: the file may have been damaged on the disk, or changed by hand.

    Raises:
        ValueError: if it is none.
    """
    content = parse_json(line)
    try:
        entry = Entry(**content)  # type: ignore[arg-type]
    except TypeError:
        raise ValueError("it is no entry") from None
    kinds = {"patient": str, "rows": list, "facts": dict | None, "inputs": str, "passing": bool}
    if bad := [name for name, kind in kinds.items() if not isinstance(getattr(entry, name), kind)]:
        raise ValueError(f"its {bad[0]} is of a different kind")
    if not entry.rows or not all(map(_is_row, entry.rows)):
        raise ValueError("its rows must be objects with texts")
    return entry


def _is_row(row: object) -> bool:
    return isinstance(row, dict) and all(isinstance(cell, str) for cell in row.values())


@contextmanager
def open_journal(path: Path, asked: Mapping[str, object], go_on: str = GO_ON) -> Iterator[Journal]:
    """Open a journal, or begin one; one without an entry is removed at the end.

    Args:
        asked: plain values that decide the results; of a journal that is there, they must be the same.
        go_on: see `Journal`.

    Raises:
        DataError: if it was begun with other values, is damaged at its beginning, or cannot be written.
    """
    try:
        with path.open("a+b") as file:
            journal = Journal(path, file, go_on=go_on)
            _load(journal, {"format": FORMAT, **asked})
    except OSError as error:
        raise _cannot_write(path, error, go_on) from error
    try:
        with path.open("a+b") as journal.file:
            yield journal
    finally:
        if not journal.places:
            path.unlink(missing_ok=True)


def _load(journal: Journal, asked: Mapping[str, object]) -> None:
    """Read what is there, cut off what is not whole, and write the first line of a new file."""
    file = journal.file
    file.seek(0)
    first = file.readline()
    if not first.endswith(b"\n"):
        file.truncate(0)
        _write_line(file, asked)
        return
    _check_asked(journal.path, first, asked)
    while (place := file.tell(), line := file.readline())[1]:
        if not line.endswith(b"\n"):
            file.truncate(place)
            return
        try:
            journal._note(place, parse_entry(line))
        except ValueError:  # damaged on the disk: the patient is done again
            continue


def _check_asked(path: Path, line: bytes, asked: Mapping[str, object]) -> None:
    try:
        before = dict(parse_json(line))  # type: ignore[call-overload]
    except (ValueError, TypeError):
        raise DataError(f"{path}: is damaged; choose a different folder") from None
    for name, value in asked.items():
        if before.get(name) != value:
            raise DataError(
                f"{path.parent}: holds predictions with {name.replace('_', ' ')} {before.get(name)}, got {value}; "
                "give the same, or choose a different folder"
            )


def _write_line(file: BinaryIO, content: Mapping[str, object]) -> None:
    file.write(json.dumps(content, allow_nan=False).encode() + b"\n")
    file.flush()
    os.fsync(file.fileno())


def _cannot_write(path: Path, error: OSError, go_on: str) -> DataError:
    return DataError(f"{path}: cannot be written ({error.strerror or error}); free some space, then {go_on}")
