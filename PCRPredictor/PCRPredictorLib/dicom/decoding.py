"""Stored values of pixels by a decoder: pydicom's, or ITK's for what it has none for.

With pydicom 3, frames are decoded one by one. pydicom 2, which Slicer 5.10 has, decodes all frames of a file at once:
the same values, and more memory. Decoders are entered by one thread at a time, whatever reads several exams, and ITK
reads in a process of its own: damaged pixels end it.
"""

import os
import re
import shutil
import struct
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pydicom
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from ..errors import DataError
from .datasets import read_dataset
from .headers import encoding_of, tag_number
from .kinds import Slice

try:
    from pydicom import pixels as _pixels
    from pydicom.encaps import generate_frames
except ImportError:  # before pydicom 3
    from pydicom.encaps import generate_pixel_data_frame

    _pixels = None  # type: ignore[assignment]

    def generate_frames(content: bytes, *, number_of_frames: int) -> Iterable[bytes]:  # type: ignore[misc]
        """Yield the frames as pydicom 3 does."""
        return generate_pixel_data_frame(content, number_of_frames)


_BY_PYDICOM = {RLELossless, DeflatedExplicitVRLittleEndian}
_BY_ITK = re.compile(r"1\.2\.840\.10008\.1\.2\.4\.(50|51|57|70|80|81|90|91)")  # JPEG, JPEG-LS and JPEG 2000
_ITK = """
import os, sys, numpy, SimpleITK
with open(sys.argv[1], "wb") as found:
    for file in os.fsdecode(sys.stdin.buffer.read()).split(chr(0)):
        reader = SimpleITK.ImageFileReader()
        reader.SetFileName(file)
        numpy.save(found, SimpleITK.GetArrayFromImage(reader.Execute())[0])
"""
_ONE = threading.Lock()  # decoders and ITK's readers are entered by one thread at a time
_HEADERS = 1 << 16  # bytes that the headers of a compressed frame may take
_SIZES = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}  # markers of JPEG and JPEG-LS behind which the size is


def decode(slices: Sequence[Slice], name: str) -> np.ndarray:
    """Return the stored values of slices, (k, j, i), by a decoder.

    Args:
        slices: of one phase.
        name: of the phase, for messages.

    Raises:
        DataError: if they cannot be read.
    """
    found: dict[tuple[Path, int | None], np.ndarray] = {}
    others: dict[Path, pydicom.Dataset] = {}
    for file in dict.fromkeys(s.file for s in slices):
        frames = [s.frame for s in slices if s.file == file]
        try:
            with _ONE:
                data = _open(file)
                if frames == [None] and not _has_decoder(data):
                    check_frames(data)
                    others[file] = data
                    continue
                stored = (
                    [decoded(data)] if frames == [None] else _read_frames(data, [f for f in frames if f is not None])
                )
                found |= {(file, frame): each for frame, each in zip(frames, stored, strict=True)}
        except (DataError, MemoryError):
            raise
        except Exception as error:  # whatever a decoder raises
            raise DataError(_cannot_be_read(file, name, error)) from None
    for file, values in zip(others, _read_by_itk(list(others), name), strict=True):
        found[file, None] = _undo_rescaling(values, others[file])
    arrays = [found[s.file, s.frame] for s in slices]
    usual = Counter(array.shape for array in arrays).most_common(1)[0][0]
    for each, array in zip(slices, arrays, strict=True):
        if array.shape != usual or array.ndim != 2:  # more frames, or more values per pixel, than the header says
            wrong = ValueError(f"they have the shape {array.shape}, not that of one image as in the other files")
            raise DataError(_cannot_be_read(each.file, name, wrong))
    return np.stack(arrays)


def can_decode(syntax: UID, frames: int = 1) -> bool:
    """Return True if pixels in a transfer syntax can be read, of one frame by pydicom or ITK, of several by pydicom."""
    data = pydicom.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    return syntax.is_transfer_syntax and (_has_decoder(data) or (frames == 1 and _BY_ITK.fullmatch(syntax) is not None))


def _open(file: Path) -> pydicom.Dataset:
    data = read_dataset(file, force=True)
    if "TransferSyntaxUID" not in data.file_meta:
        data.file_meta.TransferSyntaxUID = _guess_syntax(data)
    return data


def _has_decoder(data: pydicom.Dataset) -> bool:
    """Return True if pydicom reads this compression; what it refuses is damaged then."""
    syntax = data.file_meta.TransferSyntaxUID
    if not syntax.is_compressed or syntax in _BY_PYDICOM:
        return True
    if _pixels is None:
        return any(each.is_available() and each.supports_transfer_syntax(syntax) for each in _handlers())
    try:
        return bool(_pixels.get_decoder(syntax).is_available)
    except NotImplementedError:
        return False


def _handlers() -> Sequence[Any]:
    """Return the decoders of pydicom 2."""
    return pydicom.config.pixel_data_handlers


def _read_by_itk(files: Sequence[Path], name: str) -> list[np.ndarray]:
    """Return the rescaled values of images, (rows, columns) each, read by ITK in a process of its own.

    Damaged pixels end the process that reads them: GDCM writes beyond its memory (ITK 5.4, observed with RLE).

    Raises:
        DataError: if ITK cannot read them.
    """
    if not files:
        return []
    with TemporaryDirectory(prefix="pcr-itk-") as folder:
        words = [shutil.which("PythonSlicer") or sys.executable, "-c", _ITK, str(Path(folder) / "found.npy")]
        paths = b"\0".join(os.fsencode(file.resolve()) for file in files)
        done = subprocess.run(words, input=paths, capture_output=True, check=False)
        if done.returncode:
            raise DataError(_cannot_be_read(files[0], name, ValueError("ITK cannot decode them")))
        with (Path(folder) / "found.npy").open("rb") as stream:
            return [np.load(stream, allow_pickle=False) for _ in files]


def _read_frames(data: pydicom.Dataset, frames: Sequence[int]) -> Iterable[np.ndarray]:
    check_frames(data)
    if _pixels is not None:
        return _pixels.iter_pixels(data, indices=list(frames), raw=True)
    return np.asarray(data.pixel_array).reshape(-1, data.Rows, data.Columns)[list(frames)]


def decoded(data: pydicom.Dataset) -> np.ndarray:
    """Return the stored values of a data set, (frames, rows, columns), of one frame (rows, columns).

    Raises:
        ValueError: if its compressed frames are of a different size than it says.
        Exception: whatever a decoder raises.
    """
    check_frames(data)
    return data.pixel_array if _pixels is None else _pixels.pixel_array(data, raw=True)


def check_frames(data: pydicom.Dataset) -> None:
    """Check that compressed frames are of the size that the header says: decoders take memory by their own header.

    Raises:
        ValueError: if one is not, or has more bytes than it would have uncompressed.
    """
    if not data.file_meta.TransferSyntaxUID.is_encapsulated:
        return
    rows, columns = int(data.Rows), int(data.Columns)
    most = (
        2 * rows * columns * max(int(data.get("BitsAllocated") or 16) // 8, 1) * int(data.get("SamplesPerPixel") or 1)
    )
    count = int(data.get("NumberOfFrames") or 1)
    for frame in generate_frames(data.PixelData, number_of_frames=count):
        if len(frame) > most + _HEADERS:
            raise ValueError(f"a frame has {len(frame)} bytes, more than {rows} x {columns} pixels need")
        if (size := size_of_frame(frame)) not in (None, (rows, columns)):
            raise ValueError(f"a frame has {size} pixels instead of {rows, columns}")


def size_of_frame(frame: bytes) -> tuple[int, int] | None:
    """Return rows and columns that a frame of JPEG, JPEG-LS or JPEG 2000 declares; None if it declares none.

    Sources: ITU T.81 B.1.1, T.87 C.2.2, T.800 A.5.1.
    """
    if frame[:4] == b"\xff\x4f\xff\x51" and len(frame) >= 24:
        right, bottom, left, top = struct.unpack_from(">4L", frame, 8)
        return bottom - top, right - left
    at = 2
    while frame[:2] == b"\xff\xd8" and at + 9 <= len(frame) and frame[at] == 0xFF:
        kind = frame[at + 1]
        if kind in _SIZES:
            return struct.unpack_from(">HH", frame, at + 5)
        at += 1 if kind == 0xFF else 2 + int.from_bytes(frame[at + 2 : at + 4], "big")
    return None


def _undo_rescaling(values: np.ndarray, header: pydicom.Dataset) -> np.ndarray:
    """Return stored values of rescaled ones, which is how ITK reads."""
    slope, intercept = (tag_number(header, tag) for tag in ("RescaleSlope", "RescaleIntercept"))
    return values if (slope or 1.0, intercept or 0.0) == (1.0, 0.0) else (values - (intercept or 0.0)) / (slope or 1.0)


def _guess_syntax(data: pydicom.Dataset) -> UID:
    """Return the transfer syntax of a data set without file meta information, which is not compressed."""
    implicit, little = encoding_of(data)
    if not little:
        return ExplicitVRBigEndian
    return ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian


def _cannot_be_read(file: Path, name: str, error: Exception) -> str:
    """Return the message for pixels that cannot be read, with their compression if they have one."""
    try:
        syntax = read_dataset(file, stop_before_pixels=True, force=True).file_meta.TransferSyntaxUID
        if syntax.is_compressed:
            return f"{name}: its pixels, compressed as {syntax.name}, cannot be read; export it uncompressed"
    except Exception:  # the first reason is reported
        pass
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return f"{name}: its pixels cannot be read ({reason}); export it uncompressed"
