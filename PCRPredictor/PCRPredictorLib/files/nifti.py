"""Headers of NIfTI-1 and NIfTI-2, read as they are: ITK reads a spacing of zero or NaN as 1 mm, without a word.

Of two positions in a header, that is taken which ITK takes, and therefore Slicer shows.

Sources: https://nifti.nimh.nih.gov/nifti-1, https://nifti.nimh.nih.gov/nifti-2; ITK 5.4 (observed).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..errors import DataError, Notice
from ..exam import PHANTOM
from ..geometry import ON_GRID, Geometry
from .header import GZIP, MISSING_POSITION, RAW, Header, checked
from .opening import open_file
from .voxels import Inflating, cannot_read

_TYPES = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8",
}  # fmt: skip
_FIELDS = {  # size of the header: name of a field to its type, number of values and first byte
    348: {
        "dim": ("i2", 8, 40), "datatype": ("i2", 1, 70), "pixdim": ("f4", 8, 76), "vox_offset": ("f4", 1, 108),
        "scale": ("f4", 2, 112), "units": ("u1", 1, 123), "codes": ("i2", 2, 252), "quaternion": ("f4", 3, 256),
        "qoffset": ("f4", 3, 268), "srow": ("f4", 12, 280), "description": ("S80", 1, 148),
    },
    540: {
        "dim": ("i8", 8, 16), "datatype": ("i2", 1, 12), "pixdim": ("f8", 8, 104), "vox_offset": ("i8", 1, 168),
        "scale": ("f8", 2, 176), "units": ("i4", 1, 500), "codes": ("i4", 2, 344), "quaternion": ("f8", 3, 352),
        "qoffset": ("f8", 3, 376), "srow": ("f8", 12, 400), "description": ("S80", 1, 240),
    },
}  # fmt: skip
_MAGIC = {348: (344, b"n+1\0"), 540: (4, b"n+2\0")}
_MM = {1: 1000.0, 3: 0.001}  # code of the unit of length: metres, micrometres; all others count as mm
_SECONDS = {8: 1.0, 16: 0.001, 24: 1e-6}  # code of the unit of time
_SCANNER = 1  # code of a position
_LEAST_STEP_S = 1.0  # a time step of 1 s is what programs write that know none
_LPS = np.array([-1.0, -1.0, 1.0])  # from RAS
_CONFLICTS = {
    first: Notice(
        "positions_conflict",
        "The images have two different positions in the patient (qform and sform); that of the "
        f"{first}form was used, as in 3D Slicer.",
    )
    for first in "qs"
}
_FARTHEST = 1 << 24  # bytes before the voxels: header and extensions


def read_nifti_header(path: Path) -> Header:
    """Read the header of a `.nii` or `.nii.gz`, compressed or not, whatever its name says.

    Raises:
        DataError: if it is damaged, not NIfTI with one number per voxel, or its geometry is impossible.
    """
    content, packed = _first_bytes(path)
    size, order = _kind(content, path.name)

    def field(name: str) -> np.ndarray:
        kind, count, place = _FIELDS[size][name]
        return np.frombuffer(content, kind if kind.startswith("S") else order + kind, count, place)

    extent, volumes = _extent(field("dim"), path.name)
    if (kind := _TYPES.get(int(field("datatype")[0]))) is None:
        raise DataError(f"{path.name}: must have one number per voxel, got colours or complex numbers; export it again")
    start = float(field("vox_offset")[0])
    if not size <= start <= _FARTHEST:
        raise DataError(
            f"{path.name}: its voxels must begin at byte {size + 4} or later, got {start:g}; export it again"
        )
    geometry, notices = _geometry(extent, field, path.name)
    return Header(
        path.name,
        geometry,
        volumes,
        False,
        np.dtype(order + kind),
        path,
        int(start),
        GZIP if packed else RAW,
        scale=_scale(*(float(x) for x in field("scale"))),
        times=_times(volumes, int(field("units")[0]), float(field("pixdim")[4])),
        notices=notices,
        simulated=bytes(field("description")[0]) == PHANTOM.encode(),
    )


def _first_bytes(path: Path) -> tuple[bytes, bool]:
    """Return the bytes of the longest header, and whether the file is compressed."""
    try:
        with open_file(path) as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            return bytes(Inflating(file, GZIP).read(540)) if packed else file.read(540), packed
    except OSError as error:
        raise cannot_read(path, error) from None
    except Exception:  # of zlib
        raise DataError(f"{path.name}: is not a whole gzip file; copy or export it again") from None


def _kind(content: bytes, name: str) -> tuple[int, str]:
    """Return the size of the header, which tells the version, and the byte order."""
    for order in "<>":
        size = int.from_bytes(content[:4], "little" if order == "<" else "big")
        if size in _MAGIC and len(content) >= size:
            place, magic = _MAGIC[size]
            if content[place : place + 4] == magic:
                return size, order
    raise DataError(f"{name}: cannot be read as an image, it is not NIfTI in one file; save it as NIfTI-1")


def _extent(dimensions: np.ndarray, name: str) -> tuple[tuple[int, int, int], int]:
    """Return voxels along i, j, k, and the number of volumes."""
    count = int(dimensions[0])
    sizes = [int(n) for n in dimensions[1 : 1 + count]] if 1 <= count <= 7 else []
    more = [n for n in sizes[3:] if n != 1]
    if len(sizes) < 3 or min(sizes) < 1 or len(more) > 1:
        shape = " x ".join(str(n) for n in sizes) or f"{count} dimensions"
        raise DataError(f"{name}: must be one three-dimensional volume, or several along a fourth axis, got {shape}")
    return tuple(sizes[:3]), more[0] if more else 1  # type: ignore[return-value]


def _scale(slope: float, offset: float) -> tuple[float, float] | None:
    """Return slope and offset; None if the voxels are meant as stored: NaN and 0 say so."""
    if not np.isfinite([slope, offset]).all() or (slope in (0.0, 1.0) and offset == 0.0):
        return None
    return slope or 1.0, offset


def _times(volumes: int, units: int, step: float) -> tuple[float, ...] | None:
    seconds = step * _SECONDS.get(units & 0x38, 0.0)
    if volumes == 1 or not np.isfinite(seconds) or seconds <= _LEAST_STEP_S:
        return None
    return tuple(k * seconds for k in range(volumes))


def _geometry(
    extent: tuple[int, int, int], field: Callable[[str], np.ndarray], name: str
) -> tuple[Geometry, tuple[Notice, ...]]:
    """Return the lattice, and a warning if its position is missing or given twice in different ways."""
    scale = _MM.get(int(field("units")[0]) & 7, 1.0)
    pixdim = field("pixdim").astype(float)
    spacing = tuple((pixdim[1:4] * scale).tolist())
    checked(Geometry(extent, spacing), name)
    qcode, scode = (int(code) for code in field("codes"))
    rows = field("srow").astype(float).reshape(3, 4)
    qform, sform = (
        _quaternion(field("quaternion").astype(float), pixdim[0], field("qoffset").astype(float) * scale),
        (rows[:, :3], rows[:, 3] * scale),
    )
    forms = {
        code: Geometry(extent, spacing, tuple((_LPS * origin).tolist()), _LPS[:, None] * axes)
        for code, (axes, origin), given in (("q", qform, qcode > 0), ("s", sform, scode > 0))
        if given
    }
    if "s" in forms:
        forms["s"] = _sform(forms["s"], scale, name)
    if not forms:
        return Geometry(extent, spacing), (MISSING_POSITION,)
    first = "s" if "s" in forms and (scode == _SCANNER or "q" not in forms) else "q"
    if first == "s" and "q" in forms and forms["s"].problem():
        first = "q"
    other = forms.get("q" if first == "s" else "s")
    notices = (_CONFLICTS[first],) if other and not forms[first].offset(other) < ON_GRID else ()
    return checked(forms[first], name), notices


def _quaternion(values: np.ndarray, factor: float, origin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return axes (3, 3) and origin (3,) in mm, both RAS, of the method 2 of NIfTI."""
    b, c, d = values
    rest = 1 - (b * b + c * c + d * d)
    if rest < 1e-7:
        b, c, d = values / np.sqrt(b * b + c * c + d * d)
    a = np.sqrt(rest) if rest >= 1e-7 else 0.0
    axes = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * b * c - 2 * a * d, 2 * b * d + 2 * a * c],
            [2 * b * c + 2 * a * d, a * a + c * c - b * b - d * d, 2 * c * d - 2 * a * b],
            [2 * b * d - 2 * a * c, 2 * c * d + 2 * a * b, a * a + d * d - c * c - b * b],
        ]
    )
    axes[:, 2] *= -1 if factor < 0 else 1
    return axes, origin


def _sform(form: Geometry, scale: float, name: str) -> Geometry:
    """Return the lattice of an sform, whose axes (3, 3) still have the voxels' widths.

    Raises:
        DataError: if these widths are not those of pixdim: the volume of the tumour would be a guess.
    """
    widths = np.linalg.norm(form.direction, axis=0)
    if not (np.isfinite(widths).all() and (widths > 0).all()):
        raise DataError(f"{name}: the axes of its sform must be numbers other than 0; correct the header")
    change = np.abs(widths * scale / form.spacing - 1) * np.array(form.size)
    if change.max() >= ON_GRID:
        both = (" x ".join(f"{x:.6g}" for x in found) for found in (form.spacing, widths * scale))
        raise DataError(
            f"{name}: its header has two voxel sizes, {' mm (pixdim) and '.join(both)} mm (sform); correct the header"
        )
    return Geometry(form.size, form.spacing, form.origin, form.direction / widths)
