"""Files and folders that are written completely or not at all."""

import csv
import errno
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

if sys.platform == "win32":
    fcntl = None
else:
    import fcntl

import numpy as np
import SimpleITK as sitk

from .errors import DataError
from .exam import Geometry
from .formatting import as_cell, from_cell

# On Windows a file cannot be replaced while a program reads it, such as a panel its charts.
_PATIENCE = (0.02, 0.1, 0.5, 2.0) if os.name == "nt" else ()  # seconds between attempts

_STAGING = "-pcr-"  # in the name of a hidden folder that becomes the results
_SHOWN = 40  # characters of the results' name in it


@contextmanager
def whole_folder(out: Path, *, among_many: bool = False) -> Iterator[Path]:
    """Give a temporary folder beside `out` to write into; its files move to `out` if the block ends without an error.

    Files of the same name in `out` are replaced, others stay. What a process that was killed has left beside `out` is
    removed.

    Args:
        among_many: others are written beside it, maybe by other machines, whose locks are not seen on every disk; the
            caller removes leftovers once, before all of them.

    Raises:
        DataError: if the folder cannot be written or the disk is full; then nothing is left behind.
    """
    staging = held = None
    try:
        out = out.absolute()
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.exists() and not out.is_dir():
            raise FileExistsError("there is a file of that name")
        if out.exists() and not os.access(out, os.W_OK):
            raise PermissionError(errno.EACCES, "permission denied")
        if not among_many:
            remove_leftovers(out.parent)
        staging, held = _make_staging(out)
        staging.chmod(0o777 & ~_umask())
        yield staging
        _move(staging, out)
    except OSError as error:
        raise DataError(f"{out}: cannot be written ({_reason(error)}); {_advice(error)}") from error
    finally:
        _remove_staging(staging, held)


@contextmanager
def whole_file(path: Path, *, among_many: bool = False) -> Iterator[Path]:
    """Give a name in a temporary folder beside `path` to write to; it becomes `path` if the block ends without error.

    What a process that was killed has left beside `path` is removed at the first file that a process writes there.

    Args:
        among_many: see `whole_folder`.

    Raises:
        DataError: if the file cannot be written or the disk is full; then an earlier file stays as it was.
    """
    staging = held = None
    try:
        path = path.absolute()
        if path.exists() and not path.is_file():  # a folder, or a device such as /dev/null, which would be replaced
            raise FileExistsError("there is a folder or device of that name")
        if not among_many:
            _remove_leftovers_once(path.parent)
        staging, held = _make_staging(path)
        yield staging / path.name
        put_in_place(staging / path.name, path)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({_reason(error)}); {_advice(error)}") from error
    finally:
        _remove_staging(staging, held)


@contextmanager
def temporary_folder(parent: Path, name: str) -> Iterator[Path]:
    """Give a new hidden folder that only this user may read; it is removed at the end of the block.

    What a process that was killed has left there is removed, too.

    Raises:
        DataError: if it cannot be made.
    """
    staging = held = None
    try:
        remove_leftovers(parent)
        staging, held = _make_staging(parent / name)
    except OSError as error:
        raise DataError(f"{parent}: cannot be written ({_reason(error)}); {_advice(error)}") from error
    try:
        yield staging
    finally:
        _remove_staging(staging, held)


def _remove_staging(staging: Path | None, held: int | None) -> None:
    if staging is not None:
        shutil.rmtree(staging, ignore_errors=True)
    if held is not None:
        os.close(held)


def _make_staging(out: Path) -> tuple[Path, int | None]:
    """Return a new hidden folder beside `out`, and the file descriptor by which this process holds it.

    The system lets go of it when the process ends, however it ends. On Windows there is none.
    """
    while True:
        staging = Path(tempfile.mkdtemp(prefix=f".{out.name[:_SHOWN]}{_STAGING}", dir=out.parent))
        if fcntl is None:
            return staging, None
        held = os.open(staging, os.O_RDONLY)
        try:
            fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
            if staging.exists():
                return staging, held
        except OSError:
            if staging.exists():
                return staging, held  # a file system without locks, where leftovers are not removed, either
        os.close(held)  # somebody has just taken it for a leftover


def remove_leftovers(folder: Path) -> None:
    """Remove the hidden folders of processes that were killed: those that no process holds."""
    if fcntl is None:
        return
    for path in folder.glob(f".*{_STAGING}????????"):
        if path.is_symlink() or not path.is_dir():
            continue
        try:
            held = os.open(path, os.O_RDONLY)
        except OSError:
            continue
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
        except OSError:
            pass  # it is in use, or the file system has no locks
        finally:
            os.close(held)


@lru_cache(maxsize=64)
def _remove_leftovers_once(folder: Path) -> None:
    remove_leftovers(folder)


def put_in_place(part: Path, path: Path) -> None:
    """Rename a file, replacing the one of that name; on Windows wait a moment if a program reads that one.

    Raises:
        OSError: if it cannot be replaced.
    """
    for seconds in _PATIENCE:
        try:
            part.replace(path)
            return
        except PermissionError:
            time.sleep(seconds)
    part.replace(path)


def write_json(content: object, path: Path) -> None:
    """Write indented UTF-8 JSON; numbers that are not finite are refused."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    path.write_text(text, encoding="utf-8", errors="backslashreplace")  # half a character, of a file name, as \\udcc3


def write_whole_json(content: object, path: Path) -> None:
    """Write as `write_json`, whole or not at all.

    Raises:
        DataError: see `whole_file`.
    """
    with whole_file(path) as part:
        write_json(content, part)


def write_whole_text(text: str, path: Path) -> None:
    """Write UTF-8 text, whole or not at all.

    Raises:
        DataError: see `whole_file`.
    """
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8")


def write_csv(columns: Sequence[str], rows: Iterable[Sequence[object]], path: Path) -> None:
    """Write a table as UTF-8; a spreadsheet shows every cell as text or number and computes none (`as_cell`)."""
    with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        writer = csv.writer(file)
        writer.writerow(map(as_cell, columns))
        writer.writerows(map(as_cell, row) for row in rows)


def write_whole_csv(columns: Sequence[str], rows: Iterable[Sequence[object]], path: Path) -> None:
    """Write as `write_csv`, whole or not at all.

    Raises:
        DataError: see `whole_file`.
    """
    with whole_file(path) as part:
        write_csv(columns, rows, part)


def read_csv(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table that `write_csv` wrote, column to text.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it is no table.
    """
    if path.exists() and not path.is_file():  # a pipe would wait for ever
        raise OSError(errno.EINVAL, "it is no file")
    try:
        with path.open(newline="", encoding="utf-8") as file:
            columns, *lines = [[from_cell(cell) for cell in line] for line in csv.reader(file)] or [[]]
    except csv.Error as error:
        raise ValueError(str(error)) from None
    return [{name: "" if k >= len(line) else line[k] for k, name in enumerate(columns)} for line in lines if line]


def write_nifti(array: np.ndarray, geometry: Geometry, path: Path, description: str = "") -> None:
    """Write (k, j, i) with its geometry as gzipped NIfTI.

    Args:
        description: kept in the header, up to 79 characters.

    Raises:
        OSError: if the file cannot be written completely.
    """
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(geometry.spacing)
    image.SetOrigin(geometry.origin)
    image.SetDirection(geometry.direction.ravel().tolist())
    if description:
        image.SetMetaData("ITK_FileNotes", description)
    try:
        sitk.WriteImage(image, str(path), useCompression=True)
        complete = 0 <= _unpacked_size(path) - array.nbytes < 4096  # the header
    except (RuntimeError, OSError):
        complete = False
    if not complete:
        raise incomplete(path)


def incomplete(path: Path) -> OSError:
    """Return the error of a file that ends early: writers of images and scenes do not notice a full disk."""
    full = shutil.disk_usage(path.parent).free < 1 << 20
    return OSError(errno.ENOSPC if full else errno.EIO, "incomplete file")


def _unpacked_size(path: Path) -> int:
    """Return the size in the last four bytes of a gzip file; in a truncated file these are arbitrary."""
    with path.open("rb") as file:
        file.seek(-4, os.SEEK_END)
        return int.from_bytes(file.read(4), "little")


def _move(staging: Path, out: Path) -> None:
    if not out.exists():
        staging.rename(out)
        return
    moves = [(path, out / path.relative_to(staging)) for path in sorted(staging.rglob("*"))]
    for path, target in moves:
        if target.exists() and target.is_dir() != path.is_dir():
            raise FileExistsError(f"{target.name} is there already, as another kind of file")
    for path, target in moves:
        if path.is_dir():
            target.mkdir(exist_ok=True)
        else:
            put_in_place(path, target)


def _reason(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno else str(error)


def _advice(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EFBIG):
        return "free some space, raise the limit of a file (ulimit -f), or choose another folder"
    if isinstance(error, FileExistsError) and not error.errno:
        return "choose another name"
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return "raise the limit of open files (ulimit -n 1024), or close other programs"
    return "choose a folder that you may write to"


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
