"""Voxels of a file whose header has been checked. No more is inflated than the header promises."""

import bz2
import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..errors import DataError
from .header import BZIP2, GZIP, RAW, TEXT, Header

MOST_BYTES = 4 << 30  # of the voxels of a file: forty phases of 512 x 512 x 100 take half of it
_PIECE = 1 << 20  # bytes
_DEFLATE = 1032  # the most that a byte of a deflated stream may become (zlib's technical details)
_BZIP2 = 50_000  # likewise: a block of 45 bytes may hold 900 kB and more
_MOST_BEHIND = 16 << 20  # bytes behind the voxels, such as an extension; more is an attack
_MOST_DIGITS = 40  # of a number with its blanks


def read_volumes(header: Header, chosen: Sequence[int]) -> list[np.ndarray]:
    """Return some of the volumes of a file, each (k, j, i), perhaps read-only, scaled as the header says.

    Raises:
        DataError: if the file is damaged or shorter than its header promises, or too large.
    """
    check_promise(header)
    stored = _read_text(header) if header.encoding == TEXT else np.frombuffer(_read(header), header.dtype, header.count)
    shape = header.geometry.shape
    if header.first:
        each = stored.reshape(*shape, header.volumes)
        volumes = [np.ascontiguousarray(each[..., k]) for k in chosen]
    else:
        each = stored.reshape(header.volumes, *shape)
        volumes = [each[k].copy() if header.volumes > len(chosen) else each[k] for k in chosen]
    return [_scale(volume, header) for volume in volumes]


def check_promise(header: Header) -> None:
    """Check that a file can hold what its header promises, before memory is taken for it.

    Raises:
        DataError: if it cannot, or if that is more than is read.
    """
    if header.promised > MOST_BYTES:
        raise DataError(
            f"{header.name}: its header promises {header.promised / 2**30:.3g} GB of voxels, at most "
            f"{MOST_BYTES >> 30} GB are read; check the header, or crop the images"
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
    return DataError(f"{path.name}: cannot be read ({error.strerror}); check that you may read it")


class Inflating:
    """A compressed stream that is read in order, piece by piece.

    Args:
        file: at the first byte of the stream.
        kind: of it, `GZIP` (gzip or zlib, of one member or several) or `BZIP2`.
    """

    def __init__(self, file: BinaryIO, kind: str) -> None:
        self._file, self._kind = file, kind
        self._rest, self._fresh = b"", True  # given but not inflated; at the beginning of a member
        self._inflate = self._begin()

    def read(self, count: int) -> bytearray:
        """Return so many bytes, fewer at the end of the stream.

        Raises:
            EOFError: if the stream ends in its middle.
            OSError, zlib.error: if it is damaged, also by its checksum.
        """
        found = bytearray()
        while len(found) < count:
            given = self._rest or self._file.read(_PIECE)
            if self._fresh and not (given := given.lstrip(b"\0")):  # padding after a member
                break
            piece = self._inflate.decompress(given, count - len(found))
            if not piece and not given:
                raise EOFError
            found += piece
            self._fresh = False
            if self._inflate.eof:
                self._rest, self._fresh = self._inflate.unused_data, True
                self._inflate = self._begin()
            else:
                self._rest = self._inflate.unconsumed_tail if self._kind == GZIP else b""  # bz2 keeps it itself
        return found

    def _begin(self) -> Any:  # noqa: ANN401  zlib keeps its type private
        """Begin a member of the stream."""
        return bz2.BZ2Decompressor() if self._kind == BZIP2 else zlib.decompressobj(wbits=47)


def _read(header: Header) -> bytes | bytearray:
    """Return the bytes of all voxels."""
    try:
        with header.file.open("rb") as file:
            if header.encoding == RAW:
                file.seek(_first_byte(header, header.file.stat().st_size))
                voxels: bytes | bytearray = file.read(header.promised)
            else:
                file.seek(header.inflate_from)
                voxels = _inflate(file, header)
    except (EOFError, zlib.error):
        raise DataError(f"{header.name}: is not a whole {header.encoding} file; copy or export it again") from None
    except OSError as error:
        if error.errno is not None:
            raise cannot_read(header.file, error) from None
        raise DataError(f"{header.name}: is not a whole {header.encoding} file; copy or export it again") from None
    if len(voxels) < header.promised:
        raise DataError(f"{header.name}: is cut short; copy or export it again")
    return voxels


def _first_byte(header: Header, size: int) -> int:
    """Return the first byte of voxels that are not compressed; without a number they are the end of the file."""
    return size - header.promised if header.start < 0 else header.start


def _inflate(file: BinaryIO, header: Header) -> bytearray:
    """Return the voxels of a compressed stream, which is read to its end: there is the checksum."""
    stream = Inflating(file, header.encoding)
    stream.read(header.start)
    voxels = stream.read(header.promised)
    if len(stream.read(_MOST_BEHIND)) == _MOST_BEHIND:
        raise DataError(f"{header.name}: holds far more than its header says; export it again")
    return voxels


def _read_text(header: Header) -> np.ndarray:
    """Return voxels that are written as numbers."""
    try:
        with header.file.open("rb") as file:
            file.seek(header.start)
            text = file.read(_MOST_DIGITS * header.count)
    except OSError as error:
        raise cannot_read(header.file, error) from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of what is no number; the count tells
        stored = np.fromstring(text.decode("ascii", "replace"), dtype=np.float64, sep=" ", count=header.count)
    if len(stored) < header.count:
        raise DataError(f"{header.name}: must have {header.count} numbers, got {len(stored)}; export it again")
    return stored.astype(header.dtype)


def _scale(volume: np.ndarray, header: Header) -> np.ndarray:
    if header.scale is None:
        return volume
    slope, offset = (np.float32(x) for x in header.scale)
    return (volume * slope + offset).astype(np.float32)
