"""Files that a browser sends, into a folder of the page's own, under names of our own."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from aiohttp import BodyPartReader, web
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import PHASE_NAMES
from PCRPredictorLib.reading import ENDINGS

from .exams import DicomEntry, Entry, FilesEntry

_FILES = (*PHASE_NAMES, "mask")
_MOST_FILES = 20_000
_PIECE = 2**20
_DETACHED = (".nhdr", ".mhd")  # headers without voxels, which name another file
_HEADER = 2**16  # bytes of a file that its header is looked for in


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
        if self.size > self.limit:
            raise DataError(
                f"the files must be at most {self.limit >> 20} MB together; send one exam, or start pcr view with the "
                "exam's folder or a larger --upload-limit"
            )
        return piece


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
    folder.mkdir(parents=True)
    received = Received(folder, limit)
    try:
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if not isinstance(part, BodyPartReader):
                raise DataError("the upload must be a form of files; use the page's own")
            await _write(part, received)
        for path in folder.glob("*.*"):
            _check_whole(path)
        uploaded_entry(folder)
    except (DataError, ValueError, AssertionError, OSError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, DataError):
            raise
        raise DataError("the upload is no form of files, or was not complete; send the files again") from None


def uploaded_entry(folder: Path) -> Entry:
    """The exam that `receive` wrote.

    Raises:
        DataError: if it is not complete.
    """
    if (folder / "dicom").is_dir():
        return DicomEntry("uploaded exam", folder / "dicom", _received(folder, "mask"))
    phases = [_received(folder, name) for name in PHASE_NAMES]
    if None in phases:
        raise DataError(
            f"the {PHASE_NAMES[phases.index(None)]} phase is missing; choose three files (pre, early, late) or a DICOM "
            "folder"
        )
    return FilesEntry("uploaded exam", tuple(p for p in phases if p), _received(folder, "mask"))


async def _write(part: BodyPartReader, received: Received) -> None:
    """One file of the form, or nothing where its field was left empty."""
    name = part.filename or ""
    if not name:
        await part.release()
        return
    if part.name == "dicom":
        path = received.folder / "dicom" / f"{received.count:05d}.dcm"
    elif part.name in _FILES:
        path = received.folder / f"{part.name}{_ending(name)}"
    else:
        raise DataError("the form must hold pre, early, late, mask or dicom; use the page's own")
    received.count += 1
    if received.count > _MOST_FILES:
        raise DataError(f"there must be at most {_MOST_FILES} files; send the dynamic series alone")
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as file:
        while piece := await part.read_chunk(_PIECE):
            file.write(received.room(bytes(piece)))


def _ending(name: str) -> str:
    """Of the longest kind that the name ends in; all that is taken of what a browser calls a file."""
    allowed = [ending for ending in (*ENDINGS, ".dcm") if ending not in _DETACHED]
    found = [ending for ending in allowed if name.lower().endswith(ending)]
    if not found:
        raise DataError(f"a file must be one of {', '.join(allowed)}; export it as one of them")
    return max(found, key=len)


def _check_whole(path: Path) -> None:
    """An image must hold its voxels itself: a header can name any other file of this machine to take them from."""
    with path.open("rb") as file:
        header = file.read(_HEADER).lower()
    lines = [line.strip() for line in header.split(b"\n")]
    if path.suffix == ".nrrd":
        lines = lines[: lines.index(b"")] if b"" in lines else lines
        elsewhere = any(line.replace(b" ", b"").startswith(b"datafile:") for line in lines)
    else:
        named = [line.partition(b"=")[2].strip() for line in lines if line.startswith(b"elementdatafile")]
        elsewhere = path.suffix == ".mha" and named[:1] != [b"local"]
    if elsewhere:
        raise DataError(
            f"{path.name}: must hold its voxels itself, got a header that names another file; export it as NIfTI"
        )


def _received(folder: Path, name: str) -> Path | None:
    return next((path for path in sorted(folder.glob(f"{name}.*"))), None)
