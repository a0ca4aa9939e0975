"""Stored values of pixels by a decoder: pydicom's, or ITK's for what it has none for.

With pydicom 3, frames are decoded one by one. pydicom 2, which Slicer 5.10 has, decodes all frames of a file at once:
the same values, and more memory. ITK reads file by file in one thread: its series reader is not safe in several.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from ..errors import DataError
from .headers import encoding_of, tag_number
from .kinds import Slice

try:
    from pydicom import pixels as _pixels
except ImportError:  # before pydicom 3
    _pixels = None  # type: ignore[assignment]


def decode(slices: Sequence[Slice], name: str) -> np.ndarray:
    """Return the stored values of slices, (k, j, i), by a decoder.

    Args:
        slices: of one phase.
        name: of the phase, for messages.

    Raises:
        DataError: if they cannot be read.
    """
    found: dict[tuple[Path, int | None], np.ndarray] = {}
    for file in dict.fromkeys(s.file for s in slices):
        frames = [s.frame for s in slices if s.file == file]
        try:
            found |= {(file, frame): stored for frame, stored in zip(frames, _read_file(file, frames), strict=True)}
        except Exception as error:  # whatever a decoder raises
            raise DataError(_cannot_be_read(file, name, error)) from None
    return np.stack([found[s.file, s.frame] for s in slices])


def _read_file(file: Path, frames: Sequence[int | None]) -> Iterable[np.ndarray]:
    """Return the stored values of frames of a file, or of its only image."""
    if frames != [None]:
        return _read_frames(file, [frame for frame in frames if frame is not None])
    data = pydicom.dcmread(file, force=True)
    if "TransferSyntaxUID" not in data.file_meta:
        data.file_meta.TransferSyntaxUID = _guess_syntax(data)
    try:
        return [data.pixel_array if _pixels is None else _pixels.pixel_array(data, raw=True)]
    except Exception:
        if not data.file_meta.TransferSyntaxUID.is_compressed:
            raise
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(file))
    return [_undo_rescaling(sitk.GetArrayFromImage(reader.Execute())[0], data)]


def _read_frames(file: Path, frames: Sequence[int]) -> Iterable[np.ndarray]:
    if _pixels is not None:
        return _pixels.iter_pixels(file, indices=list(frames))
    data = pydicom.dcmread(file)
    return np.asarray(data.pixel_array).reshape(-1, data.Rows, data.Columns)[list(frames)]


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
        syntax = pydicom.dcmread(file, stop_before_pixels=True, force=True).file_meta.TransferSyntaxUID
        if syntax.is_compressed:
            return f"{name}: its pixels, compressed as {syntax.name}, cannot be read; export it uncompressed"
    except Exception:  # the first reason is reported
        pass
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return f"{name}: its pixels cannot be read ({reason}); export it uncompressed"
