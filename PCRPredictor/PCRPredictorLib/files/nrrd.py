"""Headers of NRRD, with the voxels in the same file or one beside it; also Slicer's sequences and segmentations.

Sources: http://teem.sourceforge.net/nrrd/format.html; https://slicer.readthedocs.io/en/latest/developer_guide (sequence
and segmentation file formats).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..geometry import Geometry
from .header import BZIP2, GZIP, MISSING_POSITION, RAW, TEXT, Header, checked
from .opening import open_file
from .voxels import cannot_read

_MOST = 1 << 20  # bytes of a header
_LONGEST = 4096  # characters of a field
_ENCODINGS = {
    "raw": RAW, "gzip": GZIP, "gz": GZIP, "bzip2": BZIP2, "bz2": BZIP2, "txt": TEXT, "text": TEXT, "ascii": TEXT,
}  # fmt: skip
_TYPES = {
    "i1": "signed char, int8, int8_t", "u1": "uchar, unsigned char, uint8, uint8_t",
    "i2": "short, short int, signed short, signed short int, int16, int16_t",
    "u2": "ushort, unsigned short, unsigned short int, uint16, uint16_t",
    "i4": "int, signed int, int32, int32_t", "u4": "uint, unsigned int, uint32, uint32_t",
    "i8": "longlong, long long, long long int, signed long long, signed long long int, int64, int64_t",
    "u8": "ulonglong, unsigned long long, unsigned long long int, uint64, uint64_t", "f4": "float", "f8": "double",
}  # fmt: skip
_DTYPES = {name: kind for kind, names in _TYPES.items() for name in names.split(", ")}
_ORDERS = {"little": "<", "big": ">"}
_SPACES = {  # name of a space to the signs that make it LPS
    "right-anterior-superior": (-1, -1, 1), "ras": (-1, -1, 1), "left-anterior-superior": (1, -1, 1),
    "las": (1, -1, 1), "left-posterior-superior": (1, 1, 1), "lps": (1, 1, 1),
}  # fmt: skip
_DOMAIN = {"domain", "space"}
_SEVERAL = {"list", "vector", "time", "domain", "space", "point", "scalar", "stub", "???", "none", ""}
_SECONDS = {"s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "ms": 0.001, "msec": 0.001, "min": 60.0}
Fields = Mapping[str, str]


def read_nrrd_header(path: Path) -> Header:
    """Read the header of a `.nrrd` or `.nhdr`.

    Raises:
        DataError: if it is damaged, of a kind that is not read, or its geometry is impossible.
    """
    fields, values, end = _parse(path)
    sizes = [int(size) for size in _words(fields, "sizes", path) if _is_count(size)]
    if len(sizes) not in (3, 4) or str(len(sizes)) != fields.get("dimension", "").strip() or min(sizes) < 1:
        raise DataError(
            f"{path.name}: must be one three-dimensional volume, or several along one further axis, got sizes "
            f"{fields.get('sizes')}; export it again"
        )
    axis = _axis_of_volumes(fields, sizes, path.name)
    file, start, encoding = _place(fields, path, end)
    volumes = sizes[axis] if axis is not None else 1
    geometry, known = _geometry(fields, sizes, axis, path.name)
    return Header(
        path.name,
        geometry,
        volumes,
        axis == 0 and volumes > 1,
        _dtype(fields, encoding, path),
        file,
        start if encoding in (RAW, TEXT) else max(_skip(fields), 0),
        encoding,
        inflate_from=0 if encoding in (RAW, TEXT) else start,
        times=_times(fields, values, axis, volumes),
        notices=() if known else (MISSING_POSITION,),
        segments=_segments(values),
    )


def _parse(path: Path) -> tuple[dict[str, str], dict[str, str], int]:
    """Return the fields in lower case, the key-value pairs, and the number of bytes of the header."""
    fields: dict[str, str] = {}
    values: dict[str, str] = {}
    try:
        with open_file(path) as file:
            if not file.readline(_MOST).startswith(b"NRRD000"):
                raise DataError(f"{path.name}: cannot be read as an image, it is not NRRD; export it again")
            while (line := file.readline(_MOST).strip()) and file.tell() < _MOST:
                text = line.decode("utf-8", "replace")
                if text.startswith("#"):
                    continue
                found = re.match(r"([^:]+):(=| )(.*)", text)
                if not found:
                    continue
                if found[2] != "=" and len(text) > _LONGEST:
                    raise DataError(f"{path.name}: has a field of {len(text)} characters; export it again")
                (values if found[2] == "=" else fields).setdefault(found[1].strip().lower(), found[3].strip())
            return fields, values, file.tell()
    except OSError as error:
        raise cannot_read(path, error) from None


def _words(fields: Fields, name: str, path: Path) -> list[str]:
    if name not in fields:
        raise DataError(f"{path.name}: must have the field {name!r}, got {', '.join(fields)}; export it again")
    return fields[name].split()


def _place(fields: Fields, path: Path, end: int) -> tuple[Path, int, str]:
    """Return the file of the voxels, their first byte in it, and their encoding."""
    encoding = _ENCODINGS.get(fields.get("encoding", "").lower())
    if encoding is None:
        raise DataError(f"{path.name}: must have the encoding raw, gzip, bzip2 or text, got {fields.get('encoding')!r}")
    if fields.get("line skip", fields.get("lineskip", "0")) != "0":
        raise DataError(f"{path.name}: has lines to skip before its voxels; save it without")
    name = fields.get("data file", fields.get("datafile"))
    if name is None:
        file, start = path, end
    else:
        file, start = file_beside(path, name), 0
    if encoding == RAW:
        skip = _skip(fields)
        start = start + skip if skip >= 0 else -1
    return file, start, encoding


def file_beside(path: Path, name: str) -> Path:
    """Return the file with the voxels that a header names: a link may lead anywhere, a name only beside the header.

    Raises:
        DataError: if there is no such file, or the header names several or one elsewhere.
    """
    if "%" in name or name.upper().startswith("LIST"):
        raise DataError(f"{path.name}: its voxels must be in one file, got {name!r}; save it in one")
    if "\0" in name or Path(name).is_absolute() or ".." in re.split(r"[\\/]", name):
        raise DataError(
            f"{path.name}: its voxels must lie beside it, got {name!r}; put them there and correct the name"
        )
    file = path.parent / name
    if not file.is_file():
        raise DataError(f"{path.name}: its voxels are in {name}, which is missing; put it beside the header")
    if file.samefile(path):
        raise DataError(f"{path.name}: names itself as the file of its voxels; export it again")
    return file


def _is_count(text: str) -> bool:
    return text.isdecimal() and len(text) < 10


def _skip(fields: Fields) -> int:
    text = fields.get("byte skip", fields.get("byteskip", "0"))
    return int(text) if re.fullmatch(r"-1|\d{1,9}", text) else 0


def _dtype(fields: Fields, encoding: str, path: Path) -> np.dtype:
    kind = _DTYPES.get(" ".join(fields.get("type", "").lower().split()))
    if kind is None:
        raise DataError(f"{path.name}: must have one number per voxel, got {fields.get('type')!r}; export it again")
    order = _ORDERS.get(fields.get("endian", "").lower(), "<" if kind[1] == "1" or encoding == TEXT else None)
    if order is None:
        raise DataError(f"{path.name}: must have the field 'endian' (little or big); export it again")
    return np.dtype(order + kind)


def _vectors(fields: Fields) -> list[np.ndarray | None] | None:
    """Return the step along each axis in mm of the space; None for an axis, or for all, without one."""
    if "space directions" not in fields:
        return None
    found: list[np.ndarray | None] = []
    for text in re.findall(r"none|\([^)]*\)", fields["space directions"], re.IGNORECASE):
        numbers = None if text.lower() == "none" else _numbers(text)
        found.append(None if numbers is None or np.isnan(numbers).all() or not numbers.any() else numbers)
    return found


def _numbers(text: str) -> np.ndarray:
    try:
        return np.array([float(word) for word in text.strip("() ").split(",")])
    except ValueError:
        return np.array([np.inf])  # is refused with the geometry


def _axis_of_volumes(fields: Fields, sizes: list[int], name: str) -> int | None:
    """Return the axis along which there are several volumes: the first or the last; None if there is one volume."""
    if len(sizes) == 3:
        return None
    kinds = (fields.get("kinds", "").lower().split() + ["???"] * 4)[:4]
    vectors = _vectors(fields)
    if vectors is not None and len(vectors) == 4:
        without = [k for k, vector in enumerate(vectors) if vector is None or _along_time(vector)]
    else:
        without = [k for k, kind in enumerate(kinds) if kind not in _DOMAIN and kind != "???"] or [3]
    if len(without) != 1 or without[0] not in (0, 3) or kinds[without[0]] not in _SEVERAL:
        raise DataError(
            f"{name}: must have one number per voxel and its volumes along the first or the last axis, got kinds "
            f"{' '.join(kinds)}; export it again"
        )
    return without[0]


def _along_time(vector: np.ndarray) -> bool:
    return len(vector) == 4 and not vector[:3].any()


def _geometry(fields: Fields, sizes: list[int], axis: int | None, name: str) -> tuple[Geometry, bool]:
    """Return the lattice, and whether its place in the patient is known."""
    space = fields.get("space", "").lower().removesuffix("-time")
    signs = np.array(_SPACES.get(space, (1, 1, 1)), float)
    by_axis = [unit for k, unit in enumerate(re.findall(r'"([^"]*)"', fields.get("units", ""))) if k != axis]
    units = {*by_axis, *re.findall(r'"([^"]*)"', fields.get("space units", ""))} - {"", "s", "ms"}
    if units - {"mm", "millimeter", "millimeters"}:
        raise DataError(f"{name}: its space must be in mm, got {' '.join(sorted(units))}; export it again")
    extent = tuple(size for k, size in enumerate(sizes) if k != axis)
    vectors = _vectors(fields)
    if vectors is None:
        words = [word for k, word in enumerate(fields.get("spacings", "").split()) if k != axis]
        spacing = tuple(_numbers(word)[0] for word in words) if len(words) == 3 else (np.nan,) * 3
        return checked(Geometry(extent, spacing), name), False  # type: ignore[arg-type]
    steps = [vector[:3] for k, vector in enumerate(vectors) if k != axis and vector is not None]
    if len(steps) != 3 or any(len(step) != 3 for step in steps):
        raise DataError(f"{name}: must be one three-dimensional volume, got directions {fields['space directions']}")
    axes = np.stack(steps, 1)
    spacing = np.linalg.norm(axes, axis=0)
    origin = _numbers(fields["space origin"])[:3] if "space origin" in fields else np.zeros(3)
    if len(origin) != 3:
        origin = np.full(3, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        direction = signs[:, None] * axes / spacing
    place = tuple((signs * origin).tolist())
    return checked(Geometry(extent, tuple(spacing.tolist()), place, direction), name), space in _SPACES  # type: ignore[arg-type]


def _times(fields: Fields, values: Fields, axis: int | None, volumes: int) -> tuple[float, ...] | None:
    """Return the seconds that Slicer writes for a sequence, or for a MultiVolume, if their unit is one of time."""
    if axis is None or volumes == 1:
        return None
    units = re.findall(r'"([^"]*)"', fields.get("units", ""))
    unit = values.get(f"axis {axis} index unit", values.get(f"axis {axis} index units"))
    if unit is None and axis < len(units):
        unit = units[axis]
    text = values.get(f"axis {axis} index values")
    if text is None:
        text, unit = values.get("multivolume.framelabels"), values.get("multivolume.frameidentifyingdicomtagunits")
    seconds = _SECONDS.get((unit or "").strip().lower())
    found = _numbers(",".join((text or "").replace(",", " ").split()))
    if seconds is None or len(found) != volumes or not np.isfinite(found).all() or len(set(found.tolist())) < volumes:
        return None
    return tuple((found * seconds).tolist())


def _segments(values: Fields) -> dict[int, str]:
    """Return the names of a segmentation's labels; of several layers none, whose labels repeat."""
    found = {}
    for key, name in values.items():
        if match := re.fullmatch(r"(segment\d+)_name", key):
            label, layer = values.get(f"{match[1]}_labelvalue", ""), values.get(f"{match[1]}_layer", "0")
            if _is_count(label) and layer == "0":
                found[int(label)] = name
    return found
