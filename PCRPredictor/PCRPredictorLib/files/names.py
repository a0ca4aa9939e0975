"""Names of files: which of a folder count, and what a name is without its ending."""

import difflib
import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from ..errors import DataError

VOLUMES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")  # that are read
_ENDINGS = (*VOLUMES, ".seg.nrrd", ".seq.nrrd", ".dcm", ".ima", ".json", ".csv", ".xlsx", ".txt", ".zip")
_LEFT_BEHIND = {"__macosx", "thumbs.db", "desktop.ini", "ehthumbs.db", "@eadir"}  # by systems; others begin with a dot


_ALIKE = 0.75  # of two names, as `difflib` counts it
_LISTED = 5000  # names of a folder that are compared


def does_not_exist(path: Path) -> str:
    """Return the sentence about a path that is not there, with a name beside it that is nearly the same, if any."""
    absent = path
    while absent.parent != absent and not absent.parent.exists():
        absent = absent.parent
    names: dict[str, str] = {}
    with suppress(OSError):
        names = {entry.name.lower(): entry.name for entry in islice(os.scandir(absent.parent), _LISTED)}
    near = difflib.get_close_matches(absent.name.lower(), names, 1, _ALIKE)
    there = f" ({absent.with_name(names[near[0]])} is there)" if near and absent.name else ""
    return f"{path}: does not exist; check the path{there}"


def is_hidden(name: str) -> bool:
    """Return True for what a system leaves in folders: `._pre.nii`, `.DS_Store`, `__MACOSX`, `Thumbs.db`."""
    return name.startswith(".") or name.lower() in _LEFT_BEHIND


def files_in(folder: Path) -> list[Path]:
    """Return the files of a folder by name, without hidden ones; a link that leads nowhere counts as a file."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if not is_hidden(path.name) and not path.is_dir())


def folders_in(folder: Path) -> list[Path]:
    """Return the folders of a folder by name, without hidden ones."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if not is_hidden(path.name) and path.is_dir())


def cannot_list(folder: Path, error: OSError) -> DataError:
    """Return the error of a folder that the system refuses to list."""
    return DataError(f"{folder.name}: the folder cannot be read ({error.strerror}); check that you may read it")


def walk_files(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder at any depth, in the order of their paths, without hidden ones and their folders."""
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not is_hidden(name)]
        found += [Path(parent) / name for name in names if not is_hidden(name)]
    yield from (path for path in sorted(found) if path.is_file())


def ending_of(name: str, endings: tuple[str, ...] = VOLUMES) -> str:
    """Return the longest of the endings that a name has, in lower case, "" if it has none of them."""
    return max((ending for ending in endings if name.lower().endswith(ending)), key=len, default="")


def stem_of(name: str) -> str:
    """Return a name without its ending if that is a known one: identifiers may hold dots, as "UKA.001" or a UID."""
    return name[: len(name) - len(ending_of(name, _ENDINGS))]
