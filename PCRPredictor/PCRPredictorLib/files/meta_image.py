"""Headers of MetaImage (`.mha`, `.mhd`). ITK's reader writes beyond its memory if a header has strange dimensions.

Source: https://itk.org/Wiki/ITK/MetaIO/Documentation; ITK 5.4 (observed).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..geometry import Geometry
from .header import GZIP, MISSING_POSITION, RAW, Header, checked
from .nrrd import file_beside
from .opening import open_file
from .voxels import cannot_read

_MOST = 1 << 14  # bytes of a header
_TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4",
    "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}  # fmt: skip
_ALIASES = {
    "Rotation": "TransformMatrix", "Orientation": "TransformMatrix", "Position": "Offset", "Origin": "Offset",
    "ElementByteOrderMSB": "BinaryDataByteOrderMSB",
}  # fmt: skip
Fields = Mapping[str, str]


def read_meta_image_header(path: Path) -> Header:
    """Read the header of a `.mha` or `.mhd`.

    Raises:
        DataError: if it is damaged, of a kind that is not read, or its geometry is impossible.
    """
    fields, end = _parse(path)
    sizes = [int(word) for word in fields.get("DimSize", "").split() if _is_count(word)]
    channels = fields.get("ElementNumberOfChannels", "1")
    if fields.get("NDims") not in ("3", "4") or len(sizes) != int(fields["NDims"]) or min(sizes) < 1:
        raise DataError(
            f"{path.name}: must be one three-dimensional volume, or several along a fourth axis, got NDims "
            f"{fields.get('NDims')} and DimSize {fields.get('DimSize')}; export it again"
        )
    if not _is_count(channels) or int(channels) < 1 or (len(sizes) == 4 and channels != "1"):
        raise DataError(f"{path.name}: must have one number per voxel, got {channels} channels; export it again")
    if (kind := _TYPES.get(fields.get("ElementType", ""))) is None:
        raise DataError(f"{path.name}: must have numbers as voxels, got {fields.get('ElementType')}; export it again")
    if fields.get("BinaryData", "True").lower() != "true":
        raise DataError(f"{path.name}: its voxels must be binary, got text; export it again")
    volumes = sizes[3] if len(sizes) == 4 else int(channels)
    packed = fields.get("CompressedData", "False").lower() == "true"
    file, start = (path, end) if fields["ElementDataFile"] == "LOCAL" else (_beside(path, fields), 0)
    skip = fields.get("HeaderSize", "0")
    if skip not in ("0", "-1") and not _is_count(skip):
        raise DataError(f"{path.name}: HeaderSize must be a number of bytes, got {skip}; export it again")
    start = -1 if skip == "-1" else start + int(skip)
    order = ">" if fields.get("BinaryDataByteOrderMSB", "False").lower() == "true" else "<"
    geometry = _geometry(fields, sizes, path.name)
    known = "TransformMatrix" in fields
    return Header(
        path.name,
        geometry,
        volumes,
        len(sizes) == 3 and volumes > 1,
        np.dtype(order + kind),
        file,
        0 if packed else start,
        GZIP if packed else RAW,
        inflate_from=max(start, 0) if packed else 0,
        notices=() if known else (MISSING_POSITION,),
    )


def _parse(path: Path) -> tuple[dict[str, str], int]:
    """Return the fields, the last of which names the file of the voxels, and the number of bytes of the header."""
    fields: dict[str, str] = {}
    try:
        with open_file(path) as file:
            while "ElementDataFile" not in fields and file.tell() < _MOST and (line := file.readline(_MOST)):
                key, equals, value = (part.strip() for part in line.decode("utf-8", "replace").partition("="))
                name = _ALIASES.get(key, key)
                if not equals or name in fields:
                    raise DataError(
                        f"{path.name}: cannot be read as an image, {key[:40]!r} is no field or is there twice"
                    )
                fields[name] = value
            end = file.tell()
    except OSError as error:
        raise cannot_read(path, error) from None
    if "ElementDataFile" not in fields or fields.get("ObjectType", "Image") != "Image":
        raise DataError(f"{path.name}: cannot be read as an image, its header is not whole; export it again")
    return fields, end


def _is_count(text: str) -> bool:
    return text.isdecimal() and len(text) < 10


def _beside(path: Path, fields: Fields) -> Path:
    return file_beside(path, fields["ElementDataFile"])


def _numbers(fields: Fields, name: str, count: int, file: str) -> np.ndarray:
    try:
        found = np.array([float(word) for word in fields[name].split()])
    except (KeyError, ValueError):
        found = np.array([])
    if len(found) != count:
        raise DataError(f"{file}: {name} must be {count} numbers, got {fields.get(name)}; correct the header")
    return found


def _geometry(fields: Fields, sizes: list[int], name: str) -> Geometry:
    n = len(sizes)
    if (unit := fields.get("DistanceUnits", "mm").lower()) not in ("mm", "?", ""):
        raise DataError(f"{name}: its space must be in mm, got {unit[:20]}; export it again")
    given = "ElementSpacing" if "ElementSpacing" in fields else "ElementSize"
    if given not in fields:
        raise DataError(f"{name}: must have ElementSpacing, the widths of a voxel in mm; correct the header")
    spacing = _numbers(fields, given, n, name)[:3]
    origin = _numbers(fields, "Offset", n, name)[:3] if "Offset" in fields else np.zeros(3)
    matrix = _numbers(fields, "TransformMatrix", n * n, name) if "TransformMatrix" in fields else np.eye(n).ravel()
    direction = matrix.reshape(n, n)[:3, :3].T
    extent = tuple(sizes[:3])
    return checked(Geometry(extent, tuple(spacing.tolist()), tuple(origin.tolist()), direction), name)  # type: ignore[arg-type]
