"""The files of a folder: headers of its images, and what the others are.

A file is opened once. Whether its pixels are complete is told by its length, without reading them. A data set without
preamble and file meta information is read if it starts like one. Source: DICOM PS3.10 7.1 and PS3.5 A.4 (fragments).
"""

import hashlib
import os
import struct
import zipfile
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import pydicom
from pydicom.tag import Tag
from pydicom.uid import DeflatedExplicitVRLittleEndian

from ..errors import DataError
from ..files.limits import FRAMES, PIXELS
from ..files.names import does_not_exist
from ..files.opening import open_file
from .datasets import read_dataset
from .headers import PHASE_TAGS, READ_TAGS, encoding_of, name_series, stored_values, tag_integer, tag_text

NOT_DICOM = "is not DICOM"
_SYSTEM_FILES = {".ds_store", "thumbs.db", "desktop.ini", "__macosx", ".localized"}
_IMAGE_ENDINGS = {"", ".dcm", ".dicom", ".dic", ".ima", ".img", ".mr"}
_ARCHIVES = {".zip", ".tgz", ".tar", ".7z", ".rar"}
_PACKED = {".gz", ".bz2", ".xz", ".zst"}  # after the name of an image, as these
_PARTIAL = {".icloud", ".part", ".crdownload"}
_DIRECTORY = "1.2.840.10008.1.3.10"  # SOP class of a DICOMDIR
_IMAGES = "1.2.840.10008.5.1.4.1.1.4"  # SOP classes of MR images start so
_NO_IMAGES = {"1.2.840.10008.5.1.4.1.1.4.2"}  # spectroscopy
_PIXELS = {(0x7FE0, 0x0008), (0x7FE0, 0x0009), (0x7FE0, 0x0010)}
_ITEM, _END = (0xFFFE, 0xE000), (0xFFFE, 0xE0DD)
_UNKNOWN_LENGTH = 0xFFFFFFFF
_SAME_IMAGE = [Tag(tag) for tag in ("SeriesInstanceUID", "InstanceNumber", "ImagePositionPatient", *PHASE_TAGS)]


@dataclass(frozen=True, eq=False)
class ImageFile:
    """A file with one image or several frames.

    Args:
        file: its path.
        header: without pixels, with the tags that are read.
        fault: why its pixels cannot be used; else empty.
        pixels_at: byte of the file at which its pixels start.
        compressed: whether the pixels, or the whole data set, are compressed.
    """

    file: Path
    header: pydicom.Dataset
    fault: str = ""
    pixels_at: int = 0
    compressed: bool = False


@dataclass(frozen=True)
class OtherFile:
    """A file without an image that could be read.

    Args:
        file: its path.
        reason: why it was not used, such as "is empty".
        may_be_image: True if it may have been an image of the exam.
        series: name of its series if it has a header; else empty.
    """

    file: Path
    reason: str
    may_be_image: bool = False
    series: str = ""


def read_folder(folder: Path, files: Collection[Path] = ()) -> tuple[list[ImageFile], list[OtherFile]]:
    """Read the headers of all files in a folder and the folders in it.

    Args:
        files: of the folder that are read; empty for all.

    Raises:
        DataError: if there is no such folder, or no file in it.
    """
    if not folder.exists():
        raise DataError(does_not_exist(folder))
    if not folder.is_dir():
        raise DataError(f"{folder}: not a folder; give the folder with the DICOM files")
    found = [read_file(path) for path in sorted(files or folder.rglob("*")) if not path.is_dir()]
    images = [item for item in found if isinstance(item, ImageFile)]
    others = [item for item in found if isinstance(item, OtherFile)]
    if not images and not any(item.may_be_image for item in others):
        raise DataError(f"{folder}: has no DICOM images; give the folder with the DICOM files")
    return images, others


def read_file(file: Path) -> ImageFile | OtherFile:
    """Read the header of a file, and say what it is if it has no image."""
    parts = [part.lower() for part in file.parts]
    if file.name.startswith("._") or not _SYSTEM_FILES.isdisjoint(parts):
        return OtherFile(file, "belongs to the operating system")
    try:
        with open_file(file) as stream:
            return _read_open(file, stream, os.fstat(stream.fileno()).st_size)
    except OSError:
        return OtherFile(file, "leads nowhere (a dead link)" if file.is_symlink() else "cannot be opened", True)


def drop_copies(images: Iterable[ImageFile]) -> tuple[list[ImageFile], list[ImageFile]]:
    """Return images without identical copies, and the copies.

    Pixels are compared only of images that have series, number, position and times in common. The SOP instance UID
    does not count: de-identifiers have given one to many images.
    """
    alike = defaultdict(list)
    for image in images:
        alike[stored_values(image.header, _SAME_IMAGE)].append(image)
    kept: list[ImageFile] = []
    copies: list[ImageFile] = []
    for group in alike.values():
        seen: set[bytes] = set()
        for image in group:
            content = b"" if len(group) == 1 else digest_pixels(image)
            (copies if content in seen else kept).append(image)
            seen.add(content)
    return kept, copies


def digest_pixels(image: ImageFile) -> bytes:
    """Return a fingerprint of the stored pixels."""
    with open_file(image.file) as stream:
        stream.seek(image.pixels_at)
        return hashlib.sha256(stream.read()).digest()


def starts_like_dicom(start: bytes) -> bool:
    """Return True if a file starts with DICOM's preamble, or without it with an element of group 2 or 8."""
    if start[128:132] == b"DICM":
        return True
    if len(start) < 16:
        return False
    little, big = (struct.unpack(order + "HH", start[:4]) for order in "<>")
    return any(group in (0x0002, 0x0008) and element < 0x0100 for group, element in (little, big))


def name_files(folder: Path, files: Sequence[Path]) -> str:
    """Return the first names of files in a folder, for a message that asks to act on them."""
    names = [file.relative_to(folder).as_posix() for file in files[:3]]
    return ", ".join(names) + (f" and {len(files) - 3} more" if len(files) > 3 else "")


def _read_open(file: Path, stream: BinaryIO, size: int) -> ImageFile | OtherFile:
    start = stream.read(512)
    if not start:
        return OtherFile(file, "is empty", _may_be_image(file))
    if not starts_like_dicom(start):
        is_text = start.isascii() and b"\0" not in start
        if file.suffix.lower() in _PARTIAL and _may_be_image(Path(file.stem)):
            return OtherFile(file, "is not downloaded completely", True)
        if _may_hold_images(file):
            return OtherFile(file, "is packed and must be unpacked", True)
        return OtherFile(file, NOT_DICOM, _may_be_image(file, is_text))
    stream.seek(0)
    try:
        header = read_dataset(stream, stop_before_pixels=True, specific_tags=READ_TAGS, force=True)
    except Exception:  # damaged headers raise anything
        return OtherFile(file, "is damaged or cut short", True)
    at = stream.tell()
    kind = tag_text(header, "SOPClassUID") or tag_text(header.file_meta, "MediaStorageSOPClassUID")
    if kind == _DIRECTORY:
        return OtherFile(file, "is an index (DICOMDIR)")
    if tag_integer(header, "Rows") and tag_integer(header, "Columns"):
        return _check_pixels(ImageFile(file, header), stream, at, size)
    if (kind.startswith(_IMAGES) and kind not in _NO_IMAGES) or not kind:
        return OtherFile(file, "is damaged or cut short", True)
    reason = f"has no image ({tag_text(header, 'Modality') or 'unknown modality'})"
    return OtherFile(file, reason, series=name_series(header))


def _may_be_image(file: Path, is_text: bool = False) -> bool:
    """Return True if a file is named like an image; one of text without an ending must have a number."""
    ending = file.suffix.lower()
    numbered = ending[1:].isdigit() or (ending == "" and any(c.isdigit() for c in file.name))
    return numbered or (ending in _IMAGE_ENDINGS and not (is_text and ending == ""))


def _may_hold_images(file: Path) -> bool:
    """Return True if a file is named like an archive or a packed image; a ZIP must hold a name like an image's."""
    inner, ending = Path(file.stem), file.suffix.lower()
    if ending == ".zip" and zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            return any(_may_be_image(Path(name)) for name in archive.namelist())
    return ending in _ARCHIVES or (ending in _PACKED and (inner.suffix == ".tar" or _may_be_image(inner)))


def _check_pixels(image: ImageFile, stream: BinaryIO, at: int, size: int) -> ImageFile:
    """Return an image with the place of its pixels, whose element starts at a byte, and why they cannot be used."""
    header = image.header
    rows, columns, frames = (tag_integer(header, tag) for tag in ("Rows", "Columns", "NumberOfFrames"))
    if rows * columns > PIXELS or min(rows, columns) < 1 or not 0 <= frames <= FRAMES:
        what = f"{rows} x {columns} pixels" + (f" and {frames} frames" if frames else "")
        return replace(image, fault=f"has {what}, as no MR image has")
    if header.file_meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
        return replace(image, pixels_at=at, compressed=True)
    implicit, little = encoding_of(header)
    order = "<" if little else ">"
    stream.seek(at)
    head = stream.read(12).ljust(12, b"\0")
    if struct.unpack(order + "HH", head[:4]) not in _PIXELS:
        return replace(image, fault="is cut short" if at >= size - 8 else "has no pixels")
    length = struct.unpack(order + "L", head[4:8] if implicit else head[8:])[0]
    begin = at + (8 if implicit else 12)
    frames = frames or 1
    if length == _UNKNOWN_LENGTH:
        fault = _fault_of_fragments(stream, begin, size, order, frames)
        return replace(image, fault=fault, pixels_at=begin, compressed=True)
    row = columns * (tag_integer(header, "SamplesPerPixel") or 1)
    row *= ((tag_integer(header, "BitsAllocated") or 16) + 7) // 8
    needed = frames * rows * row
    fault = f"has {length} bytes of pixels, but Rows and Columns ask for {needed}"
    if begin + min(length, needed) > size:
        fault = "is cut short"
    elif needed <= length < needed + row:
        fault = ""
    return replace(image, fault=fault, pixels_at=begin)


def _fault_of_fragments(stream: BinaryIO, begin: int, size: int, order: str, frames: int) -> str:
    """Return why compressed pixels are not complete; the first item is a table of offsets."""
    place, items = begin, 0
    while place + 8 <= size:
        stream.seek(place)
        group, element, length = struct.unpack(order + "HHL", stream.read(8))
        if (group, element) != _ITEM:
            return "" if (group, element) == _END and items > frames else "is damaged or cut short"
        place, items = place + 8 + length, items + 1
    return "" if place == size and items > frames else "is cut short"
