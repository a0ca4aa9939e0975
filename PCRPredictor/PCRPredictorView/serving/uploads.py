"""Uploads of a browser, written to the page's folder: images under fixed names, DICOM files under their own.

Images come in one file each: the header of NRRD or MetaImage may name a file with its voxels, but only one beside it.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import PHASE_NAMES
from PCRPredictorLib.formatting import as_line
from PCRPredictorLib.reading.sources import DicomSource, FilesSource, SeriesSource, Source

UPLOADED = (".nii", ".nii.gz", ".nrrd", ".mha")
_FILES = (*PHASE_NAMES, "series", "mask")
_MASK_NAME = "name-of-mask.txt"  # the file with the mask's name at the user's
_UNSAFE = re.compile(r"[^\w .()+=,@#~-]|^\.+$")  # in a name
_LONGEST_NAME, _DEEPEST = 80, 5  # characters of a name, names of a path
_TEXTS = ("pick", "label", "visit")
_LONGEST_TEXT = 200  # bytes
_MOST_FILES = 20_000
_PIECE = 2**20  # bytes
_BYTE_TIMEOUT_S = 60.0  # seconds without a byte
_INVALID = (ValueError, AssertionError, OSError, HttpProcessingError)  # what a malformed form may raise
T = TypeVar("T")


@dataclass
class Received:
    """The files of a form, as far as they have been received."""

    folder: Path
    limit: int  # bytes of all files together
    size: int = 0
    count: int = 0

    def count_bytes(self, piece: bytes) -> bytes:
        """Count a piece, and return it.

        Raises:
            DataError: if all pieces together exceed the limit.
        """
        self.size += len(piece)
        check_size(self.size, self.limit)
        return piece


def check_size(size: int, limit: int) -> None:
    """Check that a size is at most a limit, both in bytes.

    Raises:
        DataError: if it is larger.
    """
    if size > limit:
        raise DataError(
            f"the files must be at most {limit >> 20} MB together; send one exam, or start pcr view with the exam's "
            "folder or a larger --upload-limit"
        )


async def receive(request: web.BaseRequest, folder: Path, limit: int) -> None:
    """Write the files of a form to a new folder: pre, early, late and mask, any number under dicom, or a mask alone.

    Instead of three phases, series is one file with all of them; the words in pick and label choose phases and tumours.

    Args:
        request: carries the form.
        folder: where they are written; deleted if something is wrong.
        limit: bytes of all files together.

    Raises:
        DataError: if files are too large, too many, missing, or of an unknown kind.
    """
    received = Received(folder, limit)
    try:
        folder.mkdir()  # fails if the page has ended meanwhile
        reader = await request.multipart()
        while (part := await _with_timeout(reader.next())) is not None:
            if not isinstance(part, BodyPartReader):
                raise DataError("the upload must be a form of files; use the form of the page")
            await _write(part, received)
        if uploaded_mask(folder) is None:
            uploaded_entry(folder)
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, DataError) or not isinstance(error, _INVALID):
            raise
        if isinstance(error, OSError) and error.errno is not None:
            reason = os.strerror(error.errno)
            raise DataError(f"the upload cannot be written ({reason}); free some space and try again") from None
        raise DataError("the upload must be a complete form of files; send the files again") from None


def uploaded_entry(folder: Path, name: str = "uploaded exam") -> Source:
    """Return the exam that `receive` wrote.

    Args:
        folder: where it was written.
        name: its name on the page.

    Raises:
        DataError: if it is incomplete.
    """
    pick, labels = _words(folder, "pick"), _words(folder, "label")
    if not all(word.isdecimal() and len(word) < 5 for word in pick):
        raise DataError(f"the phases to pick must be three numbers from 0, such as 0 1 3, got {' '.join(pick)}")
    found = _received_exam(folder, name)
    return found.with_overrides(_received(folder, "mask"), {}, labels, tuple(int(word) for word in pick))


def _received_exam(folder: Path, name: str) -> Source:
    """Return the exam without a mask."""
    if (folder / "dicom").is_dir():
        return DicomSource(name=name, folder=folder / "dicom")
    if (series := _received(folder, "series")) is not None:
        return SeriesSource(name=name, files=(series,))
    phases = [_received(folder, phase) for phase in PHASE_NAMES]
    if None in phases:
        raise DataError(
            f"the {PHASE_NAMES[phases.index(None)]} phase is missing; choose three files (pre, early, late), one with "
            "all phases, or a DICOM folder"
        )
    return FilesSource(name=name, phases=tuple(p for p in phases if p))


def uploaded_visit(folder: Path) -> str:
    """Return the visit, as "T1", for which `receive` wrote an exam; "" if it is for none."""
    return "".join(_words(folder, "visit")[:1])


def uploaded_mask(folder: Path) -> Path | None:
    """Return the tumour mask that `receive` wrote without an exam; None if it wrote an exam."""
    names = {path.name.split(".")[0] for path in folder.iterdir() if path.name != _MASK_NAME}
    return _received(folder, "mask") if names == {"mask"} else None


async def _with_timeout(piece: Awaitable[T]) -> T:
    """Return what the browser sends next, or refuse an upload that has stopped: it keeps the page from the next one."""
    try:
        return await asyncio.wait_for(piece, _BYTE_TIMEOUT_S)
    except (TimeoutError, asyncio.TimeoutError):  # one and the same only from Python 3.11 on
        raise DataError(f"the upload has stopped for {_BYTE_TIMEOUT_S:.0f} s; send the files again") from None


async def _write(part: BodyPartReader, received: Received) -> None:
    """Write one file of the form; skip an empty field."""
    if part.name in _TEXTS:
        await _write_words(part, received)
        return
    if not part.filename:
        await part.release()
        return
    if part.name == "dicom":
        path = _place(received.folder / "dicom", part.filename, received.count)
    elif part.name in _FILES:
        path = received.folder / f"{part.name}{_ending(part.filename, part.name)}"
    else:
        raise DataError(
            "the fields of the form must be pre, early, late, series, mask, dicom, pick, label or visit; use the form "
            "of the page"
        )
    received.count += 1
    if received.count > _MOST_FILES:
        raise DataError(f"the files must be at most {_MOST_FILES}; send the dynamic series alone")
    path.parent.mkdir(parents=True, exist_ok=True)
    if part.name == "mask":
        (received.folder / _MASK_NAME).write_text(as_line(part.filename), encoding="utf-8")
    with path.open("wb") as file:
        while piece := await _with_timeout(part.read_chunk(_PIECE)):
            file.write(received.count_bytes(bytes(piece)))


def _place(folder: Path, name: str, number: int) -> Path:
    """Return where a DICOM file is written: as in the folder that was sent, since a name tells what a file may be.

    Args:
        folder: of all DICOM files.
        name: as the browser sends it, a path that begins with the folder that was chosen.
        number: of the file; a second one of the same place goes into a folder of this number.
    """
    parts = [_UNSAFE.sub("_", part)[-_LONGEST_NAME:] for part in unquote(name).replace("\\", "/").split("/")]
    parts = [part for part in parts if part.strip("._ ")][-_DEEPEST:] or ["file"]
    path = folder.joinpath(*parts[1:] if len(parts) > 1 else parts)
    above = list(path.parents)[: len(parts)]
    is_taken = path.exists() or any(each.is_file() for each in above)
    return folder / f"{number:05d}" / parts[-1] if is_taken else path


def in_users_words(folder: Path, text: str) -> str:
    """Return a message about an upload with the names that the user knows."""
    name = folder / _MASK_NAME
    mask = name.read_text("utf-8") if name.is_file() else ""
    text = re.sub(rf"\bmask({'|'.join(map(re.escape, (*UPLOADED, '.dcm')))})\b", lambda _: mask, text) if mask else text
    return text.replace(f"{folder / 'dicom'}", "the folder that was sent").replace(str(folder), "the upload")


async def _write_words(part: BodyPartReader, received: Received) -> None:
    """Write the words of a text field; skip an empty one."""
    text = b""
    while piece := await _with_timeout(part.read_chunk(_PIECE)):
        text += received.count_bytes(bytes(piece))
        if len(text) > _LONGEST_TEXT:
            raise DataError(f"{part.name} must be at most {_LONGEST_TEXT} characters; shorten it")
    if text.strip():
        (received.folder / f"{part.name}.txt").write_bytes(text)


def _words(folder: Path, field: str) -> tuple[str, ...]:
    """Return the words of a text field, which blanks or commas separate."""
    file = folder / f"{field}.txt"
    return tuple(file.read_text("utf-8", "replace").replace(",", " ").split()) if file.is_file() else ()


def _ending(name: str, field: str) -> str:
    """Return the ending of a file's name, the only part of it that is used."""
    allowed = (*UPLOADED, ".dcm") if field == "mask" else UPLOADED
    found = [ending for ending in allowed if name.lower().endswith(ending)]
    if not found:
        raise DataError(f"the {field} file must be {' or '.join(allowed)}; export it as one of them, or send DICOM")
    return max(found, key=len)


def _received(folder: Path, name: str) -> Path | None:
    return next((path for path in sorted(folder.glob(f"{name}.*"))), None)
