"""The files in an answer of a PACS, written while it comes: memory holds a piece of one, whatever the PACS sends.

dicomweb-client holds each part in memory and decodes it; files are kept here as the PACS has them, bit by bit.

Source: RFC 2046 5.1 (multipart), DICOM PS3.18 8.6.1 (multipart/related).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from email.message import Message
from pathlib import Path
from typing import BinaryIO

from ..files.limits import FETCHED, INSTANCES, VOXELS
from .errors import Cut, PacsError, TooMuch

_HEAD = 1 << 16  # bytes of the headers of a part
_BOUNDARY = 200  # characters; RFC 2046 allows 70


def save_parts(chunks: Iterable[bytes], content_type: str, folder: Path) -> Iterator[Path]:
    """Yield a new file in a folder for each part of an answer, as soon as it is whole.

    Args:
        chunks: of the answer.
        content_type: of the answer: multipart/related, or application/dicom for a single file.
        folder: that the names of files, from 000001 on, are free in.

    Raises:
        Cut: if the answer ends early; what was yielded is whole.
        TooMuch: if it is too large.
        PacsError: if it is of a different kind.
    """
    message = Message()
    message["content-type"] = content_type
    kind, boundary = message.get_content_type(), str(message.get_param("boundary") or "")
    if kind == "application/dicom":
        yield _save_one(chunks, folder / "000001")
        return
    if kind != "multipart/related" or not 0 < len(boundary) <= _BOUNDARY or not boundary.isascii():
        raise PacsError(f"the PACS sends {kind} instead of DICOM files; ask its administrator for DICOMweb (WADO-RS)")
    yield from _save_many(chunks, boundary.encode(), folder)


def _save_one(chunks: Iterable[bytes], path: Path) -> Path:
    with path.open("wb") as file:
        for chunk in chunks:
            _write(file, chunk)
    return path


def _save_many(chunks: Iterable[bytes], boundary: bytes, folder: Path) -> Iterator[Path]:
    parts, total = _Parts(boundary, folder), 0
    try:
        for chunk in chunks:
            total += len(chunk)
            if total > FETCHED:
                raise TooMuch(f"over {FETCHED >> 30} GB")
            yield from parts.feed(chunk)
            if parts.ended:
                return
        raise Cut("the answer ends within a part")
    finally:
        parts.close()


class _Parts:
    """What has come of an answer: before its first part, in the headers of a part, or in its content."""

    def __init__(self, boundary: bytes, folder: Path) -> None:
        self._delimiter = b"\r\n--" + boundary
        self._buffer = bytearray(b"\r\n")  # the first delimiter may be the very beginning
        self._folder, self._count = folder, 0
        self._file: BinaryIO | None = None
        self._in_head = False
        self.ended = False

    def feed(self, chunk: bytes) -> Iterator[Path]:
        """Take a piece of the answer and yield the files that it ends."""
        self._buffer += chunk
        while not self.ended:
            if self._in_head:
                if not self._begin():
                    return
                continue
            at = self._buffer.find(self._delimiter)
            if at < 0:
                self._keep(max(len(self._buffer) - len(self._delimiter) + 1, 0))
                return
            self._keep(at)
            del self._buffer[: len(self._delimiter)]
            self._in_head = True
            if self._file is not None:
                path = Path(self._file.name)
                self._file.close()
                self._file = None
                yield path

    def close(self) -> None:
        """Remove the file that is not whole."""
        if self._file is not None:
            self._file.close()
            Path(self._file.name).unlink(missing_ok=True)

    def _begin(self) -> bool:
        """Begin a part if its headers are there; notice the end."""
        if self._buffer[:2] == b"--":
            self.ended = True
            return True
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0 or len(self._buffer) < 2:
            if len(self._buffer) > _HEAD:
                raise TooMuch(f"headers of over {_HEAD >> 10} kB")
            return False
        del self._buffer[: end + 4]
        self._count += 1
        if self._count > INSTANCES:
            raise TooMuch(f"over {INSTANCES} files")
        self._file = (self._folder / f"{self._count:06d}").open("wb")
        self._in_head = False
        return True

    def _keep(self, size: int) -> None:
        """Write the first bytes of the buffer to the file, if there is one."""
        if self._file is not None and size:
            _write(self._file, self._buffer[:size])
        del self._buffer[:size]


def _write(file: BinaryIO, chunk: bytes | bytearray) -> None:
    if file.tell() + len(chunk) > VOXELS:
        raise TooMuch(f"a file of over {VOXELS >> 30} GB")
    file.write(chunk)
