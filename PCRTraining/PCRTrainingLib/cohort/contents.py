"""What the files of a cohort held when it was read, so that a change is noticed later."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from PCRPredictorLib.files.opening import open_file
from PCRPredictorLib.reading.cohort import CohortPatient
from PCRPredictorLib.reading.mapping import MAPPING

Contents = dict[str, tuple[int, int, str]]  # path below the cohort to size in bytes, time of change in ns, and hash
_CHUNK = 1 << 20


def read_contents(patient: CohortPatient, cohort: Path) -> Contents:
    """Return size, time of change and hash of the patient's phases and mask, and how `cohort.json` reads them.

    The hash of a file that cannot be read is empty.
    """
    files = {_name(file, cohort): (*_state(file), hash_file(file)) for file in _files(patient)}
    return {**files, MAPPING: (0, 0, _options(patient))}


def find_changes(patient: CohortPatient, cohort: Path, known: Contents) -> list[str]:
    """Return the paths, below the cohort, whose content is not what it was.

    A file of the same size and time is not read again; a copy with another time is the same if its content is.
    """
    now = {_name(file, cohort): file for file in _files(patient)}
    changed = sorted(now.keys() ^ (known.keys() - {MAPPING}))
    if MAPPING in known and known[MAPPING][2] != _options(patient):
        changed.append(MAPPING)
    for name in now.keys() & known.keys():
        size, time, content = known[name]
        if _state(now[name]) != (size, time) and hash_file(now[name]) != content:
            changed.append(name)
    return sorted(changed)


def hash_file(file: Path) -> str:
    """Return a hash of a file's content, "" if it cannot be read."""
    digest = hashlib.blake2b(digest_size=16)
    try:
        with open_file(file) as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    except OSError:
        return ""
    return digest.hexdigest()


def _options(patient: CohortPatient) -> str:
    """Return the settings of `cohort.json` that decide what is read from the same files."""
    return json.dumps([patient.each_lesion, patient.labels, patient.pick])


def _files(patient: CohortPatient) -> Iterable[Path]:
    for place in (*patient.phases, *([patient.mask] if patient.mask else [])):
        yield from sorted(file for file in place.rglob("*") if file.is_file()) if place.is_dir() else (place,)


def _state(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


def _name(file: Path, cohort: Path) -> str:
    return file.relative_to(cohort).as_posix() if file.is_relative_to(cohort) else str(file)
