"""What an exam is read from: a hash that changes if a file or a value does."""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from pathlib import Path

from ..errors import DataError
from ..files.names import walk_files
from ..reading.images import read_header
from ..reading.labels import LABEL
from ..reading.sources import Source

_MAY_BE_DETACHED = (".mhd", ".mha", ".nhdr", ".nrrd")  # headers that may name a file beside them with the voxels


def identify(source: Source) -> str:
    """Return a hash of the names, sizes and times of a source's files, and of its values but the label.

    Nothing is opened but headers that may name a further file; folders may have moved.

    Raises:
        OSError: if a file is not there.
    """
    return hashlib.blake2b(repr(_facts(source)).encode(), digest_size=16).hexdigest()


def _facts(value: object) -> object:
    if isinstance(value, Path):
        return _facts_of_files(value)
    if is_dataclass(value):
        return [(field.name, _facts(getattr(value, field.name))) for field in fields(value)]
    if isinstance(value, Mapping):
        return sorted((str(key), _facts(each)) for key, each in value.items() if key != LABEL)
    if isinstance(value, (list, tuple)):
        return [_facts(each) for each in value]
    return repr(value)


def _facts_of_files(path: Path) -> list[tuple[str, int, int]]:
    files = [path]
    if path.is_dir():
        files = sorted(walk_files(path))
    elif path.suffix.lower() in _MAY_BE_DETACHED:
        with suppress(DataError):  # a header that cannot be read names none; that is reported when the exam is read
            files = [path, read_header(path).file]
    found = [(file.name, file.stat()) for file in files]
    return [(name, facts.st_size, facts.st_mtime_ns) for name, facts in found]
