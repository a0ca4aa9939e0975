"""Data sets of DICOM files, within bounds: one that is deflated as a whole inflates to what it may need, no more.

Source: DICOM PS3.10 7.1 (file meta information), PS3.5 A.5 (deflated transfer syntax).
"""

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import pydicom
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from ..files.limits import DATASET, FEW, PACKED, VOXELS
from ..files.memory import reserved
from ..files.opening import open_file

_START = 132  # bytes of preamble and prefix
_META = 1 << 16  # bytes of the file meta information; more is none
_LONG = (b"OB", b"OW", b"OF", b"OD", b"OL", b"SQ", b"UN", b"UC", b"UR", b"UT")  # kinds whose length has four bytes
_PIECE = 1 << 20


def read_dataset(file: Path | BinaryIO, **options: Any) -> pydicom.Dataset:  # noqa: ANN401  of pydicom
    """Return what `pydicom.dcmread` returns.

    Args:
        file: its path, or open at its start.
        options: of `dcmread`.

    Raises:
        DataError: if it needs more memory than is free.
        ValueError: if it is too large, or inflates to more than a data set needs.
        Exception: whatever pydicom raises.
    """
    if isinstance(file, Path):
        with open_file(file) as stream:
            return read_dataset(stream, **options)
    size = file.seek(0, 2)
    file.seek(0)
    start = file.read(_META)
    file.seek(0)
    name = Path(str(getattr(file, "name", "the file"))).name
    if size > VOXELS:
        raise ValueError(f"it has {size >> 30} GB")
    if DeflatedExplicitVRLittleEndian.encode() not in start:
        with reserved(0 if options.get("stop_before_pixels") else 2 * size, name):
            return pydicom.dcmread(file, **options)
    with reserved(2 * min(DATASET, max(FEW, PACKED * size)), name):
        found = pydicom.dcmread(BytesIO(_inflated(file, start, size)), **options)
    found.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    found.filename = getattr(file, "name", None)
    return found


def _inflated(file: BinaryIO, start: bytes, size: int) -> bytes:
    """Return a file that is not deflated, of one that is and has so many bytes."""
    end = _end_of_meta(start)
    meta = start[:end].replace(
        DeflatedExplicitVRLittleEndian.encode(), ExplicitVRLittleEndian.encode().ljust(22, b"\0")
    )
    file.seek(end)
    inflate, found = zlib.decompressobj(-zlib.MAX_WBITS), bytearray(meta)
    while not inflate.eof and (given := inflate.unconsumed_tail or file.read(_PIECE >> 4)):
        found += inflate.decompress(given, _PIECE)
        if len(found) > DATASET or (len(found) > FEW and len(found) > PACKED * size):
            raise ValueError(f"it inflates to more than {len(found) >> 20} MB")
    return bytes(found)


def _end_of_meta(start: bytes) -> int:
    """Return the first byte behind the elements of group 2."""
    at = _START
    while start[at : at + 2] == b"\x02\x00" and at + 12 <= len(start):
        long = start[at + 4 : at + 6] in _LONG
        (length,) = struct.unpack_from("<L" if long else "<H", start, at + (8 if long else 6))
        at += (12 if long else 8) + length
    return at
