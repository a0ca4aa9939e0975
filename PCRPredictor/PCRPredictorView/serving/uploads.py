"""Files that a browser sends, into a folder of the page's own, under names of our own.

NIfTI and DICOM only: a header of NRRD or MetaImage can name any file of this machine to take its voxels from.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import PHASE_NAMES
from PCRPredictorLib.reading.sources import DicomSource, FilesSource, Source

UPLOADED = (".nii", ".nii.gz")
_FILES = (*PHASE_NAMES, "mask")
_MOST_FILES = 20_000
_PIECE = 2**20
_STALLED = 60.0  # seconds without a byte
T = TypeVar("T")


@dataclass
class Received:
    """What has come so far."""

    folder: Path
    limit: int  # bytes of all files together
    size: int = 0
    count: int = 0

    def room(self, piece: bytes) -> bytes:
        """Count a piece, and give it back.

        Raises:
            DataError: when there is too much of it all.
        """
        self.size += len(piece)
        check_size(self.size, self.limit)
        return piece


def check_size(size: int, limit: int) -> None:
    """Refuse more than a limit, both in bytes.

    Raises:
        DataError: if it is more.
    """
    if size > limit:
        raise DataError(
            f"the files must be at most {limit >> 20} MB together; send one exam, or start pcr view with the exam's "
            "folder or a larger --upload-limit"
        )


async def receive(request: web.BaseRequest, folder: Path, limit: int) -> None:
    """Write the files of a form to a new folder: pre, early, late and mask, or many under dicom.

    Args:
        request: that carries the form.
        folder: that they are written to; nothing is left of it when something is wrong.
        limit: bytes of all files together.

    Raises:
        DataError: if they are too large, too many, or of a kind that is not read.
    """
    shutil.rmtree(folder, ignore_errors=True)
    received = Received(folder, limit)
    try:
        folder.mkdir()  # but not that of a page which has ended meanwhile
        reader = await request.multipart()
        while (part := await _soon(reader.next())) is not None:
            if not isinstance(part, BodyPartReader):
                raise DataError("the upload must be a form of files; use the page's own")
            await _write(part, received)
        uploaded_entry(folder)
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError) and error.errno is not None:
            raise DataError(
                f"the upload cannot be kept ({os.strerror(error.errno)}); make room and try again"
            ) from None
        if isinstance(error, (ValueError, AssertionError, OSError, HttpProcessingError)) and not isinstance(
            error, DataError
        ):
            raise DataError("the upload is no form of files, or was not complete; send the files again") from None
        raise


def uploaded_entry(folder: Path, name: str = "uploaded exam") -> Source:
    """The exam that `receive` wrote.

    Args:
        folder: that it was written to.
        name: what the page calls it.

    Raises:
        DataError: if it is not complete.
    """
    if (folder / "dicom").is_dir():
        return DicomSource(name=name, folder=folder / "dicom", mask=_received(folder, "mask"))
    phases = [_received(folder, phase) for phase in PHASE_NAMES]
    if None in phases:
        raise DataError(
            f"the {PHASE_NAMES[phases.index(None)]} phase is missing; choose three files (pre, early, late) or a DICOM "
            "folder"
        )
    return FilesSource(name=name, phases=tuple(p for p in phases if p), mask=_received(folder, "mask"))


async def _soon(piece: Awaitable[T]) -> T:
    """What the browser sends next; the page cannot be sent another exam as long as it waits for this one."""
    try:
        return await asyncio.wait_for(piece, _STALLED)
    except (TimeoutError, asyncio.TimeoutError):  # one and the same only from Python 3.11 on
        raise DataError("the upload has stopped on its way; send the files again") from None


async def _write(part: BodyPartReader, received: Received) -> None:
    """One file of the form, or nothing where its field was left empty."""
    if not part.filename:
        await part.release()
        return
    if part.name == "dicom":
        path = received.folder / "dicom" / f"{received.count:05d}.dcm"
    elif part.name in _FILES:
        path = received.folder / f"{part.name}{_ending(part.filename, part.name)}"
    else:
        raise DataError("the form must hold pre, early, late, mask or dicom; use the page's own")
    received.count += 1
    if received.count > _MOST_FILES:
        raise DataError(f"there must be at most {_MOST_FILES} files; send the dynamic series alone")
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as file:
        while piece := await _soon(part.read_chunk(_PIECE)):
            file.write(received.room(bytes(piece)))


def _ending(name: str, field: str) -> str:
    """Of the longest kind that the name ends in; all that is taken of what a browser calls a file."""
    allowed = (*UPLOADED, ".dcm") if field == "mask" else UPLOADED
    found = [ending for ending in allowed if name.lower().endswith(ending)]
    if not found:
        raise DataError(f"the {field} file must be {' or '.join(allowed)}; export it as one of them, or send DICOM")
    return max(found, key=len)


def _received(folder: Path, name: str) -> Path | None:
    return next((path for path in sorted(folder.glob(f"{name}.*"))), None)
