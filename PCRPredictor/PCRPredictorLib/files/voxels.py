"""Voxels of a file whose header has been checked. No more is inflated than the header promises."""

import bz2
import errno
import warnings
import zlib
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..errors import DataError
from .header import BZIP2, GZIP, RAW, TEXT, Header
from .limits import BEHIND, EXAM, FEW, PACKED, VOXELS
from .memory import reserved
from .opening import open_file

_PIECE = 1 << 20  # bytes that are held at a time while a file is read
_GIVEN = 1 << 14  # bytes of a compressed stream that are inflated at a time
_MEMBERS = 1000  # of a stream; more must have 64 bytes each, or finding their ends takes longer than inflating
_DEFLATE = 1032  # the most that a byte of a deflated stream may become (zlib's technical details)
_BZIP2 = 1_200_000  # likewise: a block of 39 bytes may hold 900 kB of runs, of 255 bytes for 5 each
_MOST_DIGITS = 40  # of a number with its blanks


def read_volumes(header: Header, chosen: Sequence[int]) -> list[np.ndarray]:
    """Return some of the volumes of a file, each (k, j, i), perhaps read-only, scaled as the header says.

    Only these are held in memory, whatever else the file has.

    Raises:
        DataError: if the file is damaged or shorter than its header promises, or too large for the memory.
    """
    check_promise(header)
    with reserved(needed_memory(header, len(set(chosen))), header.name):
        found = _read_text(header, chosen) if header.encoding == TEXT else _read(header, chosen)
        return [_scale(volume, header) for volume in found]


def needed_memory(header: Header, volumes: int) -> int:
    """Return the bytes of memory that reading so many volumes of a file takes."""
    if header.encoding == TEXT:
        return header.file.stat().st_size + 16 * header.count
    scaled = 0 if header.scale is None else 8 * header.count // header.volumes
    return volumes * (header.promised // header.volumes + scaled)


def check_size(headers: Sequence[Header]) -> None:
    """Check that an exam of one volume of each header is not too large.

    Raises:
        DataError: if it is.
    """
    for header in headers:
        check_packing(header.promised, header.file.stat().st_size, header.name)
    total = sum(h.count // h.volumes * (h.dtype.itemsize if h.scale is None else 4) for h in headers)
    if total > EXAM:
        raise DataError(
            f"{headers[0].name}: the phases must take at most {EXAM / 2**30:.3g} GB of memory, got "
            f"{total / 2**30:.3g} GB; crop the images around the breasts, or save them as 16 or 32 bits per voxel"
        )


def check_packing(inflated: int, size: int, name: str) -> None:
    """Check that a file does not inflate to far more than any exam does.

    Args:
        inflated: bytes that it promises or has inflated to.
        size: bytes of the file.
        name: for the message.

    Raises:
        DataError: if it does.
    """
    if inflated > FEW and inflated > PACKED * size:
        raise DataError(
            f"{name}: {inflated / 2**20:.0f} MB are packed into {size / 2**20:.2g} MB, {inflated // max(size, 1)} "
            f"times less, and images of MRI at most {PACKED} times; export it again"
        )


def check_promise(header: Header) -> None:
    """Check that a file can hold what its header promises, before memory is taken for it.

    Raises:
        DataError: if it cannot, or if that is more than is read.
    """
    if header.promised > VOXELS:
        raise DataError(
            f"{header.name}: its header promises {header.promised / 2**30:.3g} GB of voxels, at most "
            f"{VOXELS >> 30} GB are read; check the header, crop the images, or save them as 16 or 32 bits per voxel"
        )
    try:
        size = header.file.stat().st_size
    except OSError as error:
        raise cannot_read(header.file, error) from None
    most = {RAW: 1, GZIP: _DEFLATE, BZIP2: _BZIP2, TEXT: header.dtype.itemsize}[header.encoding]
    here = size - (_first_byte(header, size) if header.encoding in (RAW, TEXT) else header.inflate_from)
    if here * most < header.promised or here < 0:
        raise DataError(f"{header.name}: is cut short; copy or export it again")


def cannot_read(path: Path, error: OSError) -> DataError:
    """Return the error of a file that the system refuses to open."""
    denied = error.errno in (errno.EACCES, errno.EPERM)
    todo = "check that you may read it" if denied else "put a whole copy of the file in its place"
    return DataError(f"{path.name}: cannot be read ({error.strerror}); {todo}")


class Inflating:
    """A compressed stream that is read in order, piece by piece.

    Args:
        file: at the first byte of the stream.
        kind: of it, `GZIP` (gzip or zlib, of one member or several) or `BZIP2`.
    """

    def __init__(self, file: BinaryIO, kind: str) -> None:
        self._file, self._kind = file, kind
        self._rest, self._fresh = b"", True  # given but not inflated; at the beginning of a member
        self._members = self._found = 0
        self._inflate = self._begin()

    def read(self, count: int) -> bytearray:
        """Return so many bytes, fewer at the end of the stream.

        Raises:
            EOFError: if the stream ends in its middle.
            OSError, zlib.error: if it is damaged, also by its checksum.
        """
        found = bytearray()
        while len(found) < count:
            given = self._rest or self._file.read(_GIVEN)
            if self._fresh and not (given := given.lstrip(b"\0")):  # padding after a member
                break
            piece = self._inflate.decompress(given, count - len(found))
            if not piece and not given:
                raise EOFError
            found += piece
            self._found += len(piece)
            self._fresh = False
            if self._inflate.eof:
                self._rest, self._fresh = self._inflate.unused_data, True
                self._inflate = self._begin()
            else:
                self._rest = self._inflate.unconsumed_tail if self._kind == GZIP else b""  # bz2 keeps it itself
        return found

    def skip(self, count: int) -> int:
        """Read past so many bytes, holding only a piece at a time; return how many there were.

        Raises:
            EOFError, OSError, zlib.error: as `read`.
        """
        left = count
        while left and (piece := self.read(min(left, _PIECE))):
            left -= len(piece)
        return count - left

    def _begin(self) -> Any:  # noqa: ANN401  zlib keeps its type private
        """Begin a member of the stream."""
        self._members += 1
        if self._members > _MEMBERS and self._found < 64 * self._members:
            raise zlib.error("it has too many members")
        return bz2.BZ2Decompressor() if self._kind == BZIP2 else zlib.decompressobj(wbits=47)


def _read(header: Header, chosen: Sequence[int]) -> list[np.ndarray]:
    """Return volumes that are stored as numbers."""
    try:
        with open_file(header.file) as file:
            if header.encoding == RAW:
                file.seek(_first_byte(header, header.file.stat().st_size))
                return _take(file.read, header, chosen)
            file.seek(header.inflate_from)
            stream = Inflating(file, header.encoding)
            stream.skip(header.start)
            found = _take(stream.read, header, chosen)
            if stream.skip(BEHIND) == BEHIND:  # to the end of the stream: there is the checksum
                raise DataError(f"{header.name}: holds far more than its header says; export it again")
            return found
    except (EOFError, zlib.error):
        raise DataError(f"{header.name}: is not a whole {header.encoding} file; copy or export it again") from None
    except OSError as error:
        if error.errno is not None:
            raise cannot_read(header.file, error) from None
        raise DataError(f"{header.name}: is not a whole {header.encoding} file; copy or export it again") from None


def _take(read: Callable[[int], bytes | bytearray], header: Header, chosen: Sequence[int]) -> list[np.ndarray]:
    """Return volumes of a stream that is at its first voxel and is read in pieces."""
    one = header.count // header.volumes
    found = {k: np.empty(one, header.dtype) for k in chosen}
    if header.first:  # the volumes change fastest: each piece has some voxels of all of them
        step = max(_PIECE // (header.volumes * header.dtype.itemsize), 1)
        for at in range(0, one, step):
            count = min(step, one - at)
            piece = _numbers(read, header, count * header.volumes).reshape(count, header.volumes)
            for k, volume in found.items():
                volume[at : at + count] = piece[:, k]
    else:
        step = max(_PIECE // header.dtype.itemsize, 1)
        for k in range(header.volumes):
            for at in range(0, one, step):
                piece = _numbers(read, header, min(step, one - at))
                if k in found:
                    found[k][at : at + len(piece)] = piece
    return [found[k].reshape(header.geometry.shape) for k in chosen]


def _numbers(read: Callable[[int], bytes | bytearray], header: Header, count: int) -> np.ndarray:
    content = read(count * header.dtype.itemsize)
    if len(content) < count * header.dtype.itemsize:
        raise DataError(f"{header.name}: is cut short; copy or export it again")
    return np.frombuffer(content, header.dtype)


def _first_byte(header: Header, size: int) -> int:
    """Return the first byte of voxels that are not compressed; without a number they are the end of the file."""
    return size - header.promised if header.start < 0 else header.start


def _read_text(header: Header, chosen: Sequence[int]) -> list[np.ndarray]:
    """Return volumes that are written as numbers."""
    try:
        with open_file(header.file) as file:
            file.seek(header.start)
            text = file.read(_MOST_DIGITS * header.count)
    except OSError as error:
        raise cannot_read(header.file, error) from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of what is no number; the count tells
        stored = np.fromstring(text.decode("ascii", "replace"), dtype=np.float64, sep=" ")[: header.count]
    if len(stored) < header.count:
        raise DataError(f"{header.name}: must have {header.count} numbers, got {len(stored)}; export it again")
    with np.errstate(invalid="ignore"):  # a number beyond its type
        content = stored.astype(header.dtype).tobytes()
    return _take(BytesIO(content).read, header, chosen)


def _scale(volume: np.ndarray, header: Header) -> np.ndarray:
    if header.scale is None:
        return volume
    with np.errstate(all="ignore"):  # what becomes infinite is refused with the exam
        slope, offset = (np.float32(x) for x in header.scale)
        return (volume * slope + offset).astype(np.float32)
