"""Random changes of DICOM files: elements by what they hold, sequences, frames, and bytes."""

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pydicom
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.encaps import encapsulate, generate_frames
from pydicom.tag import BaseTag, Tag

from .mutate import NUMBERS, TEXTS, mutate_bytes

Change = Callable[[pydicom.Dataset], None]
_CLOSE_TO_PIXELS = (
    "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel",
    "NumberOfFrames", "PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient", "RescaleSlope",
    "RescaleIntercept", "SliceThickness", "SpacingBetweenSlices", "AcquisitionTime", "TriggerTime", "AcquisitionDate",
    "TemporalPositionIdentifier", "NumberOfTemporalPositions", "PhotometricInterpretation", "SOPClassUID",
    "SOPInstanceUID", "SeriesInstanceUID", "SpecificCharacterSet", "InstanceNumber", "ImageType", "Modality",
    "SegmentationType", "MaximumFractionalValue", "FrameOfReferenceUID", "PatientAge", "PlanarConfiguration",
    "FloatPixelData", "PixelPaddingValue", "EchoTime", "SeriesDescription", "PatientID", "FrameIncrementPointer",
)  # fmt: skip
_SYNTAXES = (
    "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.5", "9.9", "",
)  # fmt: skip
_WIDE = {"US": "<H", "SS": "<h", "UL": "<L", "SL": "<l", "FL": "<f", "FD": "<d", "AT": "<HH"}


def mutate_dicom(rng: Random, path: Path) -> None:
    """Change a file, and sometimes all beside it in the same way, so that none stands out."""
    if rng.random() < 0.25:
        mutate_bytes(rng, path)
        return
    changes = [_choose(rng, path) for _ in range(rng.choice((1, 1, 1, 2, 3)))]
    files = sorted(path.parent.iterdir()) if rng.random() < 0.4 else [path]
    if not all([_apply(changes, file) for file in files]):
        mutate_bytes(rng, path)


def _apply(changes: list[Change], file: Path) -> bool:
    """Apply changes to a file as far as it can be read and written; return False if it cannot."""
    try:
        data = pydicom.dcmread(file, force=True)
        for change in changes:
            change(data)
        data.save_as(file)
    except Exception:  # pydicom refuses to write it
        return False
    return True


def _choose(rng: Random, path: Path) -> Change:
    """Return a change that is drawn now, and is the same for every file."""
    try:
        parents = list(_parents(pydicom.dcmread(path, force=True)))
    except Exception:
        parents = []
    kind, which, seed = rng.random(), rng.random(), rng.random()
    if kind < 0.12:
        syntax = rng.choice(_SYNTAXES)
        return lambda data: setattr(data.file_meta, "TransferSyntaxUID", syntax)
    if kind < 0.24:
        return lambda data: _change_frames(Random(seed), data)
    if kind < 0.34:
        return lambda data: _change_sequence(Random(seed), data)
    number = int(which * len(parents)) if rng.random() < 0.5 else 0
    tag = _tag(rng, parents[number] if parents else pydicom.Dataset())
    return lambda data: _change_element(Random(seed), list(_parents(data))[number], tag)


def _parents(data: pydicom.Dataset, depth: int = 0) -> Iterator[pydicom.Dataset]:
    """Yield a data set and those in its sequences."""
    yield data
    for element in data:
        if element.VR == "SQ" and depth < 5:
            for item in element.value:
                yield from _parents(item, depth + 1)


def _tag(rng: Random, data: pydicom.Dataset) -> BaseTag:
    """Return the tag of an element that is there, or of one that readers look for."""
    tags = [element.tag for element in data if element.VR != "SQ"]
    if tags and rng.random() < 0.5:
        return rng.choice(tags)
    return Tag(tag_for_keyword(rng.choice(_CLOSE_TO_PIXELS)))


def _change_element(rng: Random, data: pydicom.Dataset, tag: BaseTag) -> None:
    """Remove an element, or give it a value that its kind can hold, or another kind."""
    if rng.random() < 0.2:
        data.pop(tag, None)
        return
    try:
        kind = dictionary_VR(tag)
    except KeyError:
        kind = "UN"
    kind = rng.choice(("UN", "OB", "LO", "DS", "US", "FD", "SQ")) if rng.random() < 0.05 else kind.split(" ")[0]
    content = _binary(rng, kind) if kind in _WIDE else _words(rng, kind)
    content += b" " * (len(content) % 2)
    data[tag] = RawDataElement(Tag(tag), kind, len(content), content, 0, False, True)


def _binary(rng: Random, kind: str) -> bytes:
    form = _WIDE[kind]
    size = struct.calcsize(form)
    if kind in ("FL", "FD"):
        value = rng.choice((float("nan"), float("inf"), -1.0, 0.0, 1e-30, 1e30))
        return struct.pack(form, value) * rng.choice((1, 1, 3, 6))
    piece = rng.choice((b"\0", b"\xff", b"\x7f", b"\x01\0\0\0", b"\x80", b"\x20\0\0\0"))
    return (piece * size)[:size] * rng.choice((1, 1, 1, 2, 0, 400))


def _words(rng: Random, kind: str) -> bytes:
    numbers = (*NUMBERS, "nan", "inf", "-inf", "1e400", "", " ", "1,5", "0x1", "１", "1_0", "--1", "1e-400")
    if kind in ("DS", "IS") or rng.random() < 0.2:
        one = [str(rng.choice(numbers))[:400] for _ in range(rng.choice((1, 1, 2, 3, 6, 7)))]
        return "\\".join(one).encode()
    if kind in ("TM", "DA", "DT"):
        return rng.choice(
            ("999999", "1015", "101500.9999999999", "20200230", "-1", "aa", "24:61:61", "", "1" * 500)
        ).encode()
    return rng.choice(TEXTS).encode("utf-8", "surrogatepass")[:60_000]


def _change_sequence(rng: Random, data: pydicom.Dataset) -> None:
    """Drop, repeat, empty or nest the items of a sequence."""
    found = [(parent, element.tag) for parent in _parents(data) for element in parent if element.VR == "SQ"]
    if not found:
        return
    parent, tag = rng.choice(found)
    items, kind = list(parent[tag].value), rng.randrange(5)
    if kind == 0:
        del parent[tag]
        return
    if kind == 1 and items:
        del items[rng.randrange(len(items))]
    elif kind == 2:
        items = items * rng.choice((2, 30))
    elif kind == 3:
        items = [pydicom.Dataset() for _ in items]
    else:
        rng.shuffle(items)
    parent[tag].value = pydicom.Sequence(items)


def _change_frames(rng: Random, data: pydicom.Dataset) -> None:
    """Change bytes of the pixels: of one compressed frame, or of what is stored as it is."""
    if "PixelData" not in data:
        return
    if not data.file_meta.TransferSyntaxUID.is_encapsulated:
        data.PixelData = data.PixelData[: rng.choice((0, 1, -2, -100))] + bytes(rng.choice((0, 1, 10_000)))
        return
    frames = list(generate_frames(data.PixelData, number_of_frames=int(data.get("NumberOfFrames") or 1)))
    number = rng.randrange(len(frames))
    frames[number] = change_frame(rng, frames[number])
    data.PixelData = encapsulate(frames * rng.choice((1, 1, 1, 1, 2)))
    data["PixelData"].is_undefined_length = True


_MARKERS = (b"\xff\xd9", b"\xff\xda", b"\xff\xc4", b"\xff\xf8", b"\xff\x51", b"\xff\x53", b"\xff\x93", b"\xff\xff")
_WORDS = (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\0\0\1", b"\x80\0\0\0")


def change_frame(rng: Random, frame: bytes) -> bytes:
    """Return a compressed frame with a few bytes changed, most of them in its headers."""
    content = bytearray(frame)
    for _ in range(rng.choice((1, 1, 2, 3, 8, 30))):
        size = len(content)
        if not size:
            break
        place = rng.randrange(min(size, 120) if rng.random() < 0.6 else size)
        kind = rng.randrange(7)
        if kind == 0:
            content[place] ^= 1 << rng.randrange(8)
        elif kind == 1:
            content[place] = rng.randrange(256)
        elif kind == 2 and rng.random() < 0.3:
            del content[place:]
        elif kind == 3:
            content[place : place + 4] = rng.choice(_WORDS)
        elif kind == 4:
            content[place:place] = content[place : place + rng.choice((1, 8, 40))] * rng.choice((1, 3, 50))
        elif kind == 5:
            del content[place : place + rng.choice((1, 2, 8))]
        else:
            content[place : place + 2] = rng.choice(_MARKERS)
    return bytes(content).ljust(2, b"\0")
